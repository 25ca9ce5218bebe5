/**
 * The operators of pipelines: how each one's parameters travel and within which ranges. Codec, comparison and compiler read this
 * table, so that an operator is one row here, one case in `firmware/sensing/stages/filter.ts` and one class.
 */
import type { SessionStatistic, SpectrumFeature, Stage, Statistic, TimeUnit, WindowBy } from "./stage.ts";

/** One parameter of an operator, by its name in `Stage`. */
export type Parameter = { readonly name: string } & (
  | { readonly kind: "integer" | "odd" | "number"; readonly min: number; readonly max: number }
  /** Finite numbers. */
  | { readonly kind: "numbers"; readonly countMin: number; readonly countMax: number }
  /** Travels as its place in `words`. */
  | { readonly kind: "word"; readonly words: readonly string[] }
);

export interface Operator {
  readonly op: Stage["op"];
  readonly parameters: readonly Parameter[];
}

/** The last value of a duration: where a board's timers end. */
export const durationMaxMs = 0x7fff_ffff;

export const statistics: readonly Statistic[] = Object.freeze([
  "count",
  "mean",
  "min",
  "max",
  "variance",
  "slope",
  "rms",
  "percentile",
] as const);

export const sessionStatistics: readonly SessionStatistic[] = Object.freeze([
  ...statistics,
  "duration",
] as const);

export const timeUnits: readonly TimeUnit[] = Object.freeze(["s", "min", "h"] as const);

const spectrumFeatures: readonly SpectrumFeature[] = Object.freeze(["rms", "frequency", "centroid"] as const);

const windowBy: readonly WindowBy[] = Object.freeze(["time", "count"] as const);

const finiteMax = Number.MAX_VALUE;

// Parameters of several operators.
const oddCount: Parameter = Object.freeze({ name: "count", kind: "odd", min: 3, max: 31 });
const forMs: Parameter = Object.freeze({ name: "forMs", kind: "integer", min: 1, max: durationMaxMs });
const everyMs: Parameter = Object.freeze({ name: "everyMs", kind: "integer", min: 1, max: durationMaxMs });
const gapMs: Parameter = Object.freeze({ name: "gapMs", kind: "integer", min: 1, max: durationMaxMs });
const delta: Parameter = Object.freeze({ name: "delta", kind: "number", min: 0, max: finiteMax });
const threshold: Parameter = Object.freeze({ name: "threshold", kind: "number", min: 0, max: finiteMax });
const min: Parameter = Object.freeze({ name: "min", kind: "number", min: -finiteMax, max: finiteMax });
const max: Parameter = Object.freeze({ name: "max", kind: "number", min: -finiteMax, max: finiteMax });
const by: Parameter = Object.freeze({ name: "by", kind: "word", words: windowBy });
const length: Parameter = Object.freeze({ name: "length", kind: "integer", min: 1, max: durationMaxMs });
const statistic: Parameter = Object.freeze({ name: "statistic", kind: "word", words: statistics });
const percent: Parameter = Object.freeze({ name: "percent", kind: "number", min: 0, max: 100 });

