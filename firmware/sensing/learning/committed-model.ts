import { CborError } from "../../../protocols/cbor/error.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { readModel } from "../../../protocols/model/codec.ts";
import { type Model, modelPartKey } from "../../../protocols/model/model.ts";
import type { TrainedUse } from "../../../protocols/pipeline/model-use.ts";
import { type StateValue, stateLimits } from "../../../protocols/state/command.ts";
import { crc32 } from "../../storage/crc32.ts";

/** The committed state, by key. */
interface Committed {
  get(key: string): StateValue | undefined;
}

/** The model that the state holds for `use`, or why it holds none. Parts are put together where they stay: no more than one is held twice. */
export function committedModel(
  { name, bytes, crc, features, ofClass, learns }: TrainedUse,
  state: Committed,
): Model | string {
  const whole = new Uint8Array(bytes);
  for (let part = 0, at = 0; at < bytes; part++) {
    const length = Math.min(stateLimits.valueBytesMax, bytes - at);
    const value = state.get(modelPartKey(name, crc, part));
    if (!(value instanceof Uint8Array) || value.length !== length) return `part ${part} is missing`;
    whole.set(value, at);
    at += length;
  }
  if (crc32(whole, 0, bytes) !== crc) return "its parts are not those that the program means";
  try {
    const model = readModel(whole);
    if (model.features !== features.length)
      return `it takes ${model.features} features, not ${features.length}`;
    if (ofClass !== undefined && ofClass >= model.classes) return `it has no class ${ofClass}`;
    if (learns && model.kind !== "half-spaces") return "only half-spaces learn on a board";
    return model;
  } catch (error) {
    if (error instanceof CborError || error instanceof ShapeError) return error.message;
    throw error;
  }
}
