/**
 * The writing half of a host's log: a queue of changes and one write under way at a time.
 *
 * Each round takes all that queued, writes it as one frame, syncs, and tells who waits. What must not share a sync with what follows (a new segment after
 * a truncation, a snapshot that takes the log's place) ends a round.
 */
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type {
  HardState,
  MemberId,
  RaftOutput,
  SnapshotItem,
  SnapshotPlace,
} from "../../../protocols/raft/types.ts";
import type { HostDisk } from "./host-disk.ts";
import { encodeFrame } from "./log-frame.ts";
import {
  encodeRecords,
  entryRecord,
  hardStateRecord,
  headerRecord,
  truncationRecord,
} from "./log-records.ts";
import type { RecoveredLog, Segment } from "./segments.ts";
import { beginning, segmentName } from "./segments.ts";
import type { Snapshot } from "./snapshot-file.ts";
import {
  encodeItems,
  encodePlace,
  encodeSnapshot,
  snapshotName,
  stagedName,
  unfinishedName,
} from "./snapshot-file.ts";

/** What one output of the core changes. */
export type LogChange = Pick<RaftOutput, "hardState" | "truncateFrom" | "entries" | "snapshot">;

/** The same of the entries, and where it leaves the log. */
export interface EntryChange extends Omit<LogChange, "snapshot"> {
  /** The end of what stays in the log from before. */
  readonly kept: SnapshotPlace;
  readonly end: SnapshotPlace;
}

/** Records in one frame; with entries of at most 1,024 bytes that is far below `framePayloadBytesMax`. */
const frameRecordsMax = 2048;

export class LogWriter {
  readonly #disk: HostDisk;
  readonly #segmentBytes: number;
  readonly #memberId: MemberId;
  /** Oldest first; the last is written to. */
  #segments: Segment[];
  #snapshot: SnapshotPlace | undefined;
  #stagedBytes: number;
  /** As written, durable or not. */
  #hardState: HardState;
  #end: SnapshotPlace;
  #durableEnd: SnapshotPlace;
  #queue: Step[] = [];
  /** Steps queued, and made durable, since the log was opened. */
  #queuedCount = 0;
  #durableCount = 0;
  #waiters: Waiter[] = [];
  #isBusy = false;
  #failure: Error | undefined;

  constructor(disk: HostDisk, segmentBytes: number, recovered: RecoveredLog) {
    this.#disk = disk;
    this.#segmentBytes = segmentBytes;
    this.#memberId = recovered.memberId;
    this.#segments = recovered.segments;
    this.#snapshot = recovered.snapshot?.place;
    this.#stagedBytes = recovered.staged?.sizeBytes ?? 0;
    this.#hardState = recovered.hardState;
    this.#end = recovered.memory.end;
    this.#durableEnd = this.#end;
    if (this.#segments.length === 0) {
      this.#enqueue({ kind: "begin" });
    } else {
      // What was found may not be durable yet, and neither is what was cut.
      this.#enqueue({ kind: "sync" });
    }
  }

  get durableEnd(): SnapshotPlace {
    return this.#durableEnd;
  }

  get isWriting(): boolean {
    return this.#durableCount < this.#queuedCount;
  }

  change(change: EntryChange): void {
    this.#enqueue({ kind: "change", ...change });
  }

  /** Items of a snapshot that is being received follow on those before. */
  stage(place: SnapshotPlace, first: number, items: readonly SnapshotItem[], isLast: boolean): void {
    this.#enqueue({ kind: "stage", place, first, items, isLast });
  }

  /** The log begins anew behind a snapshot that is staged and whole, or has its final name already. */
  reset(place: SnapshotPlace, snapshot: "staged" | "renamed"): void {
    if (snapshot === "staged") this.#enqueue({ kind: "rename", place });
    this.#enqueue({ kind: "reset", place });
  }

