import type { MemberId, SnapshotItem, SnapshotItems } from "../../protocols/raft/types.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import type { StoreContents } from "./store-contents.ts";
import { compareBytes, entryFrom, keyBytesOf, withoutId } from "./stored-values.ts";

/** Keys that one pass over the state puts in order. */
const batchKeys = 32;

/**
 * The applied state as the items of a snapshot. The keys are in flash, in no order, and their order would take more RAM than a
 * board has to spare. So each pass over all keys picks the next few of them, which then wait here for who asks.
 */
export class SnapshotReader {
  readonly #contents: StoreContents;
  /** The state that the batch is of: the index of the entry that was applied last. */
  #index = -1;
  /** The rank of the first key in the batch. */
  #start = 0;
  /** Sorted. */
  #batch: OrderedKey[] = [];

  constructor(contents: StoreContents) {
    this.#contents = contents;
  }

  /** See `RaftLog`: item 0 is the membership, where one is known. Throws `FlashDamaged`. */
  items(index: number, _to: MemberId, first: number, bytesMax: number): SnapshotItems | undefined {
    const { entries, state } = this.#contents;
    if (index !== entries.appliedIndex || index === 0) return undefined;
    const memberships = this.#contents.memberships.asOf(index) === 0 ? 0 : 1;
    const count = memberships + state.size;
    const items: SnapshotItem[] = [];
    let bytes = 0;
    let number = first;
    for (; number < count; number++) {
      const item = number < memberships ? this.membership() : this.put(number - memberships);
      bytes += item.data.length;
      if (items.length > 0 && bytes > bytesMax) break;
      items.push(item);
    }
    const isLast = number >= count;
    if (isLast) this.forget();
    return { items, isLast };
  }

  /** Nobody is likely to ask for more: the keys need not wait in RAM. */
  private forget(): void {
    this.#index = -1;
    this.#batch = [];
  }

  private membership(): SnapshotItem {
    const { log, memberships, entries } = this.#contents;
    const { kind, version, data } = entryFrom(log.read(memberships.asOf(entries.appliedIndex)));
    return { kind, version, data };
  }

  private put(rank: number): SnapshotItem {
    this.seek(rank);
    const { number } = this.#batch[rank - this.#start]!;
    const { data } = this.#contents.state.recordOf(number);
    return { kind: EntryKind.put, version: 1, data: withoutId(data) };
  }

  /** Brings the key of `rank` into the batch. */
  private seek(rank: number): void {
    const { appliedIndex } = this.#contents.entries;
    if (this.#index !== appliedIndex || rank < this.#start) {
      this.#index = appliedIndex;
      this.#start = 0;
      this.#batch = this.keysAfter(undefined);
    }
    while (rank >= this.#start + this.#batch.length) {
      const last = this.#batch.at(-1);
      // Fewer keys than there are: one of them is not what it was when the others were put in order.
      if (last === undefined) throw new FlashDamaged("a key of the state has changed");
      this.#start += this.#batch.length;
      this.#batch = this.keysAfter(last.key);
    }
  }

  /** The first keys behind `key`, or the first of all. */
  private keysAfter(key: Uint8Array | undefined): OrderedKey[] {
    const { state } = this.#contents;
    const batch: OrderedKey[] = [];
    for (let number = 0; number < state.size; number++) {
      const candidate = { number, key: keyBytesOf(state.startOf(number)) };
      if (key !== undefined && compareBytes(candidate.key, key) <= 0) continue;
      let at = batch.length;
      while (at > 0 && compareBytes(candidate.key, batch[at - 1]!.key) < 0) at--;
      if (at === batchKeys) continue;
      batch.splice(at, 0, candidate);
      if (batch.length > batchKeys) batch.pop();
    }
    return batch;
  }
}

interface OrderedKey {
  /** In the state. */
  readonly number: number;
  readonly key: Uint8Array;
}
