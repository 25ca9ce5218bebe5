/**
 * A host's log: in memory what the core reads, on the disk what must last.
 *
 * `append` changes the memory at once and queues what to write; one sync makes durable all that queued while the one before it ran (group commit).
 * On the disk are segments (`segments.ts`), begun anew beyond `segmentBytes`, and a snapshot for what was compacted away.
 */
import type { Sha256 } from "../../../protocols/raft/chain.ts";
import type {
  Entry,
  HardState,
  MemberId,
  RaftLog,
  SnapshotChunk,
  SnapshotItem,
  SnapshotItems,
  SnapshotPlace,
  StagedSnapshot,
} from "../../../protocols/raft/types.ts";
import { HeldSnapshots } from "./held-snapshots.ts";
import type { HostDisk } from "./host-disk.ts";
import type { LogMemory } from "./log-memory.ts";
import type { LogChange } from "./log-writer.ts";
import { LogWriter } from "./log-writer.ts";
import type { RecoveredLog } from "./segments.ts";
import { newLog, recoverLog } from "./segments.ts";
import type { Snapshot } from "./snapshot-file.ts";

export interface HostLogOptions {
  readonly disk: HostDisk;
  readonly sha256: Sha256;
  /** Hosts are sent the whole snapshot, boards what concerns them. */
  isHost(member: MemberId): boolean;
  /** What differs from `defaultLogSizes`. */
  readonly sizes?: Partial<LogSizes> | undefined;
}

export interface LogSizes {
  /** A segment is ended when it has so many. */
  readonly segmentBytes: number;
  /** Entries kept behind a snapshot, so that a member that lacks a few need not take all of it. */
  readonly trailingEntries: number;
}

export const defaultLogSizes: LogSizes = Object.freeze({
  segmentBytes: 4 * 1024 * 1024,
  trailingEntries: 1024,
});

export class HostLog implements RaftLog {
  readonly memberId: MemberId;
  /** Bytes of a torn last write that were cut off when the log was opened; nobody had been told that they were kept. */
  readonly tornBytes: number;
  readonly #options: HostLogOptions;
  readonly #sizes: LogSizes;
  readonly #memory: LogMemory;
  readonly #writer: LogWriter;
  readonly #held = new HeldSnapshots();
  #hardState: HardState;
  #staged: Staged | undefined;
  /** Waits while the one before it is being written. */
  #compaction: Snapshot | undefined;

  /** undefined where there never was a log. @throws {DamagedLog | NewerLog} */
  static open(options: HostLogOptions): HostLog | undefined {
    const recovered = recoverLog(options.disk, options.sha256);
    return recovered === undefined ? undefined : new HostLog(options, recovered);
  }

  /** An empty log for a new member, where there is none; durable with the first flush. */
  static create(options: HostLogOptions, memberId: MemberId): HostLog {
    return new HostLog(options, newLog(memberId, options.sha256));
  }

