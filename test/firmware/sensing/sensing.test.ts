import { beforeEach, describe, expect, test } from "vitest";
import { BlockQueue } from "../../../firmware/sensing/block-queue.ts";
import { ReadingQueue } from "../../../firmware/sensing/reading-queue.ts";
import { Sensing } from "../../../firmware/sensing/sensing.ts";
import type { Output, Pipeline, Program } from "../../../protocols/pipeline/program.ts";
import type { StateValue } from "../../../protocols/state/command.ts";

const pipeline: Pipeline = { metric: "a", sensor: "s", everyMs: 100, stages: [] };
const fan: Output = { name: "fan", kind: "pwm", pin: 4, safeValue: 10, setting: "fan.duty" };
const lamp: Output = { name: "lamp", kind: "digital", pin: 5, safeValue: 1, setting: "lamp.on" };
const nothing: Program = { pipelines: [], outputs: [], rules: [] };

let settings: Map<string, StateValue>;
let sensor: number;
let reads: string[];
let pins: string[];
let queue: ReadingQueue;
let sensing: Sensing;
/** Unix milliseconds at 0 of the board's clock; NaN while it does not know the time. */
let epochMs: number;

beforeEach(() => {
  settings = new Map();
  sensor = 1;
  reads = [];
  pins = [];
  queue = new ReadingQueue(100);
  epochMs = Number.NaN;
  sensing = new Sensing({
    board: "north-1",
    sensors: {
      startRound: () => void reads.push("round"),
      read: (name) => {
        reads.push(name);
        return sensor;
      },
    },
    actuators: {
      configure: ({ name, safeValue }) => void pins.push(`configure ${name} ${safeValue}`),
      write: (name, value) => void pins.push(`write ${name} ${value}`),
      release: (name) => void pins.push(`release ${name}`),
    },
    settings,
    queue,
    blocks: new BlockQueue(4),
    wallMs: (nowMs) => epochMs + nowMs,
    onOutputRefused: () => {},
    onModelRefused: () => {},
  });
});

/** Runs all that falls due up to `untilMs`, each at its own time. */
function run(untilMs: number): void {
  while (sensing.dueMs <= untilMs) sensing.run(sensing.dueMs);
}

describe("sampling", () => {
  test("keeps to its grid, and makes up for nothing that it missed", () => {
    sensing.load({ ...nothing, pipelines: [pipeline] }, 1000);
    sensing.run(1000);
    sensing.run(1130);
    sensing.run(1475);
    expect(sensing.dueMs).toBe(1500);
    expect(queue.peek(9).map(({ takenMs }) => takenMs)).toEqual([1000, 1130, 1475]);
    expect(sensing.samplesIn).toBe(3);
  });

  test("what is due together is read in one round", () => {
    const others = ["b", "c"].map((name) => ({ ...pipeline, metric: name, sensor: name, everyMs: 200 }));
    sensing.load({ ...nothing, pipelines: [pipeline, ...others] }, 0);
    run(200);
    expect(reads.join(" ")).toBe("round s b c round s round s b c");
  });

  test("a window ends at its time, between samples", () => {
    const mean: Pipeline = { ...pipeline, stages: [{ op: "mean", windowMs: 250 }] };
    sensing.load({ ...nothing, pipelines: [mean] }, 0);
    run(600);
    expect(queue.peek(9).map(({ takenMs }) => takenMs)).toEqual([250, 500]);
  });

  test("stages follow one another: windows of windows, then a deadband", () => {
    const stages = [
      { op: "mean", windowMs: 200 },
      { op: "mean", windowMs: 400 },
      { op: "deadband", delta: 0, silenceMs: 0 },
    ] as const;
    sensing.load({ ...nothing, pipelines: [{ ...pipeline, stages }] }, 0);
    run(1000);
    expect(queue.peek(9)).toMatchObject([{ takenMs: 600, value: 1 }]);
    sensor = 3;
    run(2000);
    expect(queue.peek(9).map(({ value }) => value)).toEqual([1, 1.5, 3]);
  });

  test("a missing value goes past the filters and is said once in ten seconds", () => {
    const stages = [{ op: "median", count: 3 }] as const;
    sensing.load({ ...nothing, pipelines: [{ ...pipeline, stages }] }, 0);
    run(100);
    sensor = NaN;
    run(10_300);
    sensor = 1;
    run(10_400);
    const readings = queue.peek(9);
    expect(readings.map(({ takenMs }) => takenMs)).toEqual([0, 100, 200, 10_200, 10_400]);
    expect(readings.map(({ quality }) => quality)).toEqual([0, 0, 1, 1, 0]);
    expect(readings.at(-1)!.value).toBe(1);
  });
});

