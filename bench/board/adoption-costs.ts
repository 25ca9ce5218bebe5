/** A restore larger than one entry, as a board meets it: the pieces of a draft, put one by one, then the entry that adopts it. */
import type { BoardConfig } from "../../firmware/platform/ports.ts";
import type { Program } from "../../protocols/pipeline/program.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import type { PutCommand } from "../../protocols/state/command.ts";
import { adoptionToData, draftKey, draftPieces } from "../../protocols/state/draft.ts";
import { programBytes, SimulatedSurroundings, threeHosts } from "../../test/firmware/board/surroundings.ts";
import { FlashModel } from "../../test/firmware/storage/flash-model.ts";
import { MeasuredBoard } from "./measured-board.ts";
import { type Scenario, type ScenarioParts, wholePackets } from "./scenarios.ts";

/** The most that the heap of a voter ever was, with a session with each of three hosts. */
export interface AdoptionHeap {
  /** Until the last piece was there: as any values of 900 bytes. */
  readonly piecesPeakBytes: number;
  /** Until the draft was adopted. */
  readonly peakBytes: number;
}

/** Keys that the draft changes, all of them there before: a piece for each eight. */
const keys = 32;

export async function adopting(parts: ScenarioParts, program: Program): Promise<Scenario[]> {
  const { turns } = await adopted(parts, program);
  const longest = turns.reduce((most, turn) => (turn.instructions > most.instructions ? turn : most));
  return [{ name: `a draft of ${pieces.length} pieces adopted, ${keys} keys`, turns: [longest] }];
}

export async function measureAdoption(parts: ScenarioParts, program: Program): Promise<AdoptionHeap> {
  const { piecesPeakBytes, turns } = await adopted(parts, program, { hosts: threeHosts });
  return { piecesPeakBytes, peakBytes: turns.at(-1)!.heap.peakBytes };
}

/** A board that adopts the draft, and its turns from when it hears of that; a voter, if it has several hosts. */
async function adopted(parts: ScenarioParts, program: Program, over: Partial<BoardConfig> = {}) {
  const { flashBytes, sectorBytes } = parts;
  const leader = wholePackets();
  const flash = FlashModel.blank(flashBytes / sectorBytes, sectorBytes);
  const board = new MeasuredBoard(
    parts.firmware,
    new SimulatedSurroundings(leader, flash, 0, over),
    parts.memory,
  );
  await board.run(1060);
  leader.put("program/north-1", programBytes(program));
  await board.run(3000);
  if (over.hosts !== undefined) {
    leader.change("promote");
    await board.run(5000);
  }
  for (const { key } of puts) leader.put(key, 0);
  await board.run(1000);
  for (let i = 0; i < pieces.length; i++) {
    leader.put(draftKey(i), pieces[i]!);
    await board.run(100);
  }
  await board.run(1000);
  const { peakBytes: piecesPeakBytes } = board.turns.at(-1)!.heap;
  const { flashWrites, length } = { flashWrites: flash.writes, length: board.turns.length };
  leader.propose(EntryKind.adoption, adoptionToData(new Uint8Array(8), adoption), 1);
  await board.run(500);
  await board.powerOff();
  if (flash.writes < flashWrites + keys) throw new Error("The board has not adopted the draft.");
  return { piecesPeakBytes, turns: board.turns.slice(length) };
}

const puts: readonly PutCommand[] = Array.from({ length: keys }, (_, i) => ({
  key: `setting.${10 + i}`,
  value: new Uint8Array(98).fill(i),
}));
const pieces = draftPieces(puts);
const adoption = {
  pieces: pieces.length,
  puts: keys,
  bytes: pieces.reduce((sum, { length }) => sum + length, 0),
};
