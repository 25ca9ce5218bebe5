/** Models on a board: rows from readings, parts from the state, what is learned over restarts. */
import { crc32 } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { BlockQueue } from "../../../../firmware/sensing/block-queue.ts";
import { ModelRun } from "../../../../firmware/sensing/learning/model-run.ts";
import { ReadingQueue } from "../../../../firmware/sensing/reading-queue.ts";
import { Sensing } from "../../../../firmware/sensing/sensing.ts";
import { train } from "../../../../host-tools/trainer/train.ts";
import { decodeCbor } from "../../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../../protocols/cbor/encode.ts";
import { readModel } from "../../../../protocols/model/codec.ts";
import { modelPartKey } from "../../../../protocols/model/model.ts";
import type { ModelUse, RegressionUse, TrainedUse } from "../../../../protocols/pipeline/model-use.ts";
import type { Pipeline, Program } from "../../../../protocols/pipeline/program.ts";
import { type StateValue, stateLimits } from "../../../../protocols/state/command.ts";

const pipelines: Pipeline[] = ["x", "y"].map((name) => ({
  metric: name,
  sensor: name,
  everyMs: 100,
  stages: [],
}));

/** Class 1 where x + y is above 0. */
const data = (() => {
  const rows = Array.from({ length: 400 }, (_, i) =>
    Float64Array.of(((i * 37) % 41) - 20, ((i * 53) % 43) - 21),
  );
  return {
    features: ["x", "y"],
    classes: ["no", "yes"],
    rows,
    labels: rows.map(([x, y]) => (x! + y! > 0 ? 1 : 0)),
  };
})();
const forest = train(data, { kind: "forest", seed: 1, trees: 20, depth: 8 });
const spaces = train(data, { kind: "half-spaces", seed: 1, trees: 5, depth: 4, window: 50 });

function useOf(bytes: Uint8Array, more: Partial<TrainedUse> = {}): TrainedUse {
  return {
    kind: "trained",
    metric: "class",
    features: ["x", "y"],
    waits: 3,
    name: "it",
    bytes: bytes.length,
    crc: crc32(bytes),
    ofClass: undefined,
    learns: false,
    ...more,
  };
}

const regression: RegressionUse = {
  kind: "regression",
  metric: "beyond",
  features: ["x"],
  waits: 3,
  target: "y",
  memory: 1000,
  gives: "residual",
};

let settings: Map<string, StateValue>;
let refused: string[];
let queue: ReadingQueue;
let sensing: Sensing;
let values: Record<string, number>;
let pins: string[];

function boot(): void {
  refused = [];
  pins = [];
  queue = new ReadingQueue(2_000);
  sensing = new Sensing({
    board: "north-1",
    sensors: { read: (name) => values[name]! },
    actuators: {
      configure: () => {},
      write: (name, value) => void pins.push(`${name} ${value}`),
      release: () => {},
    },
    settings,
    queue,
    blocks: new BlockQueue(4),
    wallMs: () => Number.NaN,
    onOutputRefused: () => {},
    onModelRefused: (metric, reason) => void refused.push(`${metric}: ${reason}`),
  });
}

beforeEach(() => {
  settings = new Map();
  values = { x: 1, y: 1 };
  boot();
});

function put(bytes: Uint8Array, parts = Infinity): void {
  const { valueBytesMax } = stateLimits;
  for (let part = 0; part * valueBytesMax < bytes.length && part < parts; part++) {
    const key = modelPartKey("it", crc32(bytes), part);
    settings.set(key, bytes.slice(part * valueBytesMax, (part + 1) * valueBytesMax));
  }
}

function program(...models: ModelUse[]): Program {
  return { pipelines, models, outputs: [], rules: [] };
}

let nowMs = 0;
/** Loads at 0, or goes on; runs what falls due in the next `forMs`. */
function run(forMs: number): void {
  const endMs = nowMs + forMs;
  while (sensing.dueMs <= endMs) sensing.run(sensing.dueMs);
  nowMs = endMs;
}

function load(next: Program): void {
  nowMs = 0;
  sensing.load(next, 0);
}