describe("samples that are not good", () => {
  const judged = [
    { op: "range", min: 0, max: 50 },
    { op: "stuck", forMs: 300, delta: 0 },
    { op: "average", count: 2 },
  ] as const;
  const taken = () => queue.peek(99).map(({ takenMs, value, quality }) => [takenMs, value, quality]);

  /** Samples `values`, one at each due moment. */
  function sample(...values: number[]): void {
    for (const value of values) {
      sensor = value;
      sensing.run(sensing.dueMs);
    }
  }

  test("are said with what is wrong, reach no later stage, and are forgotten once they are good again", () => {
    sensing.load({ ...nothing, pipelines: [{ ...pipeline, stages: judged }] }, 0);
    sample(1, 2, 99, -99, NaN, Infinity, 3);
    expect(taken()).toEqual([
      [0, 1, 0],
      [100, 1.5, 0],
      [200, 99, 2],
      [400, NaN, 1],
      [600, 2.5, 0],
    ]);
    queue.drop(queue.length);
    sample(4, 4, 4, 4, 4, 4, 5, 99);
    expect(taken()).toEqual([
      [700, 3.5, 0],
      [800, 4, 0],
      [900, 4, 0],
      [1000, 4, 3],
      [1300, 4.5, 0],
      [1400, 99, 2],
    ]);
  });

  test("are said again every ten seconds while they stay so", () => {
    sensing.load({ ...nothing, pipelines: [{ ...pipeline, stages: judged }] }, 0);
    sample(...new Array(205).fill(99));
    expect(taken()).toEqual([
      [0, 99, 2],
      [10_000, 99, 2],
      [20_000, 99, 2],
    ]);
  });

  test("start no rule and end none", () => {
    const hot = {
      metric: "a",
      when: "above",
      threshold: 10,
      hysteresis: 0,
      forMs: 0,
      output: "fan",
      value: 99,
    } as const;
    const pipelines = [{ ...pipeline, stages: judged }];
    sensing.load({ pipelines, outputs: [fan], rules: [hot] }, 0);
    sample(99);
    expect(sensing.outputs()[0]!.cause).toBe("safe");
    sample(20, -1);
    expect(sensing.outputs()[0]!.cause).toBe("rule");
  });

  test("what a calculation makes infinite is out of range", () => {
    const stages = [{ op: "polynomial", coefficients: [0, 0, 1e300] }] as const;
    sensing.load({ ...nothing, pipelines: [{ ...pipeline, stages }] }, 0);
    sample(1e100, 2);
    expect(taken()).toEqual([
      [0, Infinity, 2],
      [100, 4e300, 0],
    ]);
  });
});

describe("a sample that comes late by a period or more", () => {
  const qualities = () => queue.peek(99).map(({ takenMs, quality }) => [takenMs, quality]);

  test("marks what leaves because of it, and itself acts like any other", () => {
    sensing.load({ ...nothing, pipelines: [{ ...pipeline, stages: [{ op: "average", count: 3 }] }] }, 0);
    for (const atMs of [0, 100, 330, 400]) sensing.run(atMs);
    expect(qualities()).toEqual([
      [0, 0],
      [100, 0],
      [330, 4],
      [400, 0],
    ]);
  });

  test("marks its window, and that of its window, across a restart too", () => {
    const stages = [
      { op: "mean", windowMs: 500 },
      { op: "tumbling", by: "count", length: 2, statistic: "max", percent: 0 },
    ] as const;
    const program = { ...nothing, pipelines: [{ ...pipeline, stages }] };
    sensing.load(program, 0);
    for (const atMs of [0, 100, 330]) sensing.run(atMs);
    const saved = sensing.save(330);
    sensing.load(nothing, 330);
    sensing.load(program, 330);
    expect(sensing.restore(saved[0]!, 330)).toBe(1);
    run(2000);
    expect(qualities()).toEqual([
      [1000, 4],
      [2000, 0],
    ]);
  });
});

