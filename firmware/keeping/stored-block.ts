/**
 * A kept block in flash: a record (`firmware/storage/record.ts`) whose index is the block's number, whose tag is the hash of its series, and whose trailer says in which
 * sector of the ring it was written. Its data:
 *
 * ```
 *  0       bytes of the series, n
 *  1..n    the series, in UTF-8
 *  8 bytes firstMs, an IEEE 754 double
 *  4 bytes lastMs - firstMs
 *  rest    the block
 * ```
 */
import type { KeptBlock } from "../../protocols/keeping/block.ts";
import { readUtf8, utf8Length, writeUtf8 } from "../../protocols/text/utf8.ts";
import type { StoredRecord } from "../storage/record.ts";

export function storedBlock({ series, firstMs, lastMs, bytes }: KeptBlock): Uint8Array {
  const timesAt = 1 + utf8Length(series);
  const data = new Uint8Array(timesAt + timesBytes + bytes.length);
  data[0] = timesAt - 1;
  writeUtf8(series, data, 1);
  const view = new DataView(data.buffer);
  view.setFloat64(timesAt, firstMs);
  view.setUint32(timesAt + 8, lastMs - firstMs);
  data.set(bytes, timesAt + timesBytes);
  return data;
}

/** Of a record that is whole. */
export function blockOf(record: StoredRecord): KeptBlock {
  const { data } = record;
  const timesAt = 1 + data[0]!;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const firstMs = view.getFloat64(timesAt);
  const lastMs = firstMs + view.getUint32(timesAt + 8);
  const bytes = data.subarray(timesAt + timesBytes);
  return { series: seriesOf(record), number: record.index, firstMs, lastMs, bytes };
}

export function seriesOf({ data }: StoredRecord): string {
  return readUtf8(data, 1, 1 + data[0]!)!;
}

/** FNV-1a, 32 bits: two series may share it. */
export function seriesTag(series: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < series.length; i++) hash = Math.imul(hash ^ series.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const timesBytes = 12;
