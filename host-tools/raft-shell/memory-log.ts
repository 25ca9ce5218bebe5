/**
 * A member's disk in memory: what is written is seen at once, and lost in a crash unless it was synced. The shell runs on it, and so do
 * the tests of the core.
 *
 * The state that its entries lead to is the simplest there can be: a put whose data are `key=value` sets a key, and data without `=` are
 * their own key. That is what a snapshot holds, after the configuration.
 */
import { createHash } from "node:crypto";
import { chainHash, emptyChain } from "../../protocols/raft/chain.ts";
import type { Configuration } from "../../protocols/raft/confchange.ts";
import { configurationToEntry } from "../../protocols/raft/membership.ts";
import type {
  Entry,
  HardState,
  MemberId,
  RaftLog,
  RaftOutput,
  SnapshotChunk,
  SnapshotItem,
  SnapshotItems,
  SnapshotPlace,
  StagedSnapshot,
} from "../../protocols/raft/types.ts";
import { EntryKind } from "../../protocols/raft/types.ts";

/** What of an output touches the disk. */
export type Write = Pick<RaftOutput, "hardState" | "truncateFrom" | "entries" | "snapshot">;

interface Snapshot extends SnapshotPlace {
  readonly items: readonly SnapshotItem[];
}

/** Never changed once made, so that what is seen and what is durable may share it. */
interface Contents {
  readonly hardState: HardState;
  /** The entry before the first, with which the chain goes on. */
  readonly base: SnapshotPlace;
  readonly entries: readonly Entry[];
  /** The chain hash at each of the entries. */
  readonly hashes: readonly Uint8Array[];
  readonly snapshot: Snapshot | undefined;
  readonly staged: Snapshot | undefined;
}

export class MemoryLog implements RaftLog {
  #seen: Contents;
  #durable: Contents;
  #unsynced: Write[] = [];
  /** What a snapshot says of the configuration as long as no entry does. */
  readonly #beginning: SnapshotItem | undefined;

