/**
 * The entries of the log, each a record in flash. The applied ones leave it late: the last `retainedMin` at least stay, so that
 * a host that lacks a few can read them here, unless they are so long that the state needs their room.
 */
import { chainHash, emptyChain, type Sha256 } from "../../protocols/raft/chain.ts";
import type { Entry, SnapshotItem, SnapshotPlace } from "../../protocols/raft/types.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import { commandOf, orSkipped } from "../../protocols/state/apply.ts";
import { type Adoption, adoptionFromData, isAdoption } from "../../protocols/state/draft.ts";
import { isPuts, putsLimits } from "../../protocols/state/puts.ts";
import { EntryIndex } from "./entry-index.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import { hashOf } from "./key-index.ts";
import { type Place, sizeOf } from "./place.ts";
import { type RecordHead, RecordKind, recordSize } from "./record.ts";
import type { SectorLog } from "./sector-log.ts";
import { entryFrom, entryToStored } from "./stored-values.ts";

export const entryLimits = Object.freeze({
  /** Entries that may wait to be applied. */
  waitingMax: 256,
  /** Applied entries that stay, and that there may be before the oldest go. */
  retainedMin: 64,
  retainedMax: 96,
});

export class EntryLog {
  readonly #log: SectorLog;
  readonly #sha256: Sha256;
  readonly #index = new EntryIndex(entryLimits.waitingMax + 2 * entryLimits.retainedMax);
  #appliedIndex = 0;
  #retainedBytes = 0;
  #waitingValuesBytes = 0;

  constructor(log: SectorLog, sha256: Sha256) {
    this.#log = log;
    this.#sha256 = sha256;
  }

  get firstIndex(): number {
    return this.#index.baseIndex + 1;
  }

  get lastIndex(): number {
    return this.#index.lastIndex;
  }

  /** Every entry up to here is committed and applied. */
  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  /** Bytes of the records of applied entries. */
  get retainedBytes(): number {
    return this.#retainedBytes;
  }

  /** What the entries that wait will write when they are applied, at most: room that must stay. */
  get waitingValuesBytes(): number {
    return this.#waitingValuesBytes;
  }