describe("outputs", () => {
  test("are safe before they follow anything", () => {
    settings.set("fan.duty", 40);
    sensing.load({ ...nothing, outputs: [fan, lamp] }, 0);
    expect(pins).toEqual(["configure fan 10", "configure lamp 1", "write fan 40"]);
    expect(sensing.outputs()).toEqual([
      { name: "fan", value: 40, cause: "setting" },
      { name: "lamp", value: 1, cause: "safe" },
    ]);
  });

  test.each<[string, StateValue | undefined, number]>([
    ["beyond the range", 400, 100],
    ["below it", -5, 0],
    ["that is no number", "fast", 10],
    ["that is NaN", NaN, 10],
    ["that is true", true, 1],
    ["that is gone", undefined, 10],
  ])("a setting %s drives the output within its range, or leaves it safe", (_, setting, driven) => {
    sensing.load({ ...nothing, outputs: [fan] }, 0);
    sensing.onSetting("fan.duty", 50, 0);
    sensing.onSetting("fan.duty", setting, 0);
    expect(sensing.outputs()[0]!.value).toBe(driven);
  });

  test("a digital one is 0 or 1, whatever its setting", () => {
    sensing.load({ ...nothing, outputs: [lamp] }, 0);
    const values = [false, true, 0, 0.4, 0.5, 7].map((setting) => {
      sensing.onSetting("lamp.on", setting, 0);
      return sensing.outputs()[0]!.value;
    });
    expect(values).toEqual([0, 1, 0, 0, 1, 1]);
  });

  test("a rule that waits has the board run when its wait is over, whatever began it", () => {
    const rule = { metric: "a", when: "above", threshold: "limit", hysteresis: 0, forMs: 300 } as const;
    const program = {
      pipelines: [{ ...pipeline, everyMs: 10_000 }],
      outputs: [fan],
      rules: [{ ...rule, output: "fan", value: 90 }],
    };
    settings.set("limit", 5);
    sensing.load(program, 0);
    sensing.run(0);
    expect(sensing.dueMs).toBe(10_000);
    // A setting, with others that are still to come.
    settings.set("limit", 0.5);
    sensing.onSetting("limit", 0.5, 100, true);
    expect(sensing.dueMs).toBe(400);
    // What was saved of it.
    const parts = sensing.save(200);
    sensing.load(nothing, 200);
    expect(sensing.dueMs).toBe(Infinity);
    sensing.load(program, 5000);
    sensing.run(5000);
    for (const part of parts) sensing.restore(part, 6000);
    expect(sensing.dueMs).toBe(6200);
    run(6200);
    expect(sensing.outputs()[0]).toEqual({ name: "fan", value: 90, cause: "rule" });
    expect(sensing.dueMs).toBe(15_000);
  });

  test("of two active rules the first in the program decides", () => {
    const rule = {
      metric: "a",
      when: "above",
      threshold: 0,
      hysteresis: 0,
      forMs: 0,
      output: "fan",
    } as const;
    const rules = [
      { ...rule, threshold: 5, value: 90 },
      { ...rule, value: 30 },
    ];
    sensing.load({ pipelines: [pipeline], outputs: [fan], rules }, 0);
    run(0);
    expect(sensing.outputs()[0]).toEqual({ name: "fan", value: 30, cause: "rule" });
    sensor = 6;
    run(100);
    expect(sensing.outputs()[0]).toEqual({ name: "fan", value: 90, cause: "rule" });
  });

  test("are written only when they change", () => {
    sensing.load({ pipelines: [pipeline], outputs: [fan], rules: [] }, 0);
    const changes = sensing.outputChanges;
    run(5000);
    expect(pins).toEqual(["configure fan 10"]);
    expect(sensing.outputChanges).toBe(changes);
  });
});

describe("a new program", () => {
  const median: Pipeline = { ...pipeline, stages: [{ op: "median", count: 3 }] };

  test("keeps the filters of a pipeline that is still the same, and its grid", () => {
    sensing.load({ ...nothing, pipelines: [median] }, 0);
    run(100);
    sensor = 9;
    sensing.load({ ...nothing, pipelines: [{ ...pipeline, metric: "b" }, structuredClone(median)] }, 150);
    run(200);
    const kept = queue.peek(9).filter(({ metric }) => metric === "a");
    expect(kept.map(({ takenMs, value }) => [takenMs, value])).toEqual([
      [0, 1],
      [100, 1],
      [200, 1],
    ]);
  });

  test("starts a pipeline that has changed anew", () => {
    sensing.load({ ...nothing, pipelines: [median] }, 0);
    run(100);
    sensor = 9;
    sensing.load({ ...nothing, pipelines: [{ ...median, stages: [{ op: "median", count: 5 }] }] }, 150);
    run(150);
    expect(queue.peek(9).at(-1)).toMatchObject({ takenMs: 150, value: 9 });
  });

  test("leaves an output alone that is still the same, gives back one that is not, and then takes its pin", () => {
    sensing.load({ ...nothing, outputs: [fan, lamp] }, 0);
    sensing.onSetting("fan.duty", 60, 0);
    pins.length = 0;
    sensing.load({ ...nothing, outputs: [{ ...lamp, name: "light" }, structuredClone(fan)] }, 0);
    expect(pins).toEqual(["release lamp", "configure light 1", "write fan 10"]);
  });
});
