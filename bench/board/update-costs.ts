/** An update beside a board's work: what each chunk costs, and how much heap it takes meanwhile. */
import type { BoardConfig } from "../../firmware/platform/ports.ts";
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import type { Program } from "../../protocols/pipeline/program.ts";
import { wantFromWire } from "../../protocols/update/messages.ts";
import { releaseKeyPrefix } from "../../protocols/update/release.ts";
import { programBytes, SimulatedSurroundings, threeHosts } from "../../test/firmware/board/surroundings.ts";
import { FlashModel } from "../../test/firmware/storage/flash-model.ts";
import { ChipModel, imageOf } from "../../test/firmware/update/chip-model.ts";
import { hostWith, publish } from "../../test/firmware/update/updating.ts";
import { MeasuredBoard } from "./measured-board.ts";
import { type Scenario, type ScenarioParts, wholePackets } from "./scenarios.ts";

/** The most that the heap ever was, with an update beside the program. */
export interface UpdateHeap {
  readonly learnerPeakBytes: number;
  /** With a session with each of three hosts. */
  readonly voterPeakBytes: number;
}

/** Chunks as they come, each alone in its turn: opened, checked, written; one in four erases a sector before. */
export async function updating(parts: ScenarioParts, program: Program): Promise<Scenario[]> {
  const { board } = await updated(parts, program);
  await board.powerOff();
  const chunks = board.turns.filter(
    ({ slotWrites, answers, healths }) => slotWrites === 1 && answers + healths === 0,
  );
  return [{ name: "one update chunk", turns: chunks }];
}

export async function measureUpdate(parts: ScenarioParts, program: Program): Promise<UpdateHeap> {
  const peaks: number[] = [];
  for (const hosts of [undefined, threeHosts]) {
    const { board } = await updated(parts, program, hosts && { hosts });
    await board.powerOff();
    peaks.push(board.turns.at(-1)!.heap.peakBytes);
  }
  return { learnerPeakBytes: peaks[0]!, voterPeakBytes: peaks[1]! };
}

/** A board that has fetched all of a small image; a voter, if it has several hosts. */
async function updated(parts: ScenarioParts, program: Program, over: Partial<BoardConfig> = {}) {
  const { flashBytes, sectorBytes } = parts;
  const leader = wholePackets();
  const release = publish(imageOf("next", "good", kilobytes), 1);
  const host = hostWith(release);
  leader.onWant = (payload) => host(wantFromWire(decodeCbor(payload)), 0);
  const here = new SimulatedSurroundings(
    leader,
    FlashModel.blank(flashBytes / sectorBytes, sectorBytes),
    0,
    over,
  );
  const chip = ChipModel.flashed(imageOf("old", "good", 8), slotSectors);
  Object.assign(here, { world: { ...here.world, keyValue: chip, update: chip.start().slot } });
  const board = new MeasuredBoard(parts.firmware, here, parts.memory);
  await board.run(1060);
  leader.put("program/north-1", programBytes(program));
  await board.run(3000);
  if (over.hosts !== undefined) {
    leader.change("promote");
    await board.run(5000);
  }
  leader.put(`${releaseKeyPrefix}${here.config.model}`, release.signed);
  await board.run(8000);
  const told = leader.healths.at(-1)?.firmware;
  if (told?.stage !== "ready")
    throw new Error(`The board has not fetched its update: ${JSON.stringify(told)}.`);
  return { board };
}

const kilobytes = 80;
const slotSectors = 24;
