import { copyFileSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import {
  Telemetry,
  type TelemetryOptions,
  telemetryLimits,
} from "../../../../host-tools/leader/telemetry/telemetry.ts";
import { temporaryFolder } from "../leader-under-test.ts";

const minuteMs = 60_000;

function open(options: Partial<TelemetryOptions> = {}): Telemetry {
  const telemetry = new Telemetry({
    file: join(temporaryFolder(), "telemetry.sqlite"),
    unitOf: () => "°C",
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  onTestFinished(() => telemetry.close());
  return telemetry;
}

const reading = (atMs: number, changes = {}) => ({
  board: "north-1",
  metric: "temperature",
  atMs,
  value: atMs / 10,
  quality: 0,
  ...changes,
});

test("every reading is found again, in order, by any range, whatever the page size asks for", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ series: fc.nat(3), stepMs: fc.integer({ min: 0, max: 40 }) }), { maxLength: 300 }),
      fc.nat(6_000),
      fc.nat(6_000),
      (steps, fromMs, lengthMs) => {
        const telemetry = open();
        const model: { metric: string; atMs: number }[] = [];
        let nowMs = 1;
        for (const { series, stepMs } of steps) {
          nowMs += stepMs;
          const metric = `metric-${series}`;
          telemetry.add(reading(nowMs, { metric }));
          // No two readings of a series share a millisecond.
          const last = model.findLast((other) => other.metric === metric)?.atMs ?? 0;
          model.push({ metric, atMs: Math.max(nowMs, last + 1) });
        }
        const toMs = fromMs + lengthMs;
        const expected = model.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
        const key = ({ metric, atMs }: { metric: string; atMs: number }) =>
          `${String(atMs).padStart(9)} ${metric}`;
        const found = [...telemetry.pages({ fromMs, toMs })].flat();
        expect(found.map(({ atMs }) => atMs)).toEqual(found.map(({ atMs }) => atMs).sort((a, b) => a - b));
        expect(found.map(key).sort()).toEqual(expected.map(key).sort());
        expect(telemetry.newest({ fromMs, toMs }, 1_000)).toHaveLength(expected.length);
      },
    ),
    { numRuns: 40 },
  );
});

test("pages cover more than one page of a series without gap or repetition", () => {
  const telemetry = open();
  const count = telemetryLimits.pageReadings * 2 + 17;
  for (let i = 1; i <= count; i++) telemetry.add(reading(i));
  for (let i = 1; i <= 10; i++) telemetry.add(reading(i * 900, { metric: "humidity" }));
  const times = [...telemetry.pages({ metric: "temperature" })].flat().map(({ atMs }) => atMs);
  expect(times).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  expect([...telemetry.pages({})].flat()).toHaveLength(count + 10);
});

test("newest gives the last ones, oldest first", () => {
  const telemetry = open();
  for (let i = 1; i <= 50; i++) telemetry.add(reading(i));
  expect(telemetry.newest({}, 3).map(({ atMs }) => atMs)).toEqual([48, 49, 50]);
});

test("a reading is on disk within the time of a batch, without anyone asking", async () => {
  const file = join(temporaryFolder(), "telemetry.sqlite");
  const telemetry = open({ file });
  telemetry.add(reading(1));
  expect(telemetry.stored).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, telemetryLimits.batchMs + 50));
  expect(telemetry.stored).toBe(1);
});

test("what is too old or too many leaves, the rest stays", () => {
  let nowMs = 0;
  const telemetry = open({
    now: () => nowMs,
    retention: { ageMaxMs: 100 * minuteMs, readingsPerSeriesMax: 30 },
  });
  for (let i = 1; i <= 60; i++) telemetry.add(reading(i * minuteMs));
  for (let i = 1; i <= 5; i++) telemetry.add(reading(i * minuteMs, { metric: "humidity" }));
  nowMs = 60 * minuteMs;
  expect(telemetry.sweep()).toBe(30);
  expect(telemetry.newest({ metric: "temperature" }, 100)[0]!.atMs).toBe(31 * minuteMs);
  nowMs = 150 * minuteMs;
  expect(telemetry.sweep()).toBe(19 + 5);
  expect(telemetry.newest({}, 100).map(({ atMs }) => atMs / minuteMs)).toEqual([
    50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60,
  ]);
  expect(telemetry.sweep()).toBe(0);
});

test("counts and times go on after a restart", () => {
  const file = join(temporaryFolder(), "telemetry.sqlite");
  const options = { file, retention: { readingsPerSeriesMax: 10 } };
  const first = open(options);
  for (let i = 1; i <= 10; i++) first.add(reading(i + 1_000_000_000_000));
  first.close();
  const second = open({ ...options, now: () => 1_000_000_000_100 });
  second.add(reading(1_000_000_000_010));
  expect(second.newest({}, 1)[0]!.atMs).toBe(1_000_000_000_011);
  expect(second.sweep()).toBe(1);
});

test("a file damaged in the middle is noticed at opening", () => {
  const folder = temporaryFolder();
  const file = join(folder, "telemetry.sqlite");
  const first = open({ file });
  for (let i = 1; i <= 20_000; i++) first.add(reading(i));
  first.close();
  const handle = openSync(file, "r+");
  for (let at = 4_096; at < statSync(file).size; at += 8_192)
    writeSync(handle, Buffer.alloc(512, 0xa5), 0, 512, at);
  const damagedBytes = readFileSync(file);
  copyFileSync(file, join(folder, "copy"));

  const second = open({ file });

  expect(second.damaged?.keptAs).toMatch(/telemetry\.sqlite\.damaged-2/);
  expect(readFileSync(second.damaged!.keptAs).equals(damagedBytes)).toBe(true);
  expect(second.newest({}, 10)).toEqual([]);
});

test("what is put back is exactly where it was, and what is there already, perhaps moved a little, is not doubled", () => {
  const telemetry = open();
  const block = (fromMs: number, value: (i: number) => number = () => 7) =>
    Array.from({ length: 10 }, (_, i) => reading(fromMs + i * 100, { value: value(i) }));
  const times = () => telemetry.newest({}, 1_000).map(({ atMs }) => atMs);
  // Its neighbours say the same, and are none of it.
  for (const one of [...block(1_000), ...block(3_000)]) telemetry.add(one);
  expect(telemetry.addPast(block(2_000))).toBe(10);
  expect(telemetry.addPast(block(2_000))).toBe(0);
  // As another host placed it.
  expect(telemetry.addPast(block(2_003))).toBe(0);
  // Of another one the values are others.
  expect(telemetry.addPast(block(2_003, (i) => i))).toBe(10);
  expect(times()).toHaveLength(40);
  expect(times().slice(10, 14)).toEqual([2_000, 2_003, 2_100, 2_103]);
  // New readings come after all of these.
  expect(telemetry.addPast([reading(9_000)])).toBe(1);
  telemetry.add(reading(8_000));
  expect(times().at(-1)).toBe(9_001);
  expect(telemetry.addPast([])).toBe(0);
});