  flush(done: (error?: Error) => void): void {
    if (this.#failure !== undefined || !this.isWriting) {
      done(this.#failure);
    } else {
      this.#waiters.push({ count: this.#queuedCount, done });
      this.#write();
    }
  }

  /** Beside the queue, in a file of its own. The newest stays. */
  writeSnapshot(snapshot: Snapshot, done: () => void): void {
    const { index } = snapshot.place;
    this.#disk.write(unfinishedName, 0, encodeSnapshot(snapshot));
    this.#sync(() => {
      this.#disk.rename(unfinishedName, snapshotName(index));
      this.#sync(() => {
        const before = this.#snapshot;
        const isNewest = before === undefined || index > before.index;
        if (isNewest) this.#snapshot = snapshot.place;
        if (before !== undefined) this.#disk.remove(snapshotName(isNewest ? before.index : index));
        done();
      });
    });
  }

  /** Removes the segments without which the log from `firstIndex` on can be read. */
  removeBefore(firstIndex: number): void {
    const first = this.#segments.findLastIndex(({ end }) => end.index < firstIndex);
    for (const { name } of this.#segments.splice(0, Math.max(0, first))) this.#disk.remove(name);
  }

  #enqueue(step: Step): void {
    this.#queue.push(step);
    this.#queuedCount++;
  }

  #write(): void {
    if (this.#isBusy || this.#queue.length === 0) return;
    this.#isBusy = true;
    const count = this.#round();
    const { index, term, hash } = this.#end;
    this.#sync(() => {
      this.#queue.splice(0, count);
      this.#durableCount += count;
      this.#durableEnd = { index, term, hash };
      while (this.#waiters.length > 0 && this.#waiters[0]!.count <= this.#durableCount)
        this.#waiters.shift()!.done();
      this.#isBusy = false;
      this.#write();
    });
  }

  #sync(done: () => void): void {
    this.#disk.sync((error) => {
      this.#failure ??= error;
      if (this.#failure === undefined) done();
      else for (const waiter of this.#waiters.splice(0)) waiter.done(this.#failure);
    });
  }

  /** Asks the disk for as many steps as may share a sync; returns their number. */
  #round(): number {
    const step = this.#queue[0]!;
    if (step.kind === "sync") return 1;
    if (step.kind === "begin") {
      this.#writeFrame(this.#beginSegment(beginning(), false));
      return 1;
    }
    if (step.kind === "rename") {
      this.#disk.rename(stagedName, snapshotName(step.place.index));
      this.#stagedBytes = 0;
      return 1;
    }
    if (step.kind === "reset") {
      this.#reset(step.place);
      return 1;
    }
    return this.#writeChanges();
  }

  #writeChanges(): number {
    const isFull = this.#segments.at(-1)!.sizeBytes >= this.#segmentBytes;
    const records = isFull ? this.#beginSegment(this.#end, false) : [];
    let count = 0;
    for (const step of this.#queue) {
      if (step.kind === "stage") this.#writeItems(step);
      else if (step.kind !== "change" || !this.#addRecords(step, records)) break;
      count++;
      if (records.length >= frameRecordsMax) break;
    }
    this.#writeFrame(records);
    return count;
  }

  /** False when the change begins a segment and others share its frame: then it waits for the next round. */
  #addRecords({ hardState, truncateFrom, kept, entries, end }: ChangeStep, records: CborValue[]): boolean {
    // A segment never goes back behind its own beginning, so that it can be the first one left.
    if (truncateFrom > 0 && truncateFrom <= this.#segments.at(-1)!.end.index) {
      if (records.length > 0) return false;
      records.push(...this.#beginSegment(kept, false));
    } else if (truncateFrom > 0) {
      records.push(truncationRecord(truncateFrom));
    }
    if (hardState !== undefined) {
      this.#hardState = hardState;
      records.push(hardStateRecord(hardState));
    }
    for (const entry of entries) records.push(entryRecord(entry));
    this.#end = end;
    return true;
  }

  /** The first records of a new segment, to be written in its first frame: a segment is there whole or not at all. */
  #beginSegment(end: SnapshotPlace, isReset: boolean): CborValue[] {
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    this.#segments.push({ number, name: segmentName(number, end.index + 1), end, sizeBytes: 0 });
    return [headerRecord({ memberId: this.#memberId, end, isReset }), hardStateRecord(this.#hardState)];
  }

  #writeFrame(records: readonly CborValue[]): void {
    if (records.length === 0) return;
    const frame = encodeFrame(encodeRecords(records));
    const segment = this.#segments.at(-1)!;
    this.#disk.write(segment.name, segment.sizeBytes, frame);
    segment.sizeBytes += frame.length;
  }

  #writeItems({ place, first, items, isLast }: StageStep): void {
    if (first === 0) {
      if (this.#stagedBytes > 0) this.#disk.truncate(stagedName, 0);
      this.#stagedBytes = 0;
      this.#writeStaged(encodePlace(place));
    }
    this.#writeStaged(encodeItems(place, first, items, isLast));
  }

  #writeStaged(frame: Uint8Array): void {
    this.#disk.write(stagedName, this.#stagedBytes, frame);
    this.#stagedBytes += frame.length;
  }

  #reset(place: SnapshotPlace): void {
    const before = this.#segments;
    const older = this.#snapshot;
    this.#segments = before.slice(-1);
    this.#writeFrame(this.#beginSegment(place, true));
    this.#segments.shift();
    this.#snapshot = place;
    this.#end = place;
    this.#sync(() => {
      for (const { name } of before) this.#disk.remove(name);
      if (older !== undefined && older.index < place.index) this.#disk.remove(snapshotName(older.index));
    });
  }
}

type Step =
  | { readonly kind: "begin" | "sync" }
  | { readonly kind: "rename" | "reset"; readonly place: SnapshotPlace }
  | ChangeStep
  | StageStep;

interface ChangeStep extends EntryChange {
  readonly kind: "change";
}

interface StageStep {
  readonly kind: "stage";
  readonly place: SnapshotPlace;
  readonly first: number;
  readonly items: readonly SnapshotItem[];
  readonly isLast: boolean;
}

interface Waiter {
  readonly count: number;
  readonly done: (error?: Error) => void;
}
