/** What Improv takes of a busy board's heap while it listens on the console, and while somebody speaks with it. */
import { encodePacket, PacketType } from "../../protocols/improv/packets.ts";
import { Command, encodeCommand } from "../../protocols/improv/rpc.ts";
import type { Program } from "../../protocols/pipeline/program.ts";
import { programBytes, SimulatedSurroundings } from "../../test/firmware/board/surroundings.ts";
import { FlashModel } from "../../test/firmware/storage/flash-model.ts";
import { MeasuredBoard } from "./measured-board.ts";
import { type ScenarioParts, wholePackets } from "./scenarios.ts";

/** Each more than the same board has that has no console. */
export interface ImprovHeap {
  /** Held on to while it listens, as it does for the first minutes. */
  readonly listeningBytes: number;
  /** Held on to once somebody has spoken to it. */
  readonly speakingBytes: number;
  /** Of the most that the heap ever was. */
  readonly peakBytes: number;
}

export async function measureImprov(parts: ScenarioParts, program: Program): Promise<ImprovHeap> {
  const without = await worked(parts, program, false, false);
  const listening = await worked(parts, program, true, false);
  const speaking = await worked(parts, program, true, true);
  return {
    listeningBytes: listening.live - without.live,
    speakingBytes: speaking.live - without.live,
    peakBytes: speaking.peak - without.peak,
  };
}

async function worked(parts: ScenarioParts, program: Program, hasConsole: boolean, isSpokenTo: boolean) {
  const { flashBytes, sectorBytes } = parts;
  const leader = wholePackets();
  const here = new SimulatedSurroundings(leader, FlashModel.blank(flashBytes / sectorBytes, sectorBytes), 0);
  let tell = (_bytes: Uint8Array) => {};
  let answers = 0;
  const serial = {
    listen: (onData: (bytes: Uint8Array) => void) => {
      tell = onData;
    },
    write: () => void answers++,
    close: () => {},
  };
  if (hasConsole) Object.assign(here, { world: { ...here.world, serial } });
  const board = new MeasuredBoard(parts.firmware, here, parts.memory);
  await board.run(1060);
  leader.put("program/north-1", programBytes(program));
  await board.run(5000);
  const ask = encodePacket(PacketType.command, encodeCommand(Command.deviceInfo, new Uint8Array(0)));
  for (let second = 0; second < 20; second++) {
    if (isSpokenTo) tell(ask);
    await board.run(1000);
  }
  await board.powerOff();
  if (isSpokenTo && answers < 20) throw new Error(`The board answered only ${answers} times.`);
  const late = board.turns.slice(-Math.floor(board.turns.length / 3));
  return {
    live: Math.min(...late.map(({ heap }) => heap.usedBytes)),
    peak: board.turns.at(-1)!.heap.peakBytes,
  };
}
