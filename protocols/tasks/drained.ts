/** Boards that are to be given no tasks: the value of `covey/drained`, encoded: [1, [board, ...]]. */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { reservedKeyPrefix } from "../state/command.ts";
import { taskLimits } from "./placement.ts";

export const drainedKey = `${reservedKeyPrefix}drained`;
/** So many names fit in a value. */
export const drainedMax = 32;

export function drainedToWire(boards: readonly string[]): CborValue {
  return [1, [...boards]];
}

/** @throws {ShapeError} */
export function drainedFromWire(value: CborValue): string[] {
  const items = new ItemReader(value, "list of drained boards", "", 2);
  items.version(1);
  const boards: string[] = [];
  for (const board of items.array("the boards", drainedMax)) {
    if (typeof board !== "string" || board.length > taskLimits.holderBytesMax) {
      throw new ShapeError("list of drained boards", "a board", "a name", board);
    }
    boards.push(board);
  }
  items.end();
  return boards;
}
