import { ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";

/** The bytes of doubles, little-endian, as a checkpoint keeps a filter's numbers: eight a number, where CBOR takes nine. */
export function savedDoubles(values: Float64Array): Uint8Array {
  return new Uint8Array(values.slice().buffer);
}

/** Reads what `savedDoubles` gave. Throws `ShapeError` for anything but `countMin` to `countMax` numbers. */
export function readDoubles(state: CborValue, of: string, countMin: number, countMax: number): Float64Array {
  const isSaved = state instanceof Uint8Array && state.length % 8 === 0;
  if (!isSaved || state.length < 8 * countMin || state.length > 8 * countMax) {
    throw new ShapeError("checkpoint", of, "the bytes of its numbers", state);
  }
  const view = new DataView(state.buffer, state.byteOffset, state.length);
  const values = new Float64Array(state.length / 8);
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat64(8 * i, true);
  return values;
}
