import { expect, test } from "vitest";
import { BlockQueue } from "../../../firmware/sensing/block-queue.ts";
import { ReadingQueue } from "../../../firmware/sensing/reading-queue.ts";
import { Sensing } from "../../../firmware/sensing/sensing.ts";
import type { Pipeline, Program } from "../../../protocols/pipeline/program.ts";
import { decodeBlock } from "../../../protocols/series/decoder.ts";

const pipeline: Pipeline = {
  metric: "a",
  sensor: "s",
  everyMs: 1_000,
  stages: [],
  batch: { everyMs: 60_000, within: 0 },
};
const rule = {
  metric: "a",
  when: "above",
  threshold: 50,
  hysteresis: 0,
  forMs: 0,
  output: "fan",
  value: 1,
} as const;
const fan = { name: "fan", kind: "digital", pin: 4, safeValue: 0, setting: undefined } as const;
const program: Program = { pipelines: [pipeline], outputs: [fan], rules: [rule] };

function board(read: () => number, blocksMax = 16) {
  const queue = new ReadingQueue(64);
  const blocks = new BlockQueue(blocksMax);
  const sensing = new Sensing({
    board: "north-1",
    sensors: { read },
    actuators: { configure: () => {}, write: () => {}, release: () => {} },
    settings: new Map(),
    queue,
    blocks,
    wallMs: () => Number.NaN,
    onOutputRefused: () => {},
    onModelRefused: () => {},
  });
  const run = (untilMs: number) => {
    while (sensing.dueMs <= untilMs) sensing.run(sensing.dueMs);
  };
  return { queue, blocks, sensing, run };
}

function unpacked(blocks: BlockQueue): [number, number][] {
  const readings: [number, number][] = [];
  for (const block of blocks.peek(blocks.length))
    decodeBlock(block, (atMs, value) => readings.push([atMs, value]));
  return readings;
}

test("a block goes when its first reading has waited for long enough, with every reading since", () => {
  let value = 20;
  const { blocks, queue, sensing, run } = board(() => value++);
  sensing.load(program, 0);
  run(59_999);
  expect(blocks.length).toBe(0);
  run(60_000);
  expect(blocks.length).toBe(1);
  expect(queue.length).toBe(0);
  expect(unpacked(blocks)).toEqual(Array.from({ length: 60 }, (_, i) => [i * 1_000, 20 + i]));
});

test("a rule sees each reading at once", () => {
  let value = 20;
  const { sensing, run } = board(() => value);
  sensing.load(program, 0);
  run(5_000);
  value = 60;
  run(6_000);
  expect(sensing.outputs()).toEqual([{ name: "fan", value: 1, cause: "rule" }]);
});

test("what is not good is reported by itself", () => {
  let value = 20;
  const { blocks, queue, sensing, run } = board(() => value);
  sensing.load(program, 0);
  run(1_000);
  value = Number.NaN;
  run(2_000);
  value = 21;
  sensing.run(9_500);
  expect(queue.peek(9).map(({ takenMs, quality }) => [takenMs, quality])).toEqual([
    [2_000, 1],
    [9_500, 4],
  ]);
  sensing.flush();
  expect(unpacked(blocks)).toEqual([
    [0, 20],
    [1_000, 20],
  ]);
});

test("a program that replaces the pipeline loses nothing of its block", () => {
  const { blocks, sensing, run } = board(() => 1.5);
  sensing.load(program, 0);
  run(3_000);
  sensing.load({ ...program, pipelines: [{ ...pipeline, batch: { everyMs: 5_000, within: 1 } }] }, 3_500);
  expect(unpacked(blocks)).toHaveLength(4);
});

test("a program that only reports otherwise leaves what the filters hold, over a restart too", () => {
  let value = 10;
  const averaged: Pipeline = { ...pipeline, stages: [{ op: "average", count: 4 }] };
  const { queue, sensing, run } = board(() => value);
  sensing.load({ ...program, pipelines: [averaged] }, 0);
  run(3_000);
  const parts = sensing.save(3_000);
  value = 50;
  const single = { ...program, pipelines: [{ ...averaged, batch: undefined }] };
  sensing.load(single, 3_500);
  run(4_000);
  expect(queue.peek(9)).toMatchObject([{ takenMs: 4_000, value: 20 }]);

  const again = board(() => 50);
  again.sensing.load(single, 0);
  expect(parts.reduce((sum, part) => sum + again.sensing.restore(part, 0), 0)).toBe(2);
  again.run(0);
  expect(again.queue.peek(9)).toMatchObject([{ takenMs: 0, value: 20 }]);
});

test("the oldest of too many blocks is lost, and its readings are counted", () => {
  let seed = 1;
  const { blocks, sensing, run } = board(() => {
    seed = (seed * 48_271) % 0x7fff_ffff;
    return Math.sin(seed);
  }, 2);
  sensing.load(program, 0);
  run(600_000);
  expect(blocks.length).toBe(2);
  sensing.flush();
  expect(blocks.dropped + unpacked(blocks).length).toBe(601);
});
