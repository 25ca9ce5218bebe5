/** States made of puts, one entry each, and what they hold. */
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { StateMap } from "../../../protocols/state/apply.ts";
import { commandToWire } from "../../../protocols/state/codec.ts";
import type { PutCommand } from "../../../protocols/state/command.ts";

export function single(put: PutCommand) {
  return { kind: EntryKind.put, version: 1, data: encodeCbor(commandToWire(put)) };
}

export function stateOf(puts: readonly PutCommand[]): StateMap {
  const state = new StateMap();
  for (const put of puts) state.apply(single(put));
  return state;
}

export function contentsOf(state: StateMap) {
  return state.sortedKeys().map((key) => [key, state.get(key)]);
}
