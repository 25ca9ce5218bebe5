/**
 * What the root said, as far as it is in a host's log. What is not applied yet counts too: the root signed it. So a host that starts anew lets nobody in
 * whose revocation it has on its disk, before it has found out from the others how far its log is committed.
 */
import type { Entry } from "../../../protocols/raft/types.ts";
import { changeOf } from "../../../protocols/state/apply.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import { rosterKey } from "./membership.ts";

/** Part of the replica. */
export interface LogView {
  /** As the latest snapshot has it, before anything of the log is applied. */
  readonly state: { get(key: string): StateValue | undefined };
  status(): { readonly firstIndex: number; readonly lastIndex: number };
  entries(from: number, limit: number): readonly Entry[];
}

const entriesAtOnce = 256;

export function* rostersInLog(log: LogView): Generator<Uint8Array> {
  const stored = log.state.get(rosterKey);
  if (stored instanceof Uint8Array) yield stored;
  const { firstIndex, lastIndex } = log.status();
  for (let from = firstIndex; from <= lastIndex; from += entriesAtOnce) {
    for (const entry of log.entries(from, entriesAtOnce)) {
      const change = changeOf(entry, anyKeys);
      if (change?.key === rosterKey && change.value instanceof Uint8Array) yield change.value;
    }
  }
}

/** An entry that would find no room in the state is nonetheless the root's word. */
const anyKeys = { size: 0, has: () => true };