/** An operator's place is its number on the wire. */
export const operators: readonly Operator[] = Object.freeze([
  Object.freeze({ op: "median", parameters: Object.freeze([oddCount]) } as const),
  Object.freeze({
    op: "mean",
    parameters: Object.freeze([
      Object.freeze({ name: "windowMs", kind: "integer", min: 1, max: durationMaxMs }),
    ]),
  } as const),
  Object.freeze({
    op: "deadband",
    parameters: Object.freeze([
      delta,
      Object.freeze({ name: "silenceMs", kind: "integer", min: 0, max: durationMaxMs }),
    ]),
  } as const),
  Object.freeze({
    op: "polynomial",
    parameters: Object.freeze([
      Object.freeze({ name: "coefficients", kind: "numbers", countMin: 1, countMax: 8 }),
    ]),
  } as const),
  Object.freeze({
    op: "table",
    parameters: Object.freeze([
      Object.freeze({ name: "xs", kind: "numbers", countMin: 2, countMax: 16 }),
      Object.freeze({ name: "ys", kind: "numbers", countMin: 2, countMax: 16 }),
    ]),
  } as const),
  Object.freeze({ op: "clamp", parameters: Object.freeze([min, max]) } as const),
  Object.freeze({ op: "range", parameters: Object.freeze([min, max]) } as const),
  Object.freeze({ op: "stuck", parameters: Object.freeze([forMs, delta]) } as const),
  Object.freeze({
    op: "average",
    parameters: Object.freeze([Object.freeze({ name: "count", kind: "integer", min: 2, max: 128 })]),
  } as const),
  Object.freeze({
    op: "ewma",
    parameters: Object.freeze([
      Object.freeze({ name: "alpha", kind: "number", min: Number.MIN_VALUE, max: 1 }),
    ]),
  } as const),
  Object.freeze({
    op: "fir",
    parameters: Object.freeze([
      Object.freeze({ name: "coefficients", kind: "numbers", countMin: 1, countMax: 48 }),
    ]),
  } as const),
  Object.freeze({
    op: "biquad",
    parameters: Object.freeze([
      Object.freeze({ name: "b0", kind: "number", min: -finiteMax, max: finiteMax }),
      Object.freeze({ name: "b1", kind: "number", min: -finiteMax, max: finiteMax }),
      Object.freeze({ name: "b2", kind: "number", min: -finiteMax, max: finiteMax }),
      Object.freeze({ name: "a1", kind: "number", min: -2, max: 2 }),
      Object.freeze({ name: "a2", kind: "number", min: -1, max: 1 }),
    ]),
  } as const),
  Object.freeze({ op: "debounce", parameters: Object.freeze([forMs]) } as const),
  Object.freeze({ op: "throttle", parameters: Object.freeze([everyMs]) } as const),
  Object.freeze({ op: "heartbeat", parameters: Object.freeze([everyMs]) } as const),
  Object.freeze({
    op: "hysteresis",
    parameters: Object.freeze([
      Object.freeze({ name: "low", kind: "number", min: -finiteMax, max: finiteMax }),
      Object.freeze({ name: "high", kind: "number", min: -finiteMax, max: finiteMax }),
    ]),
  } as const),
  Object.freeze({ op: "tumbling", parameters: Object.freeze([by, length, statistic, percent]) } as const),
  Object.freeze({
    op: "sliding",
    parameters: Object.freeze([
      by,
      length,
      Object.freeze({ name: "hop", kind: "integer", min: 1, max: durationMaxMs }),
      Object.freeze({ name: "samples", kind: "integer", min: 1, max: 256 }),
      statistic,
      percent,
    ]),
  } as const),
  Object.freeze({ op: "hampel", parameters: Object.freeze([oddCount, threshold]) } as const),
  Object.freeze({
    op: "cusum",
    parameters: Object.freeze([
      Object.freeze({ name: "drift", kind: "number", min: 0, max: finiteMax }),
      threshold,
      Object.freeze({ name: "learn", kind: "integer", min: 0, max: 65535 }),
      Object.freeze({ name: "reference", kind: "number", min: -finiteMax, max: finiteMax }),
    ]),
  } as const),
  Object.freeze({ op: "derivative", parameters: Object.freeze([]) } as const),
  Object.freeze({
    op: "anomaly",
    parameters: Object.freeze([
      Object.freeze({ name: "periodMs", kind: "integer", min: 60_000, max: durationMaxMs }),
    ]),
  } as const),
  Object.freeze({
    op: "kalman",
    parameters: Object.freeze([
      Object.freeze({ name: "model", kind: "word", words: Object.freeze(["level", "trend"]) }),
      Object.freeze({ name: "noise", kind: "number", min: 1e-9, max: 1e9 }),
      Object.freeze({ name: "drift", kind: "number", min: 0, max: 1e9 }),
      Object.freeze({ name: "gives", kind: "word", words: Object.freeze(["value", "slope"]) }),
    ]),
  } as const),
  Object.freeze({
    op: "integral",
    parameters: Object.freeze([
      Object.freeze({ name: "per", kind: "word", words: timeUnits }),
      Object.freeze({ name: "everyMs", kind: "integer", min: 0, max: durationMaxMs }),
      gapMs,
    ]),
  } as const),
  Object.freeze({
    op: "session",
    parameters: Object.freeze([
      gapMs,
      Object.freeze({ name: "above", kind: "number", min: -finiteMax, max: finiteMax }),
      Object.freeze({ name: "statistic", kind: "word", words: sessionStatistics }),
      percent,
    ]),
  } as const),
  Object.freeze({
    op: "goertzel",
    parameters: Object.freeze([
      Object.freeze({ name: "count", kind: "integer", min: 4, max: 4096 }),
      Object.freeze({ name: "bin", kind: "integer", min: 1, max: 2047 }),
      everyMs,
    ]),
  } as const),
  Object.freeze({
    op: "spectrum",
    parameters: Object.freeze([
      Object.freeze({ name: "count", kind: "integer", min: 16, max: 256 }),
      everyMs,
      Object.freeze({ name: "gives", kind: "word", words: spectrumFeatures }),
      Object.freeze({ name: "low", kind: "integer", min: 1, max: 128 }),
      Object.freeze({ name: "high", kind: "integer", min: 1, max: 128 }),
    ]),
  } as const),
]);

export function operatorOf(op: Stage["op"]): Operator {
  return operators[operatorNumber(op)]!;
}

export function operatorNumber(op: Stage["op"]): number {
  let place = 0;
  while (operators[place]!.op !== op) place++;
  return place;
}

/** What a stage says of a parameter. */
export function parameterOf(stage: Stage, { name }: Parameter): number | string | readonly number[] {
  return (stage as unknown as Readonly<Record<string, number | string | readonly number[]>>)[name]!;
}

/** Whether two stages are of one operator with the same parameters. */
export function isSameStage(a: Stage, b: Stage): boolean {
  if (a.op !== b.op) return false;
  for (const parameter of operatorOf(a.op).parameters) {
    if (!isSameValue(parameterOf(a, parameter), parameterOf(b, parameter))) return false;
  }
  return true;
}

type Value = ReturnType<typeof parameterOf>;

function isSameValue(a: Value, b: Value): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  return a.length === b.length && a.every((each, i) => each === b[i]);
}
