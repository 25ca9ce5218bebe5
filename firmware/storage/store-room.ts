import type { Entry, Message, Publication, SnapshotChunk } from "../../protocols/raft/types.ts";
import { CheckpointParts } from "./checkpoint-parts.ts";
import { entryLimits, recordSizeMax, valuesSizeMax } from "./entry-log.ts";
import { indexMax, recordSize, trailerMax } from "./record.ts";
import { stagedItemsMax } from "./staged-items.ts";
import type { StoreCleaning, Writes } from "./store-cleaning.ts";
import type { StoreContents } from "./store-contents.ts";

export const storeLimits = Object.freeze({
  /** Entries that the log may hold beyond the applied ones. */
  entriesMax: entryLimits.waitingMax,
  /** Terms and log indexes on flash; a leader would need 136 years at one a second. */
  termMax: trailerMax,
  indexMax: indexMax - 1,
  /** Records that `tidy` looks at and that it copies, in one call. */
  tidyLooks: 32,
  tidyCopies: 4,
});

/** Says, before anything is written, whether it all fits, and cleans so that it does. */
export class StoreRoom {
  readonly #contents: StoreContents;
  readonly #cleaning: StoreCleaning;

  constructor(contents: StoreContents, cleaning: StoreCleaning) {
    this.#contents = contents;
    this.#cleaning = cleaning;
  }

  /** For whatever a step of `message` may ask to be written; of undefined, a vote or a commit. False when there can be none. */
  make(message: Message | Publication | undefined): boolean {
    switch (message?.type) {
      case "append-request":
      case "publication":
        return this.makeForEntries(message.prevLogIndex, message.entries);
      case "snapshot-chunk":
        return this.makeForChunk(message);
    }
    return this.#cleaning.makeRoom(noWrites);
  }

  /** For parts of a checkpoint, or what is kept. */
  makeForParts(parts: readonly Uint8Array[]): boolean {
    if (!this.hasCapacityFor(CheckpointParts.sizeOf(parts))) return false;
    const records = parts.map((part) => recordSize(part.length));
    if (records.some((size) => size > this.#contents.log.roomBytes)) return false;
    return this.#cleaning.makeRoom({ ...noWrites, records });
  }

  /** For the records of values that one entry puts at once; that they may count was seen to when it was appended. */
  makeForValues(records: readonly number[]): boolean {
    return this.#cleaning.makeRoom({ ...noWrites, records });
  }

  /** For so many sectors, in which all that is written has been counted. */
  makeForSectors(sectors: number): boolean {
    return this.#cleaning.makeRoom({ ...noWrites, otherBytes: 0, sectors });
  }

  private makeForEntries(prevLogIndex: number, sent: readonly Entry[]): boolean {
    const { lastIndex, appliedIndex } = this.#contents.entries;
    // Entries that do not follow on this log are refused by the core, which is how the leader finds where to begin.
    if (sent.length === 0 || prevLogIndex > lastIndex) return this.#cleaning.makeRoom(noWrites);
    const newLast = prevLogIndex + sent.length;
    if (newLast - appliedIndex > storeLimits.entriesMax || newLast > storeLimits.indexMax) return false;
    // They may contradict what the log holds beyond them: a truncation begins a sector.
    let valuesBytes = 0;
    for (let i = 0; i < sent.length; i++) valuesBytes += valuesSizeMax(sent[i]!);
    return this.makeFor(sent.map(recordSizeMax), prevLogIndex < lastIndex, false, -valuesBytes);
  }

  private makeForChunk({ index, first, items, isLast }: SnapshotChunk): boolean {
    if (index > storeLimits.indexMax || first + items.length > stagedItemsMax) return false;
    const dropped = first === 0 ? this.#contents.staged.bytes : 0;
    return this.makeFor(items.map(recordSizeMax), first === 0, isLast, dropped);
  }

  private makeFor(
    records: readonly number[],
    opensBefore: boolean,
    opensAfter: boolean,
    droppedBytes: number,
  ): boolean {
    let bytes = -droppedBytes;
    for (const size of records) {
      if (size > this.#contents.log.roomBytes) return false;
      bytes += size;
    }
    return (
      this.hasCapacityFor(bytes) && this.#cleaning.makeRoom({ ...noWrites, records, opensBefore, opensAfter })
    );
  }

  /** Whether so many bytes more may count; applied entries give way. */
  private hasCapacityFor(bytes: number): boolean {
    const contents = this.#contents;
    const { entries } = contents;
    const capacityBytes = contents.capacityBytes - entries.waitingValuesBytes;
    if (contents.liveBytes + bytes <= capacityBytes) return true;
    if (contents.liveBytes - entries.retainedBytes + bytes > capacityBytes) return false;
    this.#cleaning.makeRoom(noWrites);
    contents.moveBase(entries.appliedIndex);
    return contents.liveBytes + bytes <= capacityBytes;
  }
}

/** What a step writes beside entries: hard state; or a removal, a collision, the commit and where the log begins. */
export const otherRecordsBytesMax = 176;

const noWrites: Writes = Object.freeze({
  records: Object.freeze([]),
  otherBytes: otherRecordsBytesMax,
  opensBefore: false,
  opensAfter: false,
  sectors: 0,
});