const told = (metric: string) =>
  queue
    .peek(2_000)
    .filter((reading) => reading.metric === metric)
    .map(({ value }) => value);

describe("a trained model", () => {
  test("is put together from its parts, and decides each row as on a host", () => {
    expect(forest.length).toBeGreaterThan(stateLimits.valueBytesMax);
    put(forest);
    load(program(useOf(forest), useOf(forest, { metric: "share", ofClass: 1 })));
    const model = readModel(forest.slice());
    const expected: [number, number][] = [];
    for (const row of data.rows.slice(0, 100)) {
      [values.x, values.y] = [row[0]!, row[1]!];
      run(100);
      expected.push([model.decide(row), model.score(1)]);
    }
    // The sample at the very end of each hundredth is of the next row's time.
    expect(told("class").slice(1)).toEqual(expected.map(([decided]) => decided));
    expect(told("share").slice(1)).toEqual(expected.map(([, share]) => share));
    expect(refused).toEqual([]);
  });

  test("whose last part is missing is refused, and at work once that has come", () => {
    put(forest, 1);
    load(program(useOf(forest)));
    run(500);
    expect(refused).toEqual(["class: part 1 is missing"]);
    expect(told("class")).toEqual([]);
    put(forest);
    sensing.onSetting(modelPartKey("it", crc32(forest), 1), new Uint8Array(1), 500);
    run(500);
    expect(told("class").length).toBeGreaterThan(3);
  });

  test.each<[string, (bytes: Uint8Array) => Partial<TrainedUse>, RegExp]>([
    ["another's bytes", (bytes) => ({ crc: crc32(bytes) }), /not those that the program means/],
    ["features that it has not", () => ({ features: ["x"], waits: 1 }), /takes 2 features, not 1/],
    ["a class that it has not", () => ({ ofClass: 2 }), /has no class 2/],
    ["learning, of a kind that cannot", () => ({ learns: true }), /only half-spaces learn/],
  ])("with %s is refused", (what, change, reason) => {
    put(forest);
    if (what.startsWith("another")) {
      const key = modelPartKey("it", crc32(forest), 0);
      settings.set(
        key,
        (settings.get(key) as Uint8Array).map((byte, i) => (i === 400 ? byte ^ 1 : byte)),
      );
    }
    load(program(useOf(forest, change(forest))));
    run(0);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatch(reason);
  });

  test("of bytes that are none is refused, and the board runs", () => {
    const nonsense = new Uint8Array(30).fill(7);
    put(nonsense);
    load(program(useOf(nonsense)));
    run(300);
    expect(refused).toHaveLength(1);
    expect(told("x").length).toBeGreaterThan(2);
  });

  test("drives rules", () => {
    put(forest);
    const lamp = { name: "lamp", kind: "digital", pin: 5, safeValue: 0, setting: undefined } as const;
    const rule = {
      metric: "class",
      when: "above",
      threshold: 0.5,
      hysteresis: 0,
      forMs: 0,
      output: "lamp",
      value: 1,
    } as const;
    [values.x, values.y] = [-15, -15];
    load({ ...program(useOf(forest)), outputs: [lamp], rules: [rule] });
    run(300);
    expect(pins.at(-1)).not.toBe("lamp 1");
    [values.x, values.y] = [15, 15];
    run(300);
    expect(pins.at(-1)).toBe("lamp 1");
  });
});

describe("a row", () => {
  test("waits for what is to be waited for, with the latest of the rest", () => {
    put(forest);
    const [fast, slow] = [pipelines[0]!, { ...pipelines[1]!, everyMs: 300 }];
    load({ ...program(useOf(forest), useOf(forest, { metric: "held", waits: 1 })), pipelines: [fast, slow] });
    run(650);
    expect(told("x")).toHaveLength(7);
    expect(told("y")).toHaveLength(3);
    expect(told("class")).toHaveLength(3);
    // The first x comes before the first y, and makes a row with it.
    expect(told("held")).toHaveLength(7);
  });

  test("is none while a sensor gives nothing", () => {
    put(forest);
    load(program(useOf(forest)));
    run(250);
    const before = told("class").length;
    values.y = Number.NaN;
    run(500);
    expect(told("class")).toHaveLength(before);
    values.y = 3;
    run(250);
    expect(told("class").length).toBeGreaterThan(before);
  });

  test("with a value that came late is marked late", () => {
    put(forest);
    load(program(useOf(forest)));
    sensing.run(0);
    sensing.run(450);
    const readings = queue.peek(99).filter(({ metric }) => metric === "class");
    expect(readings.map(({ quality }) => quality)).toEqual([0, 4]);
  });
});

