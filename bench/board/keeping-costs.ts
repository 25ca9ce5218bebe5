/** What it costs a board to keep blocks for others: each question by itself, and its heap beside ten pipelines. */

import type { BoardConfig } from "../../firmware/platform/ports.ts";
import { encodeCbor } from "../../host-tools/codec/cbor.ts";
import { type KeptBlock, keepingLimits } from "../../protocols/keeping/block.ts";
import { type KeepAnswer, type KeepRequest, keepRequestToWire } from "../../protocols/keeping/messages.ts";
import type { Program } from "../../protocols/pipeline/program.ts";
import { SimulatedBoard } from "../../test/firmware/board/simulated-board.ts";
import { programBytes, SimulatedSurroundings, threeHosts } from "../../test/firmware/board/surroundings.ts";
import { openKeeper } from "../../test/firmware/keeping/ring-model.ts";
import { FlashModel } from "../../test/firmware/storage/flash-model.ts";
import { MeasuredBoard, type Turn } from "./measured-board.ts";
import { type Scenario, type ScenarioParts, wholePackets } from "./scenarios.ts";

/** The most that the heap ever was, with pipelines at work and a question each second. */
export interface KeepingHeap {
  readonly learnerPeakBytes: number;
  /** With a session with each of three hosts. */
  readonly voterPeakBytes: number;
}

/** A board of 4 MB has so many for it. */
const ringSectors = 64;
/** Bytes of a block, as that of a minute of a sensor's readings, a second apart. */
const blockBytes = 200;
const seriesOf = (i: number) => `south-${i % 10}/air.temperature`;

/** Questions on a ring that is full, each alone in its turn. */
export async function keeping(parts: ScenarioParts, program: Program): Promise<Scenario[]> {
  const { ask, board } = await keepingBoard(parts, program);
  const found = await ask({ kind: "list", id: 1, cursor: 0 });
  const puts: Turn[] = [];
  for (let i = 0; i < 32; i++) puts.push(...(await ask({ kind: "put", id: i, blocks: [blockAt(2000 + i)] })));
  const reads: Turn[] = [];
  const lists: Turn[] = [];
  const wanted = { series: seriesOf(3), from: 0, to: keepingLimits.numberMax };
  for (let i = 0; i < 8; i++) {
    reads.push(...(await ask({ kind: "read", id: i, cursor: 0, ...wanted })));
    lists.push(...(await ask({ kind: "list", id: i, cursor: 0 })));
  }
  await board.powerOff();
  const opens = puts.filter(({ keepErases }) => keepErases > 0);
  if (opens.length < 2) throw new Error("No put took another sector.");
  return [
    { name: "the ring of kept blocks found, a sector listed", turns: found },
    { name: "one block kept", turns: puts.filter(({ keepErases }) => keepErases === 0) },
    { name: "one block kept, in a sector that is erased for it", turns: opens },
    { name: "two kept blocks read", turns: reads },
    { name: "kept blocks listed, a sector", turns: lists },
  ];
}

export async function measureKeeping(parts: ScenarioParts, program: Program): Promise<KeepingHeap> {
  return {
    learnerPeakBytes: await peakOf(parts, program),
    voterPeakBytes: await peakOf(parts, program, { hosts: threeHosts }),
  };
}

async function peakOf(
  parts: ScenarioParts,
  program: Program,
  over: Partial<BoardConfig> = {},
): Promise<number> {
  const { ask, board } = await keepingBoard(parts, program, over);
  for (let i = 0; i < 45; i++) await ask(questionAt(i, board.surroundings.leader.kept.at(-1)));
  await board.powerOff();
  return board.turns.at(-1)!.heap.peakBytes;
}

/** Puts, reads and lists in turn, each as large as it can be; a list goes on where the last answer ended. */
export function questionAt(id: number, last: KeepAnswer | undefined): KeepRequest {
  const blocks = Array.from({ length: keepingLimits.blocksMax }, (_, j) => blockAt(2000 + 4 * id + j));
  if (id % 3 === 0) return { kind: "put", id, blocks };
  const read = { series: seriesOf(id), from: 0, to: keepingLimits.numberMax, cursor: 0 };
  if (id % 3 === 1) return { kind: "read", id, ...read };
  return { kind: "list", id, cursor: (last?.kind === "held" && last.next) || 0 };
}

async function keepingBoard(parts: ScenarioParts, program: Program, over: Partial<BoardConfig> = {}) {
  const { flash, full } = filledRing(parts);
  const leader = wholePackets();
  const here = new SimulatedSurroundings(leader, flash, 0, over, full);
  const board = new MeasuredBoard(parts.firmware, here, parts.memory);
  await board.run(1060);
  leader.put("program/north-1", programBytes(program));
  await board.run(3000);
  if (over.hosts !== undefined) {
    leader.change("promote");
    await board.run(5000);
    if (leader.connected.length < over.hosts.length) throw new Error("A voter has a link to each host.");
  }
  /** Gives its turn, if nothing else was in it. */
  const ask = async (request: KeepRequest): Promise<Turn[]> => {
    await board.run(930);
    const before = leader.kept.length;
    leader.sendPayload("keep", encodeCbor(keepRequestToWire(request)));
    const turns = await board.run(60);
    const answer = leader.kept.at(-1);
    if (leader.kept.length !== before + 1 || answer?.id !== request.id || answer.kind === "refused")
      throw new Error(`The board did not answer: ${JSON.stringify(answer)}.`);
    return turns.filter((turn) => turn.kept === 1 && turn.answers + turn.healths + turn.sensorReads === 0);
  };
  return { board, ask };
}

/** Written by the same firmware in Node, which is quicker: a board that has joined once, and its ring, gone round once. */
export function filledRing({ flashBytes, sectorBytes }: ScenarioParts) {
  const board = new SimulatedBoard(wholePackets(), FlashModel.blank(flashBytes / sectorBytes, sectorBytes));
  board.run(500);
  const { memberId } = board.board.board!;
  const full = FlashModel.blank(ringSectors, sectorBytes);
  const keeper = openKeeper(full, { memberId, drawName: () => 77 });
  for (let i = 1; keeper.state.oldest < 2; i += 4) {
    const blocks = [i, i + 1, i + 2, i + 3].map(blockAt);
    keeper.answer({ kind: "put", id: i, blocks });
  }
  return { flash: board.flash.reboot(), full: full.reboot() };
}

function blockAt(number: number): KeptBlock {
  const firstMs = 1_790_000_000_000 + number * 60_000;
  const bytes = new Uint8Array(blockBytes).map((_, i) => (number * 31 + i * 7) & 0xff);
  return { series: seriesOf(number), number, firstMs, lastMs: firstMs + 59_000, bytes };
}
