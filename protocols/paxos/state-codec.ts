/** A register's state as an item of CBOR arrays: [version, value, by, request, atMs]. */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { utf8Length } from "../text/utf8.ts";
import { type RegisterState, type RegisterValue, registerLimits } from "./types.ts";

export function stateToWire({ version, value, by, request, atMs }: RegisterState): CborValue {
  return [version, value, by, request, atMs];
}

/** The next item of `items`. Throws `ShapeError`. */
export function readState(items: ItemReader, format: string): RegisterState {
  const state = new ItemReader(items.any(), format, "a state", 5);
  return {
    version: state.integer("the version", 0, registerLimits.versionMax),
    value: readValue(state, format),
    by: state.text("by", registerLimits.nameLengthMax),
    request: state.integer("the request", 0, registerLimits.requestMax),
    atMs: state.integer("atMs", 0, Number.MAX_SAFE_INTEGER),
  };
}

/** The next item of `items`. Throws `ShapeError`. */
export function readValue(items: ItemReader, format: string): RegisterValue {
  const value = items.any();
  if (typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const { textBytesMax } = registerLimits;
  if (typeof value === "string" && value.length <= textBytesMax && utf8Length(value) <= textBytesMax) {
    return value;
  }
  throw new ShapeError(format, "the value", `a flag, a number or a text of ${textBytesMax} bytes`, value);
}
