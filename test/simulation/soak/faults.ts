/** What goes wrong around a board under soak, and what is asked of it meanwhile. Each takes its time and ends as it began. */
import type { BoardUnderSoak } from "./board-under-soak.ts";
import { boardName } from "./board-under-soak.ts";
import { baseProgram, otherProgramBytes, programBytes } from "./programs.ts";
import type { Random } from "./random.ts";

type Fault = (board: BoardUnderSoak, random: Random) => Promise<void>;

/** The longest that one fault takes. */
export const faultMsMax = 60_000;

const somewhile = (random: Random) => random.integer(1, faultMsMax / 1000) * 1000;

export const programKey = `program/${boardName}`;

/** Keys that other boards own: they fill the flash, so that it is compacted again and again. */
const otherKeys = Array.from({ length: 12 }, (_, i) => `program/south-${i}`);
const settingKeys = Array.from({ length: 12 }, (_, i) => `setting.${i}`);

/** Puts every key that will ever be there, so that the heap that keys take is there from the start. */
export function putAll(board: BoardUnderSoak): void {
  const { leader, marks } = board;
  leader.put(programKey, programBytes(baseProgram));
  leader.put("limit.high", 30);
  leader.put("fan.duty", 40);
  leader.put("valve", true);
  leader.put("mark", marks.nextValue());
  for (const key of otherKeys) leader.put(key, new Uint8Array(900));
  for (const key of settingKeys) leader.put(key, 0);
}

export function putSome({ leader, marks }: BoardUnderSoak, random: Random): void {
  for (let puts = random.integer(1, 12); puts > 0; puts--) {
    const what = random.integer(0, 9);
    if (what < 4) leader.put("mark", marks.nextValue());
    else if (what < 5) leader.put("fan.duty", random.integer(0, 100));
    else if (what < 6) leader.put("limit.high", random.integer(20, 32));
    else if (what < 8) leader.put(random.one(otherKeys), random.bytes(random.integer(300, 900)));
    else leader.put(random.one(settingKeys), random.one([random.next(), true, "a word", null]));
  }
}

/** More than one message can carry: the leader sends as much at once as it ever does. */
export function putManyBytes({ leader }: BoardUnderSoak): void {
  for (const key of otherKeys.slice(0, 6)) leader.put(key, new Uint8Array(900));
}

export const faults: Readonly<Record<string, Fault>> = {
  "link cut": async ({ leader }) => leader.cut(),

  "network down": async (board, random) => {
    board.leader.setNetwork(false);
    await board.run(somewhile(random));
    board.leader.setNetwork(true);
  },

  "connections refused": async (board, random) => {
    board.leader.listening = false;
    board.leader.cut();
    await board.run(somewhile(random));
    board.leader.listening = true;
  },

  "leader hung": async (board, random) => {
    board.leader.answering = false;
    await board.run(somewhile(random));
    board.leader.answering = true;
    board.leader.cut();
  },

  "leader silent": async (board, random) => {
    board.isLeaderAwake = false;
    await board.run(somewhile(random));
    board.isLeaderAwake = true;
  },

  "leader restarts": async ({ leader }) => leader.restart(),

  "garbage bytes": async (board, random) => {
    board.leader.sendBytes(random.bytes(random.integer(1, 64)));
    await board.run(1000);
  },

  "garbage messages": async (board, random) => {
    const channel = random.one(["raft", "time", "of-tomorrow"]);
    board.leader.sendPayload(channel, random.bytes(random.integer(0, 200)));
    await board.run(1000);
  },

  "hostile broker": async (board, random) => {
    for (let sent = random.integer(1, 40); sent > 0; sent--) {
      const channel = random.one(["edhoc", "raft", "group", "time"]);
      const own = random.one(board.tap.seen);
      board.leader.sendRaw(channel, random.one([own, corrupted(own, random), random.bytes(60)]));
    }
    await board.run(1000);
  },

  "host forgets": async ({ leader }) => {
    leader.trust.kept.clear();
    leader.cut();
  },

  "send buffer full": async (board, random) => {
    board.leader.sendBufferBytes = random.one([0, 40, 100]);
    await board.run(somewhile(random));
    board.leader.sendBufferBytes = Infinity;
  },

  "sensor silent": async (board, random) => {
    const sensor = random.one(["temperature", "soil", "cpu"]);
    board.silentSensors.add(sensor);
    await board.run(somewhile(random));
    board.silentSensors.delete(sensor);
  },

  "another program": async (board, random) => {
    board.leader.put(programKey, random.one(otherProgramBytes));
    await board.run(somewhile(random));
    board.leader.put(programKey, programBytes(baseProgram));
  },

  settings: async (board, random) => {
    putSome(board, random);
    await board.run(random.integer(1, 5000));
  },
};

/** The power ends between two turns, or while flash is written, and comes back later. */
export async function cutPower(
  board: BoardUnderSoak,
  random: Random,
): Promise<"between turns" | "in a write"> {
  if (random.next() < 0.6) {
    board.endPowerAfter(random.integer(0, 3000));
    putSome(board, random);
    await board.run(20_000);
  }
  const where = board.isOn ? "between turns" : "in a write";
  if (board.isOn) await board.powerOff();
  putSome(board, random);
  await board.run(random.integer(10, 30_000));
  board.powerOn();
  return where;
}

function corrupted(bytes: Uint8Array, random: Random): Uint8Array {
  const changed = bytes.slice();
  if (changed.length > 0) changed[random.integer(0, changed.length - 1)]! ^= 1;
  return changed;
}
