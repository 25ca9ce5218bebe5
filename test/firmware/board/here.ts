/** A program at work on this computer, without a board: what one in XS must give too. */
import { BlockQueue } from "../../../firmware/sensing/block-queue.ts";
import { ReadingQueue } from "../../../firmware/sensing/reading-queue.ts";
import { Sensing } from "../../../firmware/sensing/sensing.ts";
import type { Reading } from "../../../protocols/messages/board-messages.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import type { MetricBlock } from "../../../protocols/series/block.ts";

const ample = 100_000;

/** All readings and blocks from `fromMs` to `untilMs`. */
export function runHere(
  program: Program,
  read: (sensor: string, nowMs: number) => number,
  fromMs: number,
  untilMs: number,
): { readings: readonly Reading[]; blocks: readonly MetricBlock[]; samplesIn: number } {
  const queue = new ReadingQueue(ample);
  const blocks = new BlockQueue(ample);
  let nowMs = fromMs;
  const sensing = new Sensing({
    board: "north-1",
    sensors: { read: (sensor) => read(sensor, nowMs) },
    actuators: { configure: () => {}, write: () => {}, release: () => {} },
    settings: new Map(),
    queue,
    blocks,
    wallMs: () => Number.NaN,
    onOutputRefused: () => {},
    onModelRefused: () => {},
  });
  sensing.load(program, fromMs);
  while (sensing.dueMs <= untilMs) {
    nowMs = sensing.dueMs;
    sensing.run(nowMs);
  }
  return { readings: queue.peek(ample), blocks: blocks.peek(ample), samplesIn: sensing.samplesIn };
}
