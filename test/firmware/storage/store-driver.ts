/** Asks a store for what a test needs, as a leader's requests would. */
import type { BoardStore, StateListener } from "../../../firmware/storage/board-store.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { AppendRequest, Entry, SnapshotChunk, SnapshotItem } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { noOutput } from "./store-model.ts";
import { deaf } from "./store-workload.ts";

export function put(index: number, key: string, value: CborValue, term = 1): Entry {
  return { index, term, kind: EntryKind.put, version: 1, data: encodeCbor([key, value]) };
}

export function putItem(key: string, value: CborValue): SnapshotItem {
  const { kind, version, data } = put(0, key, value);
  return { kind, version, data };
}

export function request(store: BoardStore, entries: readonly Entry[]): AppendRequest {
  const prevLogIndex = (entries[0]?.index ?? store.lastIndex + 1) - 1;
  return {
    type: "append-request",
    from: "host.0",
    to: store.memberId,
    term: 1,
    prevLogIndex,
    prevLogTerm: store.termAt(prevLogIndex)!,
    prevHash: store.hashAt(prevLogIndex)!,
    commitIndex: 0,
    readRound: 0,
    entries,
  };
}

/** False when there is no room for them. */
export function append(store: BoardStore, ...entries: readonly Entry[]): boolean {
  if (!store.makeRoom(request(store, entries))) return false;
  store.write({ ...noOutput, entries });
  return true;
}

/** Appends and commits. */
export function commit(store: BoardStore, entry: Entry, listener: StateListener = deaf): boolean {
  if (!append(store, entry)) return false;
  store.commit(entry.index, listener);
  return true;
}

/** Sends the rest of a snapshot of `items` at `index`, `count` items at a time, at most `chunksMax` of them. */
export function send(
  store: BoardStore,
  index: number,
  items: readonly SnapshotItem[],
  count: number,
  chunksMax = Infinity,
): void {
  const hash = new Uint8Array(16).fill(index);
  for (let chunks = 0; chunks < chunksMax; chunks++) {
    const first = store.staged?.items ?? 0;
    const isLast = first + count >= items.length;
    const chunk: SnapshotChunk = {
      type: "snapshot-chunk",
      from: "host.0",
      to: store.memberId,
      term: 3,
      index,
      indexTerm: 2,
      hash,
      first,
      items: items.slice(first, first + count),
      isLast,
    };
    if (!store.makeRoom(chunk)) throw new Error("There is no room for the snapshot.");
    store.write({ ...noOutput, snapshot: chunk });
    if (isLast) return;
  }
}
