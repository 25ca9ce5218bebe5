/** Stages that do something within a few hundred milliseconds: at least one of each operator. */
import type { Stage } from "../../../../protocols/pipeline/stage.ts";

export const exampleStages: readonly Stage[] = [
  { op: "median", count: 5 },
  { op: "mean", windowMs: 70 },
  { op: "deadband", delta: 0.5, silenceMs: 90 },
  { op: "polynomial", coefficients: [-3, 0.5, 0.01] },
  { op: "table", xs: [-5, 0, 8], ys: [100, 0, -3] },
  { op: "clamp", min: -4, max: 6 },
  { op: "range", min: -4, max: 6 },
  { op: "stuck", forMs: 50, delta: 1 },
  { op: "average", count: 4 },
  { op: "ewma", alpha: 0.3 },
  { op: "fir", coefficients: [0.5, 0.25, -0.125] },
  { op: "biquad", b0: 0.0675, b1: 0.1349, b2: 0.0675, a1: -1.143, a2: 0.4128 },
  { op: "debounce", forMs: 30 },
  { op: "throttle", everyMs: 60 },
  { op: "heartbeat", everyMs: 25 },
  { op: "hysteresis", low: -2, high: 3 },
  { op: "tumbling", by: "time", length: 80, statistic: "slope", percent: 0 },
  { op: "tumbling", by: "count", length: 6, statistic: "variance", percent: 0 },
  { op: "tumbling", by: "count", length: 9, statistic: "percentile", percent: 75 },
  { op: "sliding", by: "time", length: 90, hop: 40, samples: 20, statistic: "slope", percent: 0 },
  { op: "sliding", by: "time", length: 90, hop: 40, samples: 3, statistic: "rms", percent: 0 },
  { op: "sliding", by: "count", length: 7, hop: 2, samples: 7, statistic: "percentile", percent: 20 },
  { op: "sliding", by: "count", length: 5, hop: 5, samples: 5, statistic: "slope", percent: 0 },
  { op: "hampel", count: 7, threshold: 1 },
  { op: "cusum", drift: 1, threshold: 6, learn: 4, reference: 0 },
  { op: "cusum", drift: 1, threshold: 6, learn: 0, reference: 2 },
  { op: "derivative" },
  { op: "anomaly", periodMs: 60_000 },
  { op: "kalman", model: "level", noise: 2, drift: 5, gives: "value" },
  { op: "kalman", model: "trend", noise: 2, drift: 5, gives: "value" },
  { op: "kalman", model: "trend", noise: 2, drift: 5, gives: "slope" },
  { op: "integral", per: "s", everyMs: 0, gapMs: 30 },
  { op: "integral", per: "min", everyMs: 70, gapMs: 35 },
  { op: "session", gapMs: 30, above: -Number.MAX_VALUE, statistic: "duration", percent: 0 },
  { op: "session", gapMs: 60, above: 0, statistic: "slope", percent: 0 },
  { op: "session", gapMs: 60, above: 0, statistic: "percentile", percent: 75 },
  { op: "goertzel", count: 8, bin: 2, everyMs: 25 },
  { op: "spectrum", count: 16, everyMs: 25, gives: "rms", low: 2, high: 5 },
  { op: "spectrum", count: 16, everyMs: 25, gives: "centroid", low: 1, high: 8 },
  { op: "spectrum", count: 16, everyMs: 25, gives: "frequency", low: 1, high: 8 },
];

/** The same for samples that come so many times more slowly. */
export function slowed(stage: Stage, times: number): Stage {
  switch (stage.op) {
    case "mean":
      return { ...stage, windowMs: stage.windowMs * times };
    case "deadband":
      return { ...stage, silenceMs: stage.silenceMs * times };
    case "stuck":
    case "debounce":
      return { ...stage, forMs: stage.forMs * times };
    case "throttle":
    case "heartbeat":
    case "goertzel":
    case "spectrum":
      return { ...stage, everyMs: stage.everyMs * times };
    case "integral":
      return { ...stage, everyMs: stage.everyMs * times, gapMs: stage.gapMs * times };
    case "session":
      return { ...stage, gapMs: stage.gapMs * times };
    case "tumbling":
      return stage.by === "time" ? { ...stage, length: stage.length * times } : stage;
    case "sliding":
      return stage.by === "time" ? { ...stage, length: stage.length * times, hop: stage.hop * times } : stage;
    default:
      return stage;
  }
}
