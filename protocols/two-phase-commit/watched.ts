/** The metrics that the swarm's actions ask for: `["flow", "pressure"]` as CBOR, under `watchedKey`. */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { actionLimits } from "./action.ts";

/** Metrics of all actions of a swarm together. */
export const watchedMax = 16;

/** Throws `ShapeError`. */
export function watchedFromWire(value: CborValue): string[] {
  const items = new ItemReader([value], "watched metrics", "", 1);
  return items.array("the metrics", watchedMax).map((item) => {
    if (typeof item === "string" && item.length <= actionLimits.nameLengthMax) return item;
    throw new ShapeError("watched metrics", "a metric", "a name", item);
  });
}