  private constructor(options: HostLogOptions, recovered: RecoveredLog) {
    this.#options = options;
    this.#sizes = { ...defaultLogSizes, ...options.sizes };
    this.memberId = recovered.memberId;
    this.tornBytes = recovered.tornBytes;
    this.#memory = recovered.memory;
    this.#hardState = recovered.hardState;
    this.#writer = new LogWriter(options.disk, this.#sizes.segmentBytes, recovered);
    if (recovered.snapshot !== undefined) this.#held.replace(recovered.snapshot);
    const { staged } = recovered;
    if (recovered.mustReset) this.#writer.reset(recovered.snapshot!.place, "renamed");
    if (staged === undefined) return;
    this.#staged = { place: staged.place, items: [...staged.items] };
    // Only the last chunk makes it whole, and that one installs it.
    if (staged.isWhole) this.#install();
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get firstIndex(): number {
    return this.#memory.firstIndex;
  }

  get lastIndex(): number {
    return this.#memory.lastIndex;
  }

  get snapshot(): SnapshotPlace | undefined {
    return this.#held.newest?.place;
  }

  /** The items of `snapshot`, what only hosts keep included; empty for none. */
  get snapshotContents(): readonly SnapshotItem[] {
    return this.#held.newest?.items ?? [];
  }

  get staged(): StagedSnapshot | undefined {
    return this.#staged === undefined
      ? undefined
      : { ...this.#staged.place, items: this.#staged.items.length };
  }

  /** The last entry that was written and is durable; it may have been overwritten since. */
  get durableEnd(): SnapshotPlace {
    return this.#writer.durableEnd;
  }

  /** Whether something was appended that is not durable yet. */
  get isWriting(): boolean {
    return this.#writer.isWriting;
  }

  termAt(index: number): number | undefined {
    return this.#memory.termAt(index);
  }

  hashAt(index: number): Uint8Array | undefined {
    return this.#memory.hashAt(index);
  }

  entry(index: number): Entry {
    return this.#memory.entry(index);
  }

  /** At most `limit` entries from `from` on, as far as they are still held. */
  entries(from: number, limit: number): readonly Entry[] {
    return this.#memory.entries(from, limit);
  }

  snapshotItems(index: number, to: MemberId, first: number, bytesMax: number): SnapshotItems | undefined {
    const isInUse = to !== this.memberId;
    return this.#held.items(index, { isHost: this.#options.isHost(to), isInUse }, first, bytesMax);
  }

  /** Changes the log at once; `flush` tells when it is durable. */
  append(change: LogChange): void {
    const { hardState, truncateFrom, entries, snapshot } = change;
    if (hardState !== undefined) this.#hardState = hardState;
    if (truncateFrom > 0) this.#memory.truncate(truncateFrom);
    const kept = this.#memory.end;
    for (const entry of entries) this.#memory.append(entry);
    if (hardState !== undefined || truncateFrom > 0 || entries.length > 0) {
      this.#writer.change({ hardState, truncateFrom, kept, entries, end: this.#memory.end });
    }
    if (snapshot !== undefined) this.#stage(snapshot);
  }

  /** Calls `done` once all that was appended so far is durable, at once if it is; with an error, now and ever after, when the disk refuses. */
  flush(done: (error?: Error) => void): void {
    this.#writer.flush(done);
  }

  /**
   * A snapshot of the state after `index`, which is applied: once it is durable, the log forgets what lies before, but for the trailing entries.
   */
  compact(index: number, items: readonly SnapshotItem[]): void {
    const newest = this.#compaction ?? this.#held.newest;
    if (newest !== undefined && index <= newest.place.index) return;
    const place = { index, term: this.termAt(index)!, hash: this.hashAt(index)! };
    const isBusy = this.#compaction !== undefined;
    this.#compaction = { place, items };
    if (!isBusy) this.#writeSnapshot(this.#compaction);
  }

  #writeSnapshot(snapshot: Snapshot): void {
    const { index } = snapshot.place;
    this.#writer.writeSnapshot(snapshot, () => {
      // One that was received meanwhile may be newer.
      if (index > (this.#held.newest?.place.index ?? 0)) {
        this.#held.add(snapshot);
        this.#memory.compact(Math.min(this.#held.oldestIndex, index - this.#sizes.trailingEntries));
        this.#writer.removeBefore(this.firstIndex);
      }
      const next = this.#compaction!;
      if (next === snapshot) this.#compaction = undefined;
      else this.#writeSnapshot(next);
    });
  }

  #stage(chunk: SnapshotChunk): void {
    const place = { index: chunk.index, term: chunk.indexTerm, hash: chunk.hash };
    if (chunk.first === 0) this.#staged = { place, items: [] };
    const staged = this.#staged;
    if (staged === undefined || staged.place.index !== place.index || staged.items.length !== chunk.first) {
      throw new RangeError(
        `Items ${chunk.first} on of snapshot ${place.index} do not follow on what is staged.`,
      );
    }
    // Data may be part of a larger buffer, which would be held as long.
    staged.items.push(...chunk.items.map((item) => ({ ...item, data: new Uint8Array(item.data) })));
    this.#writer.stage(place, chunk.first, chunk.items, chunk.isLast);
    if (chunk.isLast) this.#install();
  }

  /** What is staged becomes the state; the log begins behind it. */
  #install(): void {
    const { place, items } = this.#staged!;
    this.#staged = undefined;
    this.#held.replace({ place, items });
    this.#memory.reset(place);
    this.#writer.reset(place, "staged");
  }
}

interface Staged {
  readonly place: SnapshotPlace;
  readonly items: SnapshotItem[];
}
