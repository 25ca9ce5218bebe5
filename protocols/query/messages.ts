/**
 * A query to a board and its answer, on the channel `query` within the session.
 *
 * ```
 * query    [1, id, metric, windowMs]
 * answer   [1, id, coveredMs, summary | null]     null: the board keeps no such metric
 * summary  [count, mean, squares, min, max, exponent, [bin, ...]]     bins without the zeros at the end; `summary.ts`
 * ```
 */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { programLimits } from "../pipeline/program.ts";
import { Summary, summaryLimits } from "./summary.ts";

export const queryLimits = Object.freeze({
  windowMsMin: 1_000,
  windowMsMax: 24 * 3_600_000,
  idMax: 0xffffffff,
});

export interface BoardQuery {
  /** Drawn by who asks; stands in the answer. */
  readonly id: number;
  readonly metric: string;
  readonly windowMs: number;
}

export interface BoardAnswer {
  readonly id: number;
  /** How far back the answer reaches: up to a slot more than asked for, less where the board has not kept it for so long. */
  readonly coveredMs: number;
  /** undefined where the board keeps no such metric. */
  readonly summary: Summary | undefined;
}

export function queryToWire({ id, metric, windowMs }: BoardQuery): CborValue {
  return [version, id, metric, windowMs];
}

/** @throws {ShapeError} */
export function queryFromWire(value: CborValue): BoardQuery {
  const items = new ItemReader(value, "query", "", 4);
  items.version(version);
  return {
    id: items.integer("id", 0, queryLimits.idMax),
    metric: items.text("metric", programLimits.nameLengthMax),
    windowMs: items.integer("windowMs", queryLimits.windowMsMin, queryLimits.windowMsMax),
  };
}

export function answerToWire({ id, coveredMs, summary }: BoardAnswer): CborValue {
  return [version, id, coveredMs, summary === undefined ? null : summaryToWire(summary)];
}

/** @throws {ShapeError} */
export function answerFromWire(value: CborValue): BoardAnswer {
  const items = new ItemReader(value, "answer", "", 4);
  items.version(version);
  const id = items.integer("id", 0, queryLimits.idMax);
  const coveredMs = items.integer("coveredMs", 0, 2 * queryLimits.windowMsMax);
  const summary = items.any();
  return { id, coveredMs, summary: summary === null ? undefined : summaryFromWire(summary) };
}

const version = 1;
const countMax = 2 ** 40;
const finiteMax = Number.MAX_VALUE;

function summaryToWire({ of, bins }: Summary): CborValue {
  let used = bins.length;
  while (used > 0 && bins[used - 1] === 0) used--;
  const items: CborValue[] = [];
  for (let i = 0; i < of.length; i++) items.push(of[i]!);
  const held: CborValue[] = [];
  for (let i = 0; i < used; i++) held.push(bins[i]!);
  items.push(held);
  return items;
}

function summaryFromWire(value: CborValue | undefined): Summary {
  const items = new ItemReader(value as CborValue, "answer", "the summary", 7);
  const summary = new Summary();
  const { of, bins } = summary;
  of[0] = items.integer("count", 0, countMax);
  for (let i = 1; i < 5; i++) of[i] = items.number("a number", -finiteMax, finiteMax);
  of[5] = items.integer("exponent", -400, 400);
  const held = items.array("the bins", summaryLimits.binsMax);
  let sum = 0;
  for (let i = 0; i < held.length; i++) {
    const count = held[i];
    if (typeof count !== "number" || !Number.isInteger(count) || count < 0 || count > countMax) {
      throw new ShapeError("answer", "a bin", "a count", count);
    }
    bins[i] = count;
    sum += count;
  }
  if (sum !== summary.count) throw new ShapeError("answer", "the bins", `${summary.count} together`, sum);
  // What is merged with others must fit its bins.
  const width = 2 ** summary.exponent;
  const span = Math.floor(summary.max / width) - Math.floor(summary.min / width);
  const isSound = span >= 0 && span < summaryLimits.binsMax && summary.max <= 1e100 && summary.min >= -1e100;
  if (!isSound) throw new ShapeError("answer", "the extremes", "within the bins", span);
  return summary;
}