  get base(): SnapshotPlace {
    return this.placeAt(this.#index.baseIndex);
  }

  /** Index, term and chain hash of an entry of the log, or of the one before the first. */
  placeAt(index: number): SnapshotPlace {
    return { index, term: this.#index.termOf(index), hash: this.#index.hashOf(index) };
  }

  has(index: number): boolean {
    return this.#index.has(index);
  }

  placeOf(index: number): Place {
    return this.#index.placeOf(index);
  }

  termAt(index: number): number | undefined {
    return this.isKnown(index) ? this.#index.termOf(index) : undefined;
  }

  hashAt(index: number): Uint8Array | undefined {
    return this.isKnown(index) ? this.#index.hashOf(index) : undefined;
  }

  /** Throws `FlashDamaged`, and `RangeError` for one that the log does not hold. */
  entry(index: number): Entry {
    return entryFrom(this.#log.read(this.#index.placeOf(index)));
  }

  /** Writes the next entry; gives where. */
  append(entry: Entry): Place {
    const { term } = entry;
    const valuesBytes = valuesSizeMax(entry);
    const place = this.write(entry, valuesBytes);
    this.#waitingValuesBytes += valuesBytes;
    const before = this.#index.hashOf(this.lastIndex);
    this.#index.push(place, term, chainHash(before, entry, this.#sha256));
    return place;
  }

  /** The entry at `index` has been copied to `place`. */
  move(index: number, place: Place): void {
    this.#index.move(index, place);
  }

  /** Whether the record at `place` is that of the entry at `index`, which the log holds. */
  isAt(index: number, place: Place): boolean {
    return this.#index.has(index) && this.#index.placeOf(index) === place;
  }

  /** Drops `index`, which is not applied, and all after it; gives the bytes of their records. */
  truncateFrom(index: number): number {
    let bytes = 0;
    for (let gone = index; gone <= this.lastIndex; gone++) {
      const place = this.placeOf(gone);
      bytes += sizeOf(place);
      if (this.#waitingValuesBytes > 0) this.noteGone(this.#log.readHead(place));
    }
    this.#index.truncateFrom(index);
    return bytes;
  }

  /** The next entry, whose record is this, is applied. */
  apply(record: KindAndTag): void {
    this.#retainedBytes += sizeOf(this.placeOf(++this.#appliedIndex));
    this.noteGone(record);
  }

  /** Drops the first entry, which is applied. */
  shift(): void {
    this.#retainedBytes -= sizeOf(this.placeOf(this.firstIndex));
    this.#index.shift();
  }

  /** Begins anew, empty, behind `base`, up to which everything is applied. */
  restart(base: SnapshotPlace): void {
    this.#index.restart(base.index, base.term, base.hash);
    this.#appliedIndex = base.index;
    this.#retainedBytes = 0;
    this.#waitingValuesBytes = 0;
  }

  // Recovery.

  /** Entries up to `lastIndex` are known to be there, but not where. Throws `FlashDamaged`. */
  expect(base: SnapshotPlace, appliedIndex: number, lastIndex: number): void {
    const held = lastIndex - base.index;
    if (base.index > appliedIndex || appliedIndex > lastIndex || held > this.#index.entriesMax) {
      throw new FlashDamaged(
        `entry ${appliedIndex} is committed, the log is said to go from ${base.index + 1} to ${lastIndex}`,
      );
    }
    this.restart(base);
    this.#appliedIndex = appliedIndex;
    for (let i = 0; i < held; i++) this.#index.push(0, 0, emptyChain());
  }

  /** Every entry has been found: reads them all, and so knows their terms and hashes. Throws `FlashDamaged`. */
  endReplay(): void {
    let { hash } = this.base;
    for (let index = this.firstIndex; index <= this.lastIndex; index++) {
      const place = this.placeOf(index);
      if (place === 0) throw new FlashDamaged(`entry ${index} is missing`);
      const entry = this.entry(index);
      hash = chainHash(hash, entry, this.#sha256);
      this.#index.set(index, place, entry.term, hash);
      if (index <= this.#appliedIndex) this.#retainedBytes += sizeOf(place);
      else this.#waitingValuesBytes += valuesSizeMax(entry);
    }
  }

  /** An entry, whose record is this, waits no more. */
  private noteGone({ kind, tag }: KindAndTag): void {
    if (isOfSeveral(kind)) this.#waitingValuesBytes -= tag;
  }

  private write(entry: Entry, valuesBytes: number): Place {
    const { index, term, kind, data } = entry;
    if (valuesBytes > 0) {
      const ofSeveral = kind === EntryKind.puts ? RecordKind.puts : RecordKind.adoption;
      return this.#log.append(ofSeveral, index, valuesBytes, data, term);
    }
    const keyHash = hashOfPut(entry);
    if (keyHash !== undefined) return this.#log.append(RecordKind.put, index, keyHash, data, term);
    const otherKind = kind === EntryKind.membership ? RecordKind.membership : RecordKind.entry;
    return this.#log.append(otherKind, index, 0, entryToStored(entry), term);
  }

  private isKnown(index: number): boolean {
    return index === this.#index.baseIndex || this.#index.has(index);
  }
}

/** Bytes of the record of an entry or item, at most: what is no valid put also says its kind and version. */
export function recordSizeMax({ data }: SnapshotItem): number {
  return recordSize(data.length + 24);
}

/** Bytes of the records that applying an entry of several changes writes beside its commit, at most; 0 for any other entry. */
export function valuesSizeMax(entry: SnapshotItem): number {
  const { length } = entry.data;
  // The shortest put, of one letter, takes four bytes.
  if (isPuts(entry)) return length + recordGrowthMax * Math.min(putsLimits.putsMax, length >> 2);
  const adoption = adoptionOf(entry);
  if (adoption === undefined) return 0;
  const { pieces, puts, bytes } = adoption;
  return bytes + recordGrowthMax * puts + absentPieceBytes * pieces;
}

/** Whether the record of an entry, of this kind, says in its tag what `valuesSizeMax` says of the entry. */
export function isOfSeveral(kind: number): boolean {
  return kind === RecordKind.puts || kind === RecordKind.adoption;
}

/** undefined for an entry that is no valid adoption. */
function adoptionOf(entry: SnapshotItem): Adoption | undefined {
  return isAdoption(entry) ? orSkipped(entry.data, adoptionFromData) : undefined;
}

/** How much longer a record is than its data, at most. */
const recordGrowthMax = 35;

/** Of the record that says that a piece is no more: that of CBOR ["covey/draft/63", null], 17 bytes. */
export const absentPieceBytes = 48;

/** The hash of the key under which an entry or item puts a value; undefined for any other, valid or not. */
export function hashOfPut({ kind, version, data }: SnapshotItem): number | undefined {
  if (kind !== EntryKind.put || version !== 1) return undefined;
  const put = orSkipped(data, commandOf);
  return put?.value === undefined ? undefined : hashOf(put.key);
}

type KindAndTag = Pick<RecordHead, "kind" | "tag">;