describe("what is learned", () => {
  /** Saved as a checkpoint saves it, and given to a board that starts. */
  function restart(next: Program): number {
    const parts = sensing.save(nowMs);
    boot();
    load(next);
    return parts.reduce((sum, part) => sum + sensing.restore(part, 0), 0);
  }

  test("by half-spaces goes on after a restart as if there had been none", () => {
    const use = useOf(spaces, { learns: true });
    const made = () => new ModelRun(use, readModel(spaces.slice()));
    const scores = (run: ModelRun, from: number, to: number) => {
      const given: number[] = [];
      for (let i = from; i < to; i++) {
        run.take("x", i, ((i * 37) % 41) - 20, 0);
        if (run.take("y", i, ((i * i) % 43) - 21, 0)) given.push(run.value);
      }
      return given;
    };
    const whole = scores(made(), 0, 300);
    const before = made();
    const first = scores(before, 0, 170);
    const after = made();
    expect(after.restore(decodeCbor(encodeCbor(before.save(170))), 0)).toBe(true);
    expect([...first, ...scores(after, 170, 300)]).toEqual(whole);
    expect(new Set(whole).size).toBeGreaterThan(5);
  });

  test("what was usual before is unusual after a window of something else", () => {
    put(spaces);
    load(program(useOf(spaces, { metric: "odd", learns: true })));
    [values.x, values.y] = [3, 3];
    run(100);
    const atFirst = told("odd").at(-1)!;
    [values.x, values.y] = [-19, 20];
    run(10_500);
    [values.x, values.y] = [3, 3];
    run(100);
    expect(told("odd").at(-1)!).toBeGreaterThan(atFirst);
  });

  test("by a regression: a line, told after three rows, and what is off it", () => {
    load(program(regression));
    for (let i = 0; i < 50; i++) {
      values.x = (i * 7) % 11;
      values.y = 3 * values.x - 5;
      run(100);
    }
    expect(Math.abs(told("beyond").at(-1)!)).toBeLessThan(1e-3);
    values.y = 3 * values.x! - 5 + 40;
    run(100);
    expect(told("beyond").at(-1)!).toBeCloseTo(40, 2);
    const again = restart(program(regression));
    expect(again).toBe(3);
    values.x = 100;
    values.y = 295;
    run(100);
    // One row off the line moved it little.
    expect(Math.abs(told("beyond").at(-1)!)).toBeLessThan(40);
  });

  test("outlives a restart while a sensor gives nothing", () => {
    load(program(regression));
    for (let i = 0; i < 30; i++) {
      values = { x: i % 5, y: 2 * (i % 5) };
      run(100);
    }
    values.y = Number.NaN;
    run(300);
    expect(restart(program(regression))).toBe(3);
    values = { x: 3, y: 6 };
    run(300);
    expect(Math.abs(told("beyond").at(-1)!)).toBeLessThan(1e-2);
  });

  test("goes on undisturbed when a new program has the same model", () => {
    load(program(regression));
    for (let i = 0; i < 20; i++) {
      values = { x: i % 5, y: 2 * (i % 5) };
      run(100);
    }
    sensing.load(
      { ...program(regression), pipelines: [...pipelines, { ...pipelines[0]!, metric: "z" }] },
      nowMs,
    );
    run(100);
    expect(Math.abs(told("beyond").at(-1)!)).toBeLessThan(1e-2);
  });

  test("a checkpoint of something else is left alone", () => {
    load(program(regression));
    run(500);
    const parts = sensing.save(nowMs);
    boot();
    load(program({ ...regression, memory: 500 }));
    expect(parts.reduce((sum, part) => sum + sensing.restore(part, 0), 0)).toBe(2);
  });
});
