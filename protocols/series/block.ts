/**
 * Readings of one metric packed together, each with its time: what a pipeline with `report({ batch })` sends instead of single readings.
 *
 * ```
 * block   [metric, startMs, stepMs, mode, scale, first, count, h'bits']
 * ```
 *
 * The first reading stands in the head: its time is `startMs`, its value `first`. Each further one is, in bits: by how much its time from the
 * one before differs from the time before that (`stepMs` for the second), as Gorilla does it (Pelkonen et al. 2015, section 4.1.1), in Rice's code; then its value:
 *
 * | mode | scale | value | first |
 * | --- | --- | --- | --- |
 * | 0 decimal | digits d, 0 to 9 | the change of round(10^d x), in Rice's code; an exception is 64 bits of IEEE 754 | round(10^d x) |
 * | 1 exclusive or | 0 | of the 64 bits with those before: section 4.1.2 | x |
 * | 2 steps | the step s | the change of round(x / s), in Rice's code; exceptions as in 0 | round(x / s) |
 *
 * Modes 0 and 1 give back exactly what was taken, mode 2 what is at most half a step off.
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { programLimits } from "../pipeline/program.ts";

export interface Block {
  /** On the board's clock, of the first reading. */
  readonly startMs: number;
  readonly stepMs: number;
  readonly mode: BlockMode;
  readonly scale: number;
  readonly first: number;
  /** Readings, the first one included. */
  readonly count: number;
  /** Of all but the first. */
  readonly bits: Uint8Array;
}

export interface MetricBlock extends Block {
  readonly metric: string;
}

export const BlockMode = Object.freeze({ decimal: 0, xor: 1, steps: 2 } as const);
export type BlockMode = (typeof BlockMode)[keyof typeof BlockMode];

export const blockLimits = Object.freeze({
  /** Of `bits`. */
  bytesMax: 224,
  digitsMax: 9,
});

/** A reading takes two bits at least. */
export const blockCountMax = 1 + 4 * blockLimits.bytesMax;

export function blockToWire({
  metric,
  startMs,
  stepMs,
  mode,
  scale,
  first,
  count,
  bits,
}: MetricBlock): CborValue {
  return [metric, startMs, stepMs, mode, scale, first, count, bits];
}

/** @throws {ShapeError} */
export function blockFromWire(value: CborValue, part: string): MetricBlock {
  const items = new ItemReader(value, "report", part, 8);
  const metric = items.text("metric", programLimits.nameLengthMax);
  const startMs = items.integer("startMs", 0, Number.MAX_SAFE_INTEGER);
  const stepMs = items.integer("stepMs", 0, Number.MAX_SAFE_INTEGER);
  const mode = items.integer("mode", 0, BlockMode.steps) as BlockMode;
  return {
    metric,
    startMs,
    stepMs,
    mode,
    scale: scaleFrom(items, mode),
    first: items.number("first", -Number.MAX_VALUE, Number.MAX_VALUE),
    count: items.integer("count", 1, blockCountMax),
    bits: items.bytes("the bits", blockLimits.bytesMax),
  };
}

function scaleFrom(items: ItemReader, mode: BlockMode): number {
  if (mode === BlockMode.steps) return items.number("scale", Number.MIN_VALUE, Number.MAX_VALUE);
  return items.integer("scale", 0, mode === BlockMode.decimal ? blockLimits.digitsMax : 0);
}
