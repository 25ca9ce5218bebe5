/**
 * What the adoption of a draft must mean, with nothing of the code that ships: the pieces one after the other are [key, value] arrays, all of which become the state
 * while the pieces go; unless they are not what the adoption says, or would be too many.
 */
import { Decoder } from "cbor-x";
import type { StateValue } from "../../../../protocols/state/command.ts";

const decoder = new Decoder({ useRecords: false });

/** The state behind an adoption with these bytes, where `before` is the state that it finds. */
export function stateAdopted(
  data: Uint8Array,
  before: ReadonlyMap<string, StateValue>,
): ReadonlyMap<string, StateValue> {
  const [, pieceCount, putCount, byteCount] = sequence(data) as [unknown, number, number, number];
  const after = new Map(before);
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < pieceCount; i++) {
    const piece = before.get(`covey/draft/${i}`);
    if (!(piece instanceof Uint8Array)) return before;
    pieces.push(piece);
    after.delete(`covey/draft/${i}`);
  }
  const draft = Buffer.concat(pieces);
  if (draft.length !== byteCount) return before;
  let puts: [key: string, value: StateValue][];
  try {
    puts = sequence(draft) as typeof puts;
  } catch {
    return before;
  }
  if (puts.length !== putCount) return before;
  for (const [key, value] of puts) after.set(key, value);
  return after.size > 512 ? before : after;
}

function sequence(bytes: Uint8Array): unknown[] {
  return decoder.decodeMultiple(bytes) as unknown[];
}
