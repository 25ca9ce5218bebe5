/**
 * What each operator of pipelines takes a sample, on the chip's instruction set: the mean over a thousand samples of a wave with steps, a
 * second apart, once what it holds is full. Work alone: nothing is ever collected, and every byte that is allocated shows.
 */
import { fileURLToPath } from "node:url";
import { joinCore } from "../../host-tools/bundler/bundle.ts";
import { constDeclarations } from "../../host-tools/bundler/const-declarations.ts";
import { encodeCbor } from "../../host-tools/codec/cbor.ts";
import { buildXsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../host-tools/simulator/xs-host/bytecode.ts";
import { XsProcess } from "../../host-tools/simulator/xs-host/process.ts";
import { buildRv32Host } from "../../host-tools/simulator/xs-host/rv32.ts";
import type { JoinedUse } from "../../protocols/pipeline/joined-use.ts";
import { modelUseToWire } from "../../protocols/pipeline/model-use.ts";
import type { Stage } from "../../protocols/pipeline/stage.ts";
import { stageToWire } from "../../protocols/pipeline/stage-codec.ts";
import { ampleMemory } from "./memory.ts";
import type { StepCost } from "./session-costs.ts";

const coefficients = new Array(16).fill(1 / 16);

/** Each operator with what is usual for it, by the name that the table has. */
export const measuredStages: readonly (readonly [name: string, stage: Stage])[] = [
  ["calibrate, a line", { op: "polynomial", coefficients: [1, 2] }],
  ["calibrate, 8 points", { op: "table", xs: [-9, -6, -3, 0, 3, 6, 9, 12], ys: [1, 2, 3, 4, 5, 6, 7, 8] }],
  ["clamp", { op: "clamp", min: -5, max: 5 }],
  ["range", { op: "range", min: -5, max: 5 }],
  ["stuck", { op: "stuck", forMs: 60_000, delta: 0 }],
  ["median of 5", { op: "median", count: 5 }],
  ["median of 31", { op: "median", count: 31 }],
  ["hampel of 7", { op: "hampel", count: 7, threshold: 3 }],
  ["average of 16", { op: "average", count: 16 }],
  ["ewma", { op: "ewma", alpha: 0.1 }],
  ["fir of 16", { op: "fir", coefficients }],
  ["biquad", { op: "biquad", b0: 0.0675, b1: 0.1349, b2: 0.0675, a1: -1.143, a2: 0.4128 }],
  ["derivative", { op: "derivative" }],
  ["hysteresis", { op: "hysteresis", low: -2, high: 2 }],
  ["cusum", { op: "cusum", drift: 1, threshold: 8, learn: 30, reference: 0 }],
  ["anomaly", { op: "anomaly", periodMs: 86_400_000 }],
  ["kalman of a level", { op: "kalman", model: "level", noise: 1, drift: 0.1, gives: "value" }],
  ["kalman of a trend", { op: "kalman", model: "trend", noise: 1, drift: 0.1, gives: "value" }],
  ["integral, Wh of each hour", { op: "integral", per: "h", everyMs: 3_600_000, gapMs: 10_000 }],
  ["goertzel of 100", { op: "goertzel", count: 100, bin: 20, everyMs: 1000 }],
  ["spectrum of 128: a band", spectrum("rms")],
  ["spectrum of 128: frequency", spectrum("frequency")],
  ["debounce", { op: "debounce", forMs: 3000 }],
  ["throttle", { op: "throttle", everyMs: 10_000 }],
  ["heartbeat", { op: "heartbeat", everyMs: 60_000 }],
  ["deadband", { op: "deadband", delta: 1, silenceMs: 60_000 }],
  ["mean of a minute", { op: "mean", windowMs: 60_000 }],
  ["window of a minute: variance", tumbling("variance")],
  ["window of a minute: slope", tumbling("slope")],
  ["window of a minute: p95", tumbling("percentile")],
  ["session above 0: duration", { op: "session", gapMs: 3000, above: 0, statistic: "duration", percent: 0 }],
  ["last 20, every 10: mean", sliding("mean", 10)],
  ["last 20, every 1: mean", sliding("mean", 1)],
  ["last 20, every 1: p95", sliding("percentile", 1)],
];

/** Packing into blocks, with its bound and what the samples are multiplied by. */
const measuredBatches: readonly (readonly [name: string, within: number, factor: number])[] = [
  ["report in blocks, exact decimals", 0, 1],
  ["report in blocks, exact doubles", 0, Math.PI],
  ["report in blocks, within 0.05", 0.05, Math.PI],
];

const two = { metric: "it", features: ["a", "b"], waits: 3, withinMs: 1000 } as const;

/** What is made of two metrics, a row a sample. */
const measuredUses: readonly (readonly [name: string, use: JoinedUse])[] = [
  ["join: difference", { ...two, kind: "join", operation: "difference" }],
  ["join: dew-point", { ...two, kind: "join", operation: "dew-point" }],
  ["join: heat-index", { ...two, kind: "join", operation: "heat-index" }],
  ["correlation of 60, every 10", { ...two, kind: "correlation", rows: 60, every: 10 }],
  [
    "group, an hour's mean",
    { ...two, kind: "group", waits: 1, group: 1, lengthMs: 3_600_000, statistic: "mean", percent: 0 },
  ],
];

/** In the order of the table. */
export const measuredNames: readonly string[] = [
  ...measuredStages.map(([name]) => name),
  ...measuredUses.map(([name]) => name),
  ...measuredBatches.map(([name]) => name),
];

const main = `
  import { BatchRun, decodeCbor, filterFor, ModelRun, modelUseFromWire, stageFromWire } from "core";
  class Joining {
    constructor(wire) {
      this.dueMs = Infinity;
      this.run = new ModelRun(modelUseFromWire(wire, "it", [{ metric: "a" }, { metric: "b" }], () => true), undefined);
    }
    push(value, atMs) {
      this.run.take("a", atMs, value + 25, 0);
      return this.run.take("b", atMs, 50 - value, 0) ? this.run.value : NaN;
    }
  }
  class Packing {
    constructor(within, factor) {
      this.dueMs = Infinity;
      this.batch = new BatchRun({ everyMs: 1e9, within }, 1000);
      this.factor = factor;
    }
    push(value, atMs) { return this.batch.push(atMs, value * this.factor); }
  }
  const nothing = { dueMs: Infinity, push(value) { return value; } };
  let filter = nothing, atMs = 1e6, left = 0;
  function samples(count) {
    for (let i = 0; i < count; i++) {
      atMs += 1000;
      const step = i % 50;
      const value = step > 40 ? 4 : (step * 7 % 13) - 6 + step / 64;
      if (filter.dueMs <= atMs) left = filter.advance();
      left = filter.push(value, atMs);
    }
  }
  host.turn = (message) => {
    if (message === undefined) return Infinity;
    const bytes = new Uint8Array(message);
    if (bytes.length === 1) samples(1000 * bytes[0]);
    else {
      const [first, second, factor] = decodeCbor(bytes);
      if (first === "batch") filter = new Packing(second, factor);
      else if (first === "use") filter = new Joining(second);
      else filter = filterFor(stageFromWire(decodeCbor(bytes), "it"));
    }
    return Infinity;
  };
`;

/** In the order of `measuredNames`. */
export async function measureOperators(): Promise<StepCost[]> {
  const [desktop, host] = [await buildXsHost(), await buildRv32Host()];
  const entry = fileURLToPath(new URL("operator-core.ts", import.meta.url));
  const source = constDeclarations((await joinCore(entry)).code);
  const board = new XsProcess({
    host,
    core: await compileModule(desktop, "core", source),
    main: await compileModule(desktop, "main", main),
    ...ampleMemory,
    onCall: () => new Uint8Array(0),
  });
  const turn = async (message: Uint8Array) => (await board.turn(1, message)).heap;
  /** A thousand samples, without the turn that they come in. */
  const thousand = async () => {
    await turn(samples(1));
    const before = await turn(samples(0));
    const idle = await turn(samples(0));
    const full = await turn(samples(1));
    return {
      instructions: full.machineInstructions - idle.machineInstructions,
      allocatedBytes: full.usedBytes - idle.usedBytes - (idle.usedBytes - before.usedBytes),
    };
  };
  await board.turn(0);
  const loop = await thousand();
  const costs: StepCost[] = [];
  const given = [
    ...measuredStages.map(([, stage]) => stageToWire(stage)),
    ...measuredUses.map(([, use]) => ["use", modelUseToWire(use, [{ metric: "a" }, { metric: "b" }])]),
    ...measuredBatches.map(([, within, factor]) => ["batch", within, factor]),
  ];
  for (const [i, name] of measuredNames.entries()) {
    await turn(encodeCbor(given[i]!));
    const cost = await thousand();
    costs.push({
      name,
      instructions: Math.round((cost.instructions - loop.instructions) / 1000),
      allocatedBytes: (cost.allocatedBytes - loop.allocatedBytes) / 1000,
    });
  }
  await board.stop();
  return costs;
}

/** A turn's message: so many thousands of samples. */
function samples(thousands: number): Uint8Array {
  return Uint8Array.of(thousands);
}

function tumbling(statistic: "variance" | "slope" | "percentile"): Stage {
  return {
    op: "tumbling",
    by: "time",
    length: 60_000,
    statistic,
    percent: statistic === "percentile" ? 95 : 0,
  };
}

function spectrum(gives: "rms" | "frequency"): Stage {
  const [low, high] = gives === "rms" ? [13, 38] : [1, 64];
  return { op: "spectrum", count: 128, everyMs: 1000, gives, low, high };
}

function sliding(statistic: "mean" | "percentile", hop: number): Stage {
  const percent = statistic === "percentile" ? 95 : 0;
  return { op: "sliding", by: "count", length: 20, hop, samples: 20, statistic, percent };
}