  /** Empty; or one whose first `index` entries, the last of term 1 and perhaps none, are compacted away and led to nothing but `configuration`. */
  constructor(begin?: { readonly index: number; readonly configuration: Configuration }) {
    this.#beginning = begin === undefined ? undefined : itemOf(begin.configuration);
    const isCompacted = begin !== undefined && begin.index > 0;
    const base = { index: begin?.index ?? 0, term: isCompacted ? 1 : 0, hash: emptyChain() };
    const items = this.#beginning === undefined ? [] : [this.#beginning];
    this.#durable = {
      hardState: { term: base.term, vote: undefined },
      base,
      entries: [],
      hashes: [],
      snapshot: isCompacted ? { ...base, items } : undefined,
      staged: undefined,
    };
    this.#seen = this.#durable;
  }

  get hardState(): HardState {
    return this.#seen.hardState;
  }

  get firstIndex(): number {
    return this.#seen.base.index + 1;
  }

  get lastIndex(): number {
    return this.#seen.base.index + this.#seen.entries.length;
  }

  /** From `firstIndex` on; another array after each change. */
  get entries(): readonly Entry[] {
    return this.#seen.entries;
  }

  get unsyncedCount(): number {
    return this.#unsynced.length;
  }

  get snapshot(): SnapshotPlace | undefined {
    return this.#seen.snapshot;
  }

  get staged(): StagedSnapshot | undefined {
    const { staged } = this.#seen;
    return staged === undefined ? undefined : { ...staged, items: staged.items.length };
  }

  termAt(index: number): number | undefined {
    const { base, entries } = this.#seen;
    return index === base.index ? base.term : entries[index - base.index - 1]?.term;
  }

  hashAt(index: number): Uint8Array | undefined {
    const { base, hashes } = this.#seen;
    return index === base.index ? base.hash : hashes[index - base.index - 1];
  }

  entry(index: number): Entry {
    const entry = this.#seen.entries[index - this.firstIndex];
    if (entry === undefined) {
      throw new RangeError(
        `Entry ${index} is not in the log, which holds ${this.firstIndex} to ${this.lastIndex}.`,
      );
    }
    return entry;
  }

  snapshotItems(index: number, _to: MemberId, first: number, bytesMax: number): SnapshotItems | undefined {
    const { snapshot } = this.#seen;
    if (snapshot?.index !== index) return undefined;
    let end = first;
    let bytes = 0;
    while (end < snapshot.items.length) {
      bytes += snapshot.items[end]!.data.length;
      if (bytes > bytesMax && end > first) break;
      end++;
    }
    return { items: snapshot.items.slice(first, end), isLast: end >= snapshot.items.length };
  }

  /** All items of the snapshot; none in a log never compacted. */
  get snapshotContents(): readonly SnapshotItem[] {
    return this.#seen.snapshot?.items ?? [];
  }

  write(write: Write): void {
    if (write.hardState === undefined && write.entries.length === 0 && write.snapshot === undefined) return;
    this.#seen = after(this.#seen, write);
    this.#unsynced.push(write);
  }

  sync(): void {
    this.#durable = this.#seen;
    this.#unsynced = [];
  }

  /** Power fails: of the writes not synced the first `kept` have arrived. */
  crash(kept = 0): void {
    for (const write of this.#unsynced.splice(0).slice(0, kept)) this.#durable = after(this.#durable, write);
    this.#seen = this.#durable;
  }

  /**
   * Takes a snapshot of the state after `index`, which must be durable and committed, and drops the entries up to `trailing` before it. At or
   * below the snapshot that is there, nothing changes.
   */
  compact(index: number, trailing = 0): void {
    if (index <= (this.#seen.snapshot?.index ?? 0)) return;
    this.#durable = compacted(this.#durable, this.#beginning, index, trailing);
    // Writes that wait come after what is committed, so they go on it as before.
    this.#seen = this.#unsynced.reduce(after, this.#durable);
  }
}

function after(contents: Contents, write: Write): Contents {
  const hardState = write.hardState ?? contents.hardState;
  const appended = { ...contents, ...logAfter(contents, write), hardState };
  return write.snapshot === undefined ? appended : snapshotAfter(appended, write.snapshot);
}

function logAfter(
  contents: Contents,
  { truncateFrom, entries }: Write,
): Pick<Contents, "entries" | "hashes"> {
  const next = contents.base.index + contents.entries.length + 1;
  const from = truncateFrom > 0 ? truncateFrom : next;
  if (from <= contents.base.index || from > next || (entries.length > 0 && entries[0]!.index !== from)) {
    throw new RangeError(
      `Entry ${entries[0]?.index} with truncateFrom ${truncateFrom} on a log from ${contents.base.index + 1} to ${next - 1}.`,
    );
  }
  if (truncateFrom === 0 && entries.length === 0) return contents;
  const kept = from - contents.base.index - 1;
  const hashes = contents.hashes.slice(0, kept);
  for (const entry of entries) hashes.push(chainHash(hashes.at(-1) ?? contents.base.hash, entry, sha256));
  return { entries: [...contents.entries.slice(0, kept), ...entries], hashes };
}

function snapshotAfter(contents: Contents, chunk: SnapshotChunk): Contents {
  const { staged } = contents;
  const place = { index: chunk.index, term: chunk.indexTerm, hash: chunk.hash };
  const isNext = staged?.index === place.index && staged.term === place.term;
  const before = chunk.first === 0 ? [] : isNext ? staged.items : undefined;
  if (before === undefined || before.length !== chunk.first) {
    throw new RangeError(
      `Snapshot ${chunk.index} from item ${chunk.first} does not follow on ${staged?.items.length ?? 0} items of ${staged?.index ?? 0}.`,
    );
  }
  const snapshot = { ...place, items: [...before, ...chunk.items] };
  if (!chunk.isLast) return { ...contents, staged: snapshot };
  return { ...contents, base: place, entries: [], hashes: [], snapshot, staged: undefined };
}

function compacted(
  contents: Contents,
  beginning: SnapshotItem | undefined,
  index: number,
  trailing: number,
): Contents {
  const { base, entries, hashes } = contents;
  const at = index - base.index - 1;
  const last = entries[at];
  if (last === undefined) {
    throw new RangeError(`Entry ${index} is not durable: it cannot be compacted.`);
  }
  const before = contents.snapshot?.items ?? (beginning === undefined ? [] : [beginning]);
  const since = entries.slice(0, at + 1).filter((entry) => entry.index > (contents.snapshot?.index ?? 0));
  const items = stateAfter([...before, ...since]);
  const snapshot = { index, term: last.term, hash: hashes[at]!, items };
  const dropped = Math.max(0, at + 1 - trailing);
  if (dropped === 0) return { ...contents, snapshot };
  const newBase = {
    index: base.index + dropped,
    term: entries[dropped - 1]!.term,
    hash: hashes[dropped - 1]!,
  };
  return {
    ...contents,
    snapshot,
    base: newBase,
    entries: entries.slice(dropped),
    hashes: hashes.slice(dropped),
  };
}

/** What these lead to: the configuration, then the puts sorted by key. */
function stateAfter(history: readonly SnapshotItem[]): readonly SnapshotItem[] {
  let configuration: SnapshotItem | undefined;
  const puts = new Map<string, SnapshotItem>();
  for (const { kind, version, data } of history) {
    if (kind === EntryKind.membership) configuration = { kind, version, data };
    else if (kind === EntryKind.put) puts.set(keyOf(data), { kind, version, data });
  }
  const sorted = [...puts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
  return configuration === undefined ? sorted : [configuration, ...sorted];
}

function keyOf(data: Uint8Array): string {
  return new TextDecoder().decode(data).split("=", 1)[0]!;
}

function itemOf(configuration: Configuration): SnapshotItem {
  return { kind: EntryKind.membership, ...configurationToEntry(configuration) };
}

/** For the chain. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}
