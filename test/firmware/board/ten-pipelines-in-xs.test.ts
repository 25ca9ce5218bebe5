/** Ten pipelines, heavy ones among them, on a board in the real XS engine for an hour of virtual time, most of which its leader is away. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import type { Reading } from "../../../protocols/messages/board-messages.ts";
import type { Pipeline, Program, Stage } from "../../../protocols/pipeline/program.ts";
import type { MetricBlock } from "../../../protocols/series/block.ts";
import { decodeBlock } from "../../../protocols/series/decoder.ts";
import { BoardInXs, type XsFirmware, xsFirmware } from "./board-in-xs.ts";
import { runHere } from "./here.ts";
import { programBytes, SimulatedSurroundings } from "./surroundings.ts";

const hourMs = 3_600_000;
const connectedMs = 60_000;

const pipeline = (metric: string, everyMs: number, stages: readonly Stage[]): Pipeline => {
  return { metric, sensor: "wave", everyMs, stages };
};
const percentile = { statistic: "percentile", percent: 95 } as const;
const spectrum = { op: "spectrum", count: 128, everyMs: 500 } as const;

const program: Program = {
  pipelines: [
    pipeline("air", 1000, [
      { op: "median", count: 5 },
      { op: "deadband", delta: 1, silenceMs: 60_000 },
    ]),
    pipeline("odd", 1000, [
      { op: "anomaly", periodMs: 86_400_000 },
      { op: "deadband", delta: 0.5, silenceMs: 0 },
    ]),
    pipeline("p95", 1000, [
      { op: "sliding", by: "time", length: 60_000, hop: 10_000, samples: 61, ...percentile },
    ]),
    pipeline("band", 500, [{ ...spectrum, gives: "rms", low: 4, high: 40 }]),
    pipeline("pitch", 500, [{ ...spectrum, gives: "frequency", low: 1, high: 64 }]),
    { ...pipeline("kept", 1000, [{ op: "median", count: 5 }]), batch: { everyMs: 600_000, within: 0.25 } },
    pipeline("trend", 1000, [
      { op: "kalman", model: "trend", noise: 2, drift: 0.1, gives: "slope" },
      { op: "throttle", everyMs: 30_000 },
    ]),
    pipeline("smooth", 1000, [
      { op: "hampel", count: 7, threshold: 3 },
      { op: "fir", coefficients: [0.25, 0.25, 0.25, 0.25] },
      { op: "tumbling", by: "time", length: 20_000, statistic: "variance", percent: 0 },
    ]),
    pipeline("energy", 1000, [{ op: "integral", per: "h", everyMs: 60_000, gapMs: 10_000 }]),
    pipeline("runs", 1000, [{ op: "session", gapMs: 5000, above: 3, statistic: "duration", percent: 0 }]),
  ],
  models: [
    {
      kind: "join",
      metric: "gap",
      features: ["p95", "trend"],
      waits: 1,
      operation: "difference",
      withinMs: 60_000,
    },
    {
      kind: "correlation",
      metric: "r",
      features: ["p95", "smooth"],
      waits: 3,
      rows: 60,
      every: 10,
      withinMs: 60_000,
    },
    {
      kind: "regression",
      metric: "off",
      features: ["smooth"],
      waits: 3,
      target: "p95",
      memory: 100,
      gives: "residual",
    },
  ],
  outputs: [{ name: "fan", kind: "pwm", pin: 4, safeValue: 10, setting: undefined }],
  rules: [
    { metric: "p95", when: "above", threshold: 5, hysteresis: 1, forMs: 30_000, output: "fan", value: 80 },
  ],
};

/** Waves of some minutes and some seconds, with noise that comes again in any run, and now and then nothing. */
function read(_sensor: string, nowMs: number): number {
  const step = Math.floor(nowMs / 500);
  if (step % 997 === 7) return Number.NaN;
  const noise = ((step * 7919) % 101) / 50 - 1;
  const value = 4 * Math.sin(step / 300) + 2 * Math.sin(step / 3) + noise + (step % 1777 === 0 ? 30 : 0);
  return Math.round(100 * value) / 100;
}

describe("ten pipelines for an hour", () => {
  const here = new SimulatedSurroundings();
  const { stackSlots } = loadBoards().get("esp32c3-devkit")!;
  let firmware: XsFirmware;
  let board: BoardInXs;
  let readings: Reading[];
  let blocks: MetricBlock[];
  let awayMs: number;
  let backMs: number;
  let expected: ReturnType<typeof runHere>;

  beforeAll(async () => {
    firmware = await xsFirmware();
    here.sensors.get = (sensor) => read(sensor, here.nowMs);
    board = new BoardInXs(firmware, here, stackSlots);
    await board.run(500);
    here.leader.put("program/north-1", programBytes(program));
    await board.run(connectedMs);
    awayMs = here.nowMs;
    here.leader.setNetwork(false);
    await board.run(hourMs - 2 * connectedMs);
    backMs = here.nowMs;
    here.leader.setNetwork(true);
    await board.run(connectedMs);
    readings = here.leader.reports.flatMap((report) => report.readings);
    blocks = here.leader.reports.flatMap((report) => report.blocks);
    expected = runHere(program, read, readings[0]!.takenMs, here.nowMs);
  }, 300_000);

  afterAll(() => board?.powerOff());

  test("fit into the arena and the stack, and never make the board restart", () => {
    const { peakBytes, stackPeakSlots } = board.figures!;
    if (firmware.host.slotBytes === 16) expect(peakBytes).toBeLessThan(65_536);
    expect(stackPeakSlots).toBeLessThan(stackSlots);
    expect(here.restarts).toEqual([]);
  });

  test("take every sample", () => {
    const health = here.leader.healths.at(-1)!;
    const untilThen = runHere(program, read, readings[0]!.takenMs, health.sentMs);
    expect(health.samplesIn).toBe(untilThen.samplesIn);
    expect(health.samplesIn).toBeGreaterThan(12 * 3500);
  });

  test("give what they give on this computer; of what came while the leader was away, the newest", () => {
    const key = ({ metric, takenMs }: Reading) => `${metric} ${takenMs}`;
    const byKey = new Map(expected.readings.map((reading) => [key(reading), reading]));
    for (const reading of readings) {
      const twin = byKey.get(key(reading));
      expect(twin?.quality).toBe(reading.quality);
      if (Number.isNaN(twin!.value)) expect(reading.value).toBeNaN();
      else expect(reading.value).toBeCloseTo(twin!.value, 6);
    }
    const told = new Set(readings.map(key));
    expect(told.size).toBe(readings.length);
    const lost = expected.readings.filter((each) => each.takenMs < backMs && !told.has(key(each)));
    expect(lost.length).toBe(here.leader.healths.at(-1)!.readingsDropped);
    for (const { takenMs } of lost) expect(takenMs).toBeGreaterThanOrEqual(awayMs - 1000);
    const metrics = new Set(readings.map(({ metric }) => metric));
    expect(metrics.size).toBe(program.pipelines.length + program.models!.length);
  });

  test("lose nothing of what they report in blocks, which are as exact as they promise", () => {
    const unpacked = (some: readonly MetricBlock[]) => {
      const all: [number, number][] = [];
      for (const block of some) decodeBlock(block, (atMs, value) => all.push([atMs, value]));
      return all;
    };
    const found = unpacked(blocks);
    expect(found.length).toBeGreaterThan(3000);
    expect(found).toEqual(unpacked(expected.blocks).slice(0, found.length));
  });

  test("drive their output by the rule, leader or not", () => {
    expect(here.pins.filter((what) => what === "write fan 80").length).toBeGreaterThan(3);
  });
});
