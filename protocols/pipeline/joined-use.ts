/**
 * What a board works out of several metrics by a rule that is known, not learned: readings of two or more joined into one, how far two go
 * together, and statistics of one by the state of another. Rows are gathered as for models (`model-use.ts`).
 *
 * ```
 * use       [metric, [place, ...], waits, 2, operation, withinMs]
 *           [metric, [place, place], waits, 3, rows, every, withinMs]                   a correlation
 *           [metric, [value, category], 1, 4, group, lengthMs, statistic, percent]      of one group
 * ```
 */
import { type ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { durationMaxMs, statistics } from "./operators.ts";
import type { Statistic } from "./stage.ts";

export type JoinedUse = JoinUse | CorrelationUse | GroupUse;

interface Use {
  readonly metric: string;
  readonly features: readonly string[];
  readonly waits: number;
}

/** Values taken at nearly the same time, made one. */
export interface JoinUse extends Use {
  readonly kind: "join";
  readonly operation: JoinOperation;
  /** The oldest value of a row is at most so much older than the newest. */
  readonly withinMs: number;
}

/** Pearson's correlation of two metrics over the last `rows` rows, every so many of them. */
export interface CorrelationUse extends Use {
  readonly kind: "correlation";
  readonly rows: number;
  readonly every: number;
  readonly withinMs: number;
}

/** A statistic of the first feature, of each window of time, from the readings during which the second, rounded, was `group`. */
export interface GroupUse extends Use {
  readonly kind: "group";
  readonly group: number;
  readonly lengthMs: number;
  readonly statistic: Statistic;
  readonly percent: number;
}

export type JoinOperation =
  | "sum"
  | "product"
  | "mean"
  | "min"
  | "max"
  | "difference"
  | "ratio"
  | "dew-point"
  | "absolute-humidity"
  | "vapour-deficit"
  | "heat-index";

/** An operation's place is its number on the wire. */
export const joinOperations: readonly JoinOperation[] = Object.freeze([
  "sum",
  "product",
  "mean",
  "min",
  "max",
  "difference",
  "ratio",
  "dew-point",
  "absolute-humidity",
  "vapour-deficit",
  "heat-index",
] as const);

export const joinedLimits = Object.freeze({
  /** Metrics that are joined. */
  featuresMax: 8,
  rowsMin: 3,
  /** So many fit a record of a checkpoint. */
  rowsMax: 100,
  /** Of a category, from 0. */
  groupMax: 255,
});

/** Whether it takes exactly two values, the order of which counts. */
export function isOfTwo(operation: JoinOperation): boolean {
  return joinOperations.indexOf(operation) > joinOperations.indexOf("max");
}

/** The items behind `waits`. */
export function joinedToWire(use: JoinedUse): CborValue[] {
  switch (use.kind) {
    case "join":
      return [2, joinOperations.indexOf(use.operation), use.withinMs];
    case "correlation":
      return [3, use.rows, use.every, use.withinMs];
    case "group":
      return [4, use.group, use.lengthMs, statistics.indexOf(use.statistic), use.percent];
  }
}

/** Reads the items behind the kind, 2 to 4. Throws `ShapeError`. */
export function joinedFromWire(items: ItemReader, kind: number, use: Use, part: string): JoinedUse {
  const joined =
    kind === 2 ? joinFrom(items, use) : kind === 3 ? correlationFrom(items, use) : groupFrom(items, use);
  items.end();
  const { length } = use.features;
  const { featuresMax } = joinedLimits;
  const isMany = joined.kind === "join" && !isOfTwo(joined.operation);
  if (isMany ? length < 2 || length > featuresMax : length !== 2) {
    const expected = isMany ? `2 to ${featuresMax} metrics` : "two metrics";
    throw new ShapeError("program", `the features of ${part}`, expected, length);
  }
  return joined;
}

export function isSameJoined(a: JoinedUse, b: JoinedUse): boolean {
  const [x, y] = [joinedToWire(a), joinedToWire(b)];
  return x.length === y.length && x.every((item, i) => item === y[i]);
}

function joinFrom(items: ItemReader, use: Use): JoinUse {
  const operation = joinOperations[items.integer("the operation", 0, joinOperations.length - 1)]!;
  const withinMs = items.integer("the tolerance", 0, durationMaxMs);
  return { kind: "join", ...use, operation, withinMs };
}

function correlationFrom(items: ItemReader, use: Use): CorrelationUse {
  const { rowsMin, rowsMax } = joinedLimits;
  const rows = items.integer("the rows", rowsMin, rowsMax);
  const every = items.integer("the hop", 1, rows);
  const withinMs = items.integer("the tolerance", 0, durationMaxMs);
  return { kind: "correlation", ...use, rows, every, withinMs };
}

function groupFrom(items: ItemReader, use: Use): GroupUse {
  const group = items.integer("the group", 0, joinedLimits.groupMax);
  const lengthMs = items.integer("the window", 1, durationMaxMs);
  const statistic = statistics[items.integer("the statistic", 0, statistics.length - 1)]!;
  const percent = items.number("the percent", 0, 100);
  return { kind: "group", ...use, group, lengthMs, statistic, percent };
}
