/** No key ever sees a nonce twice, whatever the power does to a board that keeps its sessions over sleep: every pair is recorded. */
import { expect, test } from "vitest";
import type { StartReason } from "../../../firmware/platform/ports.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import { type FlashModel, PowerCut } from "../storage/flash-model.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { programBytes } from "./surroundings.ts";

const sleepy: Program = {
  pipelines: [{ metric: "load", sensor: "cpu", everyMs: 500, stages: [{ op: "mean", windowMs: 60_000 }] }],
  outputs: [],
  rules: [],
  sleep: { awakeMs: 2000, everyMs: 60_000 },
};

/** Seals as node:crypto does, and keeps every pair of key and nonce. */
class Recorder {
  readonly pairs = new Set<string>();
  readonly ciphers: Ciphers = {
    ...nodeCiphers,
    ccmSeal: (key, nonce, ...rest) => {
      const pair = Buffer.concat([key, nonce]).toString("hex");
      if (this.pairs.has(pair)) throw new Error("A key has seen this nonce before.");
      this.pairs.add(pair);
      return nodeCiphers.ccmSeal(key, nonce, ...rest);
    },
  };
}

function leader(recorder: Recorder): LeaderOnTheWire {
  const leader = new LeaderOnTheWire();
  leader.trust.boardCiphers = recorder.ciphers;
  leader.put("program/north-1", programBytes(sleepy));
  return leader;
}

/** Another start on what the flash holds. */
function started(it: SimulatedBoard, reason: StartReason): SimulatedBoard {
  const again = it.reboot();
  Object.assign(again.world.system, { startReason: reason });
  return again;
}

/** Sleeps once, or loses its power on the way. */
function untilAsleep(it: SimulatedBoard): "asleep" | "cut" {
  try {
    for (let i = 0; i < 100 && it.sleepsMs.length === 0; i++) it.run(100);
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
    return "cut";
  }
  // A write that fails is a crash like any other, if the power is not gone before that is noted.
  if (it.flash.power === 0) return "cut";
  expect(it.restarts).toEqual([]);
  expect(it.sleepsMs).toHaveLength(1);
  return "asleep";
}

test("over sleeps, with connections that break in between", { timeout: 60_000 }, () => {
  const recorder = new Recorder();
  let it = new SimulatedBoard(leader(recorder));
  for (let night = 0; night < 6; night++) {
    it.run(1000);
    if (night % 2 === 1) it.leader.cut();
    if (night === 3)
      it.leader.inBetween = (channel, bytes) => (channel === "edhoc" ? bytes.subarray(0, 1) : undefined);
    it.run(600);
    it.leader.inBetween = undefined;
    expect(untilAsleep(it)).toBe("asleep");
    it.nowMs += 60_000;
    it = started(it, "sleep");
  }
  const { trust } = it.leader;
  expect(trust.handshakes).toBe(1);
  expect(trust.refreshes).toBeGreaterThanOrEqual(5 + 2);
});

test("a session that was kept is used once: a board that wakes from it twice makes a new one", () => {
  const recorder = new Recorder();
  const first = new SimulatedBoard(leader(recorder));
  untilAsleep(first);
  const second = started(first, "sleep");
  second.run(500);
  expect(second.logged("sessions-restored")).toEqual(["info sessions-restored sessions=1"]);
  // The power fails, and the chip says that it woke up again.
  const third = started(second, "sleep");
  third.run(500);
  expect(third.logged("sessions-restored")).toEqual([]);
  expect(third.board.board!.linkState).toBe("joined");
  expect(third.leader.trust).toMatchObject({ handshakes: 2, refreshes: 1 });
});

test("a start that is no waking uses nothing that was kept, then or later", () => {
  const recorder = new Recorder();
  const first = new SimulatedBoard(leader(recorder));
  untilAsleep(first);
  const second = started(first, "power");
  second.run(500);
  expect(second.leader.trust).toMatchObject({ handshakes: 2, refreshes: 0 });
  const third = started(second, "sleep");
  third.run(500);
  expect(third.logged("sessions-restored")).toEqual([]);
  expect(third.leader.trust).toMatchObject({ handshakes: 3, refreshes: 0 });
});

/**
 * A world of its own, in which the power fails in life `cutLife` once the flash has done so much, whatever the chip takes the next start for; then
 * two lives with power. Gives, for each life before the cut, what the flash had done after each write.
 */
function livesWithCut(cutLife: number, power: number): number[][] {
  const recorder = new Recorder();
  let it = new SimulatedBoard(leader(recorder));
  const ends: number[][] = [];
  for (let life = 0; life <= cutLife; life++) {
    if (life > 0) it = started(it, "sleep");
    ends.push(noteWrites(it.flash));
    if (life === cutLife) it.flash.power = power;
    const end = untilAsleep(it);
    expect(end).toBe(life === cutLife && power < Infinity ? "cut" : "asleep");
  }
  for (let more = 0; more < 2; more++) {
    it = started(it, "sleep");
    expect(untilAsleep(it)).toBe("asleep");
  }
  expect(recorder.pairs.size).toBeGreaterThan(20);
  return ends;
}

function noteWrites(flash: FlashModel): number[] {
  const ends: number[] = [];
  const write = flash.write.bind(flash);
  flash.write = (offset, bytes) => {
    write(offset, bytes);
    ends.push(flash.spent);
  };
  return ends;
}

test("wherever the power fails, before the sleep and after the waking", { timeout: 300_000 }, () => {
  const ends = livesWithCut(2, Infinity);
  let cuts = 0;
  for (const life of ends.keys()) {
    for (const [i, end] of ends[life]!.entries()) {
      const start = ends[life]![i - 1] ?? 0;
      for (const power of new Set([start, Math.floor((start + end) / 2), end - 1])) {
        livesWithCut(life, power);
        cuts++;
      }
    }
  }
  expect(cuts).toBeGreaterThan(30);
});
