/** From measured numbers to those that a family learns in: standardised, or as the integers that the board decides by. */
import { int8Max, Quantiser } from "../../protocols/model/quantiser.ts";

export interface Scale {
  readonly means: readonly number[];
  /** Standard deviations; 1 of a feature that never changes. */
  readonly deviations: readonly number[];
}

export function scaleOf(rows: readonly Float64Array[]): Scale {
  const features = rows[0]!.length;
  const means = new Array<number>(features).fill(0);
  const deviations = new Array<number>(features).fill(0);
  for (const row of rows) for (let j = 0; j < features; j++) means[j]! += row[j]! / rows.length;
  for (const row of rows) {
    for (let j = 0; j < features; j++) deviations[j]! += (row[j]! - means[j]!) ** 2 / rows.length;
  }
  return { means, deviations: deviations.map((square) => Math.sqrt(square) || 1) };
}

export function standardised(row: Float64Array, { means, deviations }: Scale): Float64Array {
  return row.map((value, j) => (value - means[j]!) / deviations[j]!);
}

/** A little less than all 16 bits, so that what lies just beyond what was seen still has its place. */
const int16Span = 32_000;

/** A quantiser's table that spreads from `low` to `high` of each feature over 16 bits. */
export function rangeTable(ranges: readonly (readonly [low: number, high: number])[]): Float32Array {
  const table = new Float32Array(2 * ranges.length);
  for (const [j, [low, high]] of ranges.entries()) {
    table[2 * j] = (low + high) / 2;
    table[2 * j + 1] = high > low ? (2 * int16Span) / (high - low) : 1;
  }
  return table;
}

export function rangesOf(rows: readonly Float64Array[]): [low: number, high: number][] {
  const ranges = Array.from(rows[0]!, (value): [number, number] => [value, value]);
  for (const row of rows) {
    for (const [j, range] of ranges.entries()) {
      range[0] = Math.min(range[0], row[j]!);
      range[1] = Math.max(range[1], row[j]!);
    }
  }
  return ranges;
}

/** Standard deviations that 8 bits reach to. */
export const int8Deviations = 4;

/** A quantiser's table that gives standardised numbers in 8 bits. */
export function deviationTable({ means, deviations }: Scale): Float32Array {
  return Float32Array.from(means.flatMap((mean, j) => [mean, int8Max / (int8Deviations * deviations[j]!)]));
}

export function quantisedRows(rows: readonly Float64Array[], table: Float32Array, max: number): Int16Array[] {
  const quantiser = new Quantiser(table, max);
  return rows.map((row) => {
    const quantised = new Int16Array(row.length);
    quantiser.quantise(row, quantised);
    return quantised;
  });
}
