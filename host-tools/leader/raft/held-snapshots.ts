/**
 * The snapshots that this host can send. The newest is always there; one that is being sent stays while the next is made, else a slow member
 * could begin anew for ever, and the log keeps what follows on it.
 */
import type { SnapshotItem, SnapshotItems } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import type { Snapshot } from "./snapshot-file.ts";

/** Most that are held at once. */
export const heldSnapshotsMax = 4;

export class HeldSnapshots {
  /** Oldest first. */
  #held: Held[] = [];

  get newest(): Snapshot | undefined {
    return this.#held.at(-1)?.snapshot;
  }

  get oldestIndex(): number {
    return this.#held[0]?.snapshot.place.index ?? 0;
  }

  /** Holds only this one. */
  replace(snapshot: Snapshot): void {
    this.#held = [heldOf(snapshot)];
  }

  /** A newer one; those that nobody asked for since the last go. */
  add(snapshot: Snapshot): void {
    const inUse = this.#held.filter((held) => held.isInUse).slice(1 - heldSnapshotsMax);
    for (const held of inUse) held.isInUse = false;
    this.#held = [...inUse, heldOf(snapshot)];
  }

  /** As `RaftLog.snapshotItems`; `isHost` false leaves out what only hosts keep, `isInUse` says that it is being sent. */
  items(
    index: number,
    { isHost, isInUse }: { isHost: boolean; isInUse: boolean },
    first: number,
    bytesMax: number,
  ): SnapshotItems | undefined {
    const held = this.#held.find(({ snapshot }) => snapshot.place.index === index);
    if (held === undefined) return undefined;
    if (isInUse) held.isInUse = true;
    const { items } = held.snapshot;
    const count = isHost ? items.length : held.itemsForBoards;
    const chunk: SnapshotItem[] = [];
    for (let bytes = 0; first + chunk.length < count; ) {
      const item = items[first + chunk.length]!;
      bytes += item.data.length;
      if (chunk.length > 0 && bytes > bytesMax) break;
      chunk.push(item);
    }
    return { items: chunk, isLast: first + chunk.length >= count };
  }
}

interface Held {
  readonly snapshot: Snapshot;
  readonly itemsForBoards: number;
  isInUse: boolean;
}

function heldOf(snapshot: Snapshot): Held {
  const { items } = snapshot;
  const firstForHosts = items.findIndex(({ kind }) => kind === EntryKind.commandIds);
  return { snapshot, itemsForBoards: firstForHosts < 0 ? items.length : firstForHosts, isInUse: false };
}
