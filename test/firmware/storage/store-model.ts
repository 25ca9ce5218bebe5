/** The plainest store that there can be: what a `BoardStore` must hold, kept in memory, and nothing of how it keeps it. */
import { createHash } from "node:crypto";
import type { BoardStore } from "../../../firmware/storage/board-store.ts";
import { entryLimits } from "../../../firmware/storage/entry-log.ts";
import { type OwnKind, RecordKind } from "../../../firmware/storage/record.ts";
import { chainHash, emptyChain } from "../../../protocols/raft/chain.ts";
import { configurationFromEntry } from "../../../protocols/raft/membership.ts";
import type {
  Entry,
  HardState,
  RaftOutput,
  SnapshotChunk,
  SnapshotItem,
  SnapshotPlace,
} from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { StateMap } from "../../../protocols/state/apply.ts";

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha256").update(bytes).digest());

export const noOutput: RaftOutput = {
  hardState: undefined,
  truncateFrom: 0,
  entries: [],
  snapshot: undefined,
  messages: [],
  publications: [],
  commitIndex: 0,
  violation: undefined,
};

const ownKinds: readonly OwnKind[] = [RecordKind.promises, RecordKind.registers];

interface Held {
  readonly entry: Entry;
  readonly hash: Uint8Array;
}

export class StoreModel {
  hardState: HardState = { term: 0, vote: undefined };
  crashes = 0;
  checkpoint: readonly Uint8Array[] = [];
  kept: Uint8Array | undefined;
  readonly own = new Map<OwnKind, Uint8Array>();
  applied = 0;
  /** That became the state so far. */
  snapshots = 0;
  /** Indexes of the entries whose draft became the state. */
  readonly adopted = new Set<number>();
  staged: { place: SnapshotPlace; items: SnapshotItem[] } | undefined;
  readonly state = new StateMap();
  readonly #memberId: string;
  #base: SnapshotPlace = { index: 0, term: 0, hash: emptyChain() };
  #membership: SnapshotItem | undefined;
  #log: Held[] = [];

  constructor(memberId: string) {
    this.#memberId = memberId;
  }

  get lastIndex(): number {
    return this.#base.index + this.#log.length;
  }

  write({ hardState, truncateFrom, entries, snapshot }: RaftOutput): void {
    if (hardState !== undefined) this.hardState = hardState;
    if (truncateFrom > 0) this.#log.length = truncateFrom - 1 - this.#base.index;
    for (const entry of entries) {
      const before = this.#log.at(-1)?.hash ?? this.#base.hash;
      this.#log.push({ entry, hash: chainHash(before, entry, sha256) });
    }
    if (snapshot !== undefined) this.#stage(snapshot);
  }

  commit(index: number): void {
    while (this.applied < Math.min(index, this.lastIndex)) {
      const { entry } = this.#log[++this.applied - 1 - this.#base.index]!;
      const changes = this.state.apply(entry);
      if (entry.kind === EntryKind.adoption && changes.length > 0) this.adopted.add(this.applied);
      if (entry.kind === EntryKind.membership) this.#membership = entry;
    }
    if (this.staged !== undefined && this.staged.place.index <= this.applied) this.staged = undefined;
  }

  /** What is committed of it, and what is not. */
  get contents(): string {
    const waiting = this.#log.slice(this.applied - this.#base.index);
    const latest = waiting.findLast(({ entry }) => entry.kind === EntryKind.membership)?.entry;
    const membership = latest ?? this.#membership;
    return JSON.stringify({
      hard: this.hardState,
      crashes: this.crashes,
      checkpoint: this.checkpoint.map(hex),
      kept: this.kept && hex(this.kept),
      own: ownKinds.map((kind) => hex(this.own.get(kind) ?? new Uint8Array(0))),
      applied: this.#placeAt(this.applied),
      waiting: waiting.map(shownEntry),
      staged: this.staged && { ...shownPlace(this.staged.place), items: this.staged.items.length },
      snapshot: this.applied === 0 ? [] : this.#items().map(shownItem),
      configuration: membership && configurationFromEntry(membership.version, membership.data),
    });
  }

