/**
 * A block of readings as boards keep it for others, so that it outlives the host that took it.
 *
 * To who keeps it, `bytes` are opaque. What stands beside them is what a keeper finds it by, and what a host needs to put it back in its place.
 */
import { ItemReader } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";

export interface KeptBlock {
  /** Whose readings these are: `board/metric`. */
  readonly series: string;
  /** Of the block among those of its series, from 1 on; given by the host that took it, and never to another. */
  readonly number: number;
  /** Unix milliseconds of its first reading, and of its last. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly bytes: Uint8Array;
}

export const keepingLimits = Object.freeze({
  /** UTF-8 bytes of a series. */
  seriesBytesMax: 80,
  /** Of one block: those of `protocols/series/block.ts` fit. */
  blockBytesMax: 320,
  numberMax: 0xffff_ffff,
  /** Of one block, from its first reading to its last: a day. */
  spanMsMax: 86_400_000,
  /** Blocks in one message, either way. */
  blocksMax: 2,
  /** Runs in one answer to `list`. */
  runsMax: 32,
  /** Drawn by who asks. */
  idMax: 0xffff_ffff,
});

/** Array: [series, number, firstMs, lastMs - firstMs, h'bytes']. */
export function keptBlockToWire({ series, number, firstMs, lastMs, bytes }: KeptBlock): CborValue {
  return [series, number, firstMs, lastMs - firstMs, bytes];
}

/** @throws {ShapeError} */
export function keptBlockFromWire(value: CborValue, part = ""): KeptBlock {
  const items = new ItemReader(value, "kept block", part, 5);
  const series = items.text("the series", keepingLimits.seriesBytesMax);
  const number = items.integer("the number", 1, keepingLimits.numberMax);
  const firstMs = items.integer("firstMs", 0, Number.MAX_SAFE_INTEGER - keepingLimits.spanMsMax);
  const lastMs = firstMs + items.integer("the span", 0, keepingLimits.spanMsMax);
  return { series, number, firstMs, lastMs, bytes: items.bytes("the bytes", keepingLimits.blockBytesMax) };
}