  /** Fails unless the applied entries that `store` still holds, and all hashes, are as they were written. */
  check(store: BoardStore): void {
    for (let index = store.firstIndex; index <= store.lastIndex; index++) {
      const held = this.#log[index - 1 - this.#base.index];
      if (held === undefined) throw new Error(`The store holds entry ${index}, which is over.`);
      const shown = shownEntry({ entry: store.entry(index), hash: store.hashAt(index)! });
      if (JSON.stringify(shown) !== JSON.stringify(shownEntry(held)))
        throw new Error(`Entry ${index} has changed.`);
      if (store.termAt(index) !== held.entry.term) throw new Error(`The term at ${index} has changed.`);
    }
    const base = {
      index: store.firstIndex - 1,
      term: store.termAt(store.firstIndex - 1)!,
      hash: store.hashAt(store.firstIndex - 1)!,
    };
    if (JSON.stringify(shownPlace(base)) !== JSON.stringify(this.#placeAt(base.index))) {
      throw new Error(`The place before the log is not ${base.index}.`);
    }
    const retained = store.appliedIndex - store.firstIndex + 1;
    if (retained > 2 * entryLimits.retainedMax) throw new Error(`${retained} applied entries are held.`);
    const configuration = store.configuration;
    const votes =
      configuration?.voters.includes(this.#memberId) || configuration?.outgoing.includes(this.#memberId);
    if (store.isVoter !== (votes ?? false)) throw new Error("Whether it votes is wrong.");
  }

  #stage({ index, indexTerm, hash, first, items, isLast }: SnapshotChunk): void {
    if (first === 0) this.staged = { place: { index, term: indexTerm, hash }, items: [] };
    const staged = this.staged!;
    staged.items.push(...items);
    if (!isLast) return;
    this.state.restore(staged.items);
    this.#membership = staged.items.find((item) => item.kind === EntryKind.membership);
    this.#base = staged.place;
    this.#log = [];
    this.applied = index;
    this.staged = undefined;
    this.snapshots++;
  }

  #items(): SnapshotItem[] {
    const puts = this.state.sortedKeys().map((key) => this.state.item(key));
    return this.#membership === undefined ? puts : [this.#membership, ...puts];
  }

  #placeAt(index: number): unknown {
    if (index === this.#base.index) return shownPlace(this.#base);
    const { entry, hash } = this.#log[index - 1 - this.#base.index]!;
    return shownPlace({ index, term: entry.term, hash });
  }
}

/** The same of a store, as `StoreModel.contents` says it. */
export function contentsOf(store: BoardStore): string {
  const waiting: unknown[] = [];
  for (let index = store.appliedIndex + 1; index <= store.lastIndex; index++) {
    waiting.push(shownEntry({ entry: store.entry(index), hash: store.hashAt(index)! }));
  }
  const checkpoint: string[] = [];
  for (let part = 0; part < store.checkpointParts; part++) checkpoint.push(hex(store.checkpointPart(part)));
  const { staged, snapshot, appliedIndex } = store;
  const applied = snapshot ?? { index: 0, term: store.termAt(0)!, hash: store.hashAt(0)! };
  return JSON.stringify({
    hard: store.hardState,
    crashes: store.crashes,
    checkpoint,
    kept: store.kept && hex(store.kept),
    own: ownKinds.map((kind) => hex(store.own(kind) ?? new Uint8Array(0))),
    applied: shownPlace(applied),
    waiting,
    staged: staged && { ...shownPlace(staged), items: staged.items },
    snapshot: itemsOf(store, appliedIndex, 60).map(shownItem),
    configuration: store.configuration,
  });
}

/** All items of the store's snapshot, fetched in chunks as a host would. */
export function itemsOf(store: BoardStore, index: number, bytesMax: number): SnapshotItem[] {
  const items: SnapshotItem[] = [];
  for (;;) {
    const part = store.snapshotItems(index, "host-1.0", items.length, bytesMax);
    if (part === undefined) return items;
    items.push(...part.items);
    if (part.isLast) return items;
    if (part.items.length === 0) throw new Error("A part before the last is empty.");
  }
}

function shownEntry({ entry, hash }: Held): unknown {
  const { index, term, kind, version, data } = entry;
  return [index, term, kind, version, hex(data), hex(hash)];
}

function shownItem({ kind, version, data }: SnapshotItem): unknown {
  return [kind, version, hex(data)];
}

function shownPlace({ index, term, hash }: SnapshotPlace): object {
  return { index, term, hash: hex(hash) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
