/**
 * What a board must not forget: who it is, its term and vote, its log, the agreed state and its checkpoint, in one region of
 * flash.
 *
 * Everything is a record in one log (`SectorLog`), in the order in which it happened. Each sector begins with a summary, so
 * what happened before the oldest sector is needed no more, but for records that still count: values of keys, entries that
 * are not applied, the parts of the checkpoint. Cleaning copies those from the oldest sector to the end, a few a turn, and
 * gives that sector back.
 *
 * What is acknowledged is in flash. A record cut short by the power was never promised to anyone, and is passed over. Anything
 * else that is not as it was written is damage, and then nothing is believed: the store starts empty under a new
 * incarnation, and says so. Damage that is found later, where a value is read, is noted in flash by `condemn`, so that the
 * next start finds it.
 *
 * In RAM are only numbers: where each key's value is, and where each entry is that is not applied yet. An entry that is
 * applied leaves the log; its record stays the place of its key's value until something newer replaces it.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type {
  AppendRequest,
  Entry,
  HardState,
  MemberId,
  RaftLog,
  RaftOutput,
} from "../../protocols/raft/types.ts";
import { EntryKind } from "../../protocols/raft/types.ts";
import { changeOf } from "../../protocols/state/apply.ts";
import { commandFromWire } from "../../protocols/state/codec.ts";
import type { PutCommand, StateValue } from "../../protocols/state/command.ts";
import { utf8Length } from "../../protocols/text/utf8.ts";
import type { FlashRegion, Random } from "../platform/ports.ts";
import { AgreedState } from "./agreed-state.ts";
import { CheckpointParts } from "./checkpoint-parts.ts";
import { EntryIndex } from "./entry-index.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import { hashOf } from "./key-index.ts";
import { type Place, sizeOf } from "./place.ts";
import {
  indexMax,
  type RecordHead,
  RecordKind,
  recordSize,
  type StoredRecord,
  trailerMax,
} from "./record.ts";
import { noData } from "./sector-headers.ts";
import { type HeaderSource, type ReplayTarget, reservedSectors, SectorLog } from "./sector-log.ts";
import {
  entryFrom,
  entryToStored,
  hardStateFrom,
  headerFromStored,
  headerToStored,
  storedNameBytesMax,
} from "./stored-values.ts";

export const storeLimits = Object.freeze({
  /** Entries that the log may hold beyond the applied ones. */
  entriesMax: 256,
  /** Terms and log indexes on flash; a leader would need 136 years at one a second. */
  termMax: trailerMax,
  indexMax: indexMax - 1,
  /** Records that `tidy` looks at and that it copies, in one call. */
  tidyLooks: 32,
  tidyCopies: 4,
});

/** Whose store it is; flash that belonged to another swarm or board is formatted. */
export interface StoreOwner {
  readonly swarm: string;
  readonly board: string;
}

/** How the store came up. */
export type Recovery =
  | { readonly kind: "recovered" }
  /** The flash was blank: a new member. */
  | { readonly kind: "formatted" }
  /** The flash belonged to `owner`: a new member. */
  | { readonly kind: "foreign"; readonly owner: string }
  /** The flash could not be believed: a new member, and whoever it was before is gone. */
  | { readonly kind: "damaged"; readonly what: string };

/** Told of each key that a committed entry changes. */
export interface StateListener {
  onStateChange(key: string, value: StateValue | undefined): void;
}

export class BoardStore implements RaftLog, HeaderSource, ReplayTarget {
  readonly recovery: Recovery;
  readonly #owner: StoreOwner;
  readonly #log: SectorLog;
  readonly #state: AgreedState;
  readonly #entries = new EntryIndex(storeLimits.entriesMax);
  readonly #checkpoint = new CheckpointParts();
  #incarnation = "";
  #hardState: HardState = noVote;
  /** Term of the last applied entry. */
  #appliedTerm = 0;
  #crashes = 0;
  /** Bytes of all records that count. */
  #liveBytes = 0;
  /** Only while recovering: what the records of the head sector say. */
  #replayedApplied = 0;
  #replayedLast = 0;

  /**
   * Recovers what `flash` holds, or formats it. Throws `RangeError` for a region that is too small, or a name of
   * more than `storedNameBytesMax` bytes.
   */
  constructor(flash: FlashRegion, owner: StoreOwner, random: Random) {
    if (Math.max(utf8Length(owner.swarm), utf8Length(owner.board)) > storedNameBytesMax) {
      throw new RangeError(`The names ${owner.swarm} and ${owner.board} are too long for the flash.`);
    }
    this.#owner = owner;
    this.#log = new SectorLog(flash, this);
    this.#state = new AgreedState(this.#log);
    this.recovery = this.#recover();
    if (this.recovery.kind !== "recovered") this.#format(random);
  }

  get memberId(): MemberId {
    return `${this.#owner.board}.${this.#incarnation}`;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  /** Every entry up to here is committed and applied. */
  get appliedIndex(): number {
    return this.#entries.firstIndex - 1;
  }

  get firstIndex(): number {
    return this.#entries.firstIndex;
  }

  get lastIndex(): number {
    return this.#entries.lastIndex;
  }

  termAt(index: number): number | undefined {
    if (index === 0) return 0;
    if (index === this.appliedIndex) return this.#appliedTerm;
    return this.#entries.has(index) ? this.#entries.termOf(index) : undefined;
  }

  /** Number of keys in the agreed state. */
  get size(): number {
    return this.#state.size;
  }

  /** The committed value of `key`. Throws `FlashDamaged`. */
  get(key: string): StateValue | undefined {
    return this.#state.get(key);
  }

  /** Sector erases since the flash was new, as far as is known; spread evenly over its sectors. */
  get erases(): number {
    return this.#log.erases;
  }

  get sectors(): number {
    return this.#log.sectors;
  }

  // Raft.

  /**
   * Makes room for whatever a step of `request` may ask to be written; undefined for a request that carries no entries.
   * False when there is none even after cleaning: then the request must be dropped before the core sees it.
   */
  makeRoom(request: AppendRequest | undefined): boolean {
    // Entries that do not follow on this log are refused by the core, which is how the leader finds where to begin.
    const brings =
      request !== undefined && request.prevLogIndex <= this.lastIndex ? request.entries : noEntries;
    if (brings.length > 0) {
      const lastIndex = request!.prevLogIndex + brings.length;
      if (lastIndex - this.appliedIndex > storeLimits.entriesMax || lastIndex > storeLimits.indexMax)
        return false;
      let bytes = 0;
      for (const entry of brings) {
        const size = entrySizeMax(entry);
        if (size > this.#log.roomBytes) return false;
        bytes += size;
      }
      if (this.#liveBytes + bytes > this.#capacityBytes) return false;
    }
    return this.#clean(brings, stepRecordsBytesMax);
  }

  /** Makes hard state, truncation and entries durable, in this order; `makeRoom` said yes to the request before. */
  write(output: RaftOutput): void {
    const { hardState, truncateFrom, entries } = output;
    if (hardState !== undefined) {
      this.#hardState = hardState;
      const { term, vote } = hardState;
      this.#log.append(RecordKind.hardState, term, 0, vote === undefined ? noData : encodeCbor(vote));
    }
    if (truncateFrom > 0) this.#truncate(truncateFrom);
    for (const entry of entries) {
      const place = this.#appendEntry(entry);
      this.#entries.push(place, entry.term);
      this.#liveBytes += sizeOf(place);
    }
  }

  /** Makes the commit index durable after what it newly covers, and tells what that changed. */
  commit(index: number, listener: StateListener): void {
    const target = Math.min(index, this.lastIndex);
    while (this.appliedIndex < target) {
      this.#clean(noEntries, commitRecordsBytesMax);
      const changes = this.#applyTo(target);
      this.#log.append(RecordKind.commit, this.appliedIndex, this.#appliedTerm);
      for (const { key, value } of changes) listener.onStateChange(key, value);
    }
  }

  // The board's own.

  /** How often in a row the board has crashed, as `noteCrashes` was last told. */
  get crashes(): number {
    return this.#crashes;
  }

  noteCrashes(crashes: number): void {
    if (crashes === this.#crashes) return;
    this.#clean(noEntries, stepRecordsBytesMax);
    this.#crashes = crashes;
    this.#log.append(RecordKind.crashes, crashes, 0);
  }

  /** Number of parts of the latest checkpoint, 0 for none. */
  get checkpointParts(): number {
    return this.#checkpoint.count;
  }

  /** Throws `FlashDamaged`. */
  checkpointPart(part: number): Uint8Array {
    return this.#checkpoint.part(this.#log, part);
  }

  /** Replaces the latest checkpoint, wholly or not at all. False when the flash has no room for it. */
  saveCheckpoint(parts: readonly Uint8Array[]): boolean {
    const bytes = CheckpointParts.sizeOf(parts);
    if (this.#liveBytes + bytes > this.#capacityBytes) return false;
    for (const part of parts) if (recordSize(part.length) > this.#log.roomBytes) return false;
    if (!this.#clean(noEntries, bytes)) return false;
    const before = this.#checkpoint.liveBytes();
    this.#checkpoint.write(this.#log, parts);
    this.#liveBytes += this.#checkpoint.liveBytes() - before;
    return true;
  }

  /** Notes that the flash is not to be believed, so that the next start does not. */
  condemn(what: string): void {
    this.#log.append(RecordKind.condemned, 0, 0, encodeCbor(what.slice(0, condemnedLengthMax)));
  }

  /** Does a little of the cleaning that is to come, so that no turn has to do much. True when it did something. */
  tidy(): boolean {
    const isWorthIt =
      this.#log.freeSectors <= reservedSectors + Math.floor(this.#log.sectors / 16) &&
      this.#log.usedSectors * this.#log.roomBytes - this.#liveBytes > 2 * this.#log.roomBytes;
    if (isWorthIt) this.#cleanSome(storeLimits.tidyLooks, storeLimits.tidyCopies);
    return isWorthIt;
  }

  /** For the log. */
  headerValue(): CborValue {
    const { swarm, board } = this.#owner;
    return headerToStored({
      swarm,
      board,
      incarnation: this.#incarnation,
      hardState: this.#hardState,
      appliedIndex: this.appliedIndex,
      appliedTerm: this.#appliedTerm,
      lastIndex: this.lastIndex,
      hasCollisions: this.#state.hasCollisions,
      crashes: this.#crashes,
    });
  }

  /** Records that count may take three quarters of what cleaning does not need for itself. */
  get #capacityBytes(): number {
    return (this.#log.sectors - reservedSectors) * this.#log.roomBytes * 0.75;
  }

  #appendEntry(entry: Entry): Place {
    const hash = hashOfPut(entry);
    return hash === undefined
      ? this.#log.append(RecordKind.entry, entry.index, 0, entryToStored(entry), entry.term)
      : this.#log.append(RecordKind.put, entry.index, hash, entry.data, entry.term);
  }

  /** The next sector's header makes entries from `index` on in the sectors before it void. */
  #truncate(index: number): void {
    for (let gone = index; gone <= this.lastIndex; gone++) {
      this.#liveBytes -= sizeOf(this.#entries.placeOf(gone));
    }
    this.#entries.truncateFrom(index);
    this.#log.openSector(index);
  }

  /**
   * Applies entries up to `index`, or fewer: what they change is held until the commit is durable, and a removal is written
   * down for itself, of which there is room for one. Gives the changes.
   */
  #applyTo(index: number): readonly PutCommand[] {
    const changes: PutCommand[] = [];
    let heldBytes = 0;
    let isAbsentWritten = false;
    while (this.appliedIndex < index && heldBytes < heldBytesMax && !isAbsentWritten) {
      const next = this.#entries.firstIndex;
      const place = this.#entries.placeOf(next);
      const record = this.#log.read(place);
      const change = changeOf(entryFrom(record), this.#state);
      let goes: Place = place;
      if (change === undefined) {
        // A valid put that changes nothing: there are as many keys as there may be.
        isAbsentWritten = record.kind === RecordKind.put;
        if (isAbsentWritten) this.#state.writeAbsent(commandFromWire(decodeCbor(record.data)).key, next);
      } else if (change.value === undefined) {
        isAbsentWritten = true;
        this.#state.writeAbsent(change.key, next);
        this.#liveBytes -= sizeOf(this.#state.remove(change.key));
      } else {
        goes = this.#state.put(change.key, place, next);
      }
      this.#liveBytes -= sizeOf(goes);
      this.#appliedTerm = this.#entries.termOf(next);
      this.#entries.shift();
      if (change !== undefined) changes.push(change);
      heldBytes += sizeOf(place);
    }
    return changes;
  }

  // Cleaning.

  /** Cleans until `entries` and other short records of `otherBytes` fit and the reserve is left. False when they cannot. */
  #clean(entries: readonly Entry[], otherBytes: number): boolean {
    for (let freed = 0; ; freed++) {
      const opens = this.#sectorsToOpen(entries, otherBytes);
      if (this.#log.freeSectors >= opens + reservedSectors) return true;
      if (freed === this.#log.sectors || !this.#cleanSome(Infinity, Infinity)) return opens === 0;
    }
  }

  #sectorsToOpen(entries: readonly Entry[], otherBytes: number): number {
    let { restBytes } = this.#log;
    // They may contradict what the log holds beyond them: a truncation begins a sector.
    let opens = entries.length > 0 && entries[0]!.index <= this.lastIndex ? 1 : 0;
    if (opens > 0) restBytes = this.#log.roomBytes;
    for (const entry of entries) {
      const size = entrySizeMax(entry);
      if (size > restBytes) {
        opens++;
        restBytes = this.#log.roomBytes;
      }
      restBytes -= size;
    }
    return otherBytes <= restBytes ? opens : opens + Math.ceil(otherBytes / (this.#log.roomBytes / 2));
  }

  /**
   * Goes on with cleaning the oldest sector, for at most so many records, and gives it back at its end. False when there is
   * no other sector than the one in use.
   */
  #cleanSome(looksMax: number, copiesMax: number): boolean {
    const walk = this.#log.startCleaning();
    if (walk === undefined) return false;
    let copies = 0;
    for (let looks = 0; looks < looksMax && copies < copiesMax; looks++) {
      if (!walk.next()) {
        this.#log.freeTail();
        return true;
      }
      if (this.#keep(walk.head, walk.place)) copies++;
    }
    return true;
  }

  /** Copies the record at `place` to the end of the log if it still counts. */
  #keep({ kind, index, tag }: RecordHead, place: Place): boolean {
    switch (kind) {
      case RecordKind.put:
      case RecordKind.entry:
        if (index > this.appliedIndex) {
          if (!this.#entries.has(index) || this.#entries.placeOf(index) !== place) return false;
          this.#entries.move(index, this.#copy(place, kind));
          return true;
        }
        if (kind === RecordKind.entry) return false;
        break;
      case RecordKind.value:
        break;
      case RecordKind.checkpoint:
        if (!this.#checkpoint.holds(place)) return false;
        this.#checkpoint.move(place, this.#copy(place, kind));
        return true;
      default:
        return false;
    }
    if (!this.#state.holds(tag, place)) return false;
    this.#state.move(tag, place, this.#copy(place, RecordKind.value));
    return true;
  }

  #copy(from: Place, kind: number): Place {
    const { index, tag, data, trailer } = this.#log.read(from);
    return this.#log.append(kind, index, tag, data, trailer);
  }

  // Recovery.

  #recover(): Recovery {
    try {
      const value = this.#log.find();
      if (value === undefined) return { kind: "formatted" };
      const header = headerFromStored(value);
      const { swarm, board } = header;
      if (swarm !== this.#owner.swarm || board !== this.#owner.board) {
        return { kind: "foreign", owner: `${swarm}/${board}` };
      }
      this.#incarnation = header.incarnation;
      this.#hardState = header.hardState;
      this.#appliedTerm = header.appliedTerm;
      this.#crashes = header.crashes;
      this.#state.hasCollisions = header.hasCollisions;
      this.#replayedApplied = header.appliedIndex;
      this.#replayedLast = header.lastIndex;
      this.#log.replay(this);
      this.#endReplay();
      return recovered;
    } catch (error) {
      if (error instanceof FlashDamaged || error instanceof ShapeError || error instanceof CborError) {
        return { kind: "damaged", what: error.message };
      }
      throw error;
    }
  }

  /** For the log. */
  onHeadRecord(record: StoredRecord): void {
    const { kind, index, tag } = record;
    switch (kind) {
      case RecordKind.hardState:
        this.#hardState = hardStateFrom(record);
        break;
      case RecordKind.put:
      case RecordKind.entry:
        this.#replayedLast = Math.max(this.#replayedLast, index);
        break;
      case RecordKind.commit:
        this.#replayedApplied = index;
        this.#appliedTerm = tag;
        break;
      case RecordKind.collision:
        this.#state.hasCollisions = true;
        break;
      case RecordKind.crashes:
        this.#crashes = index;
        break;
      case RecordKind.condemned:
        throw new FlashDamaged(`noted when it was found: ${decodeCbor(record.data)}`);
      case RecordKind.value:
      case RecordKind.absent:
      case RecordKind.tail:
      case RecordKind.checkpoint:
        break;
      default:
        throw new FlashDamaged(`it has a record of kind ${kind}, which this firmware does not know`);
    }
  }

  /** For the log, after the head's records: where each thing is that counts. */
  onRecord(kind: number, index: number, tag: number, place: Place, truncatedFrom: number): void {
    switch (kind) {
      case RecordKind.put:
      case RecordKind.entry:
        if (index >= truncatedFrom) break;
        if (this.#entries.has(index)) this.#entries.move(index, place);
        else if (kind === RecordKind.put && index <= this.appliedIndex)
          this.#state.replayValue(tag, index, place);
        break;
      case RecordKind.value:
        this.#state.replayValue(tag, index, place);
        break;
      case RecordKind.absent:
        if (index <= this.appliedIndex) this.#state.replayAbsent(tag, index, place);
        break;
      case RecordKind.checkpoint:
        this.#checkpoint.replay(index, tag, place);
    }
  }

  /** For the log, between the two: the entries that are not applied are known, but not where they are. */
  onHeadRead(): void {
    const waiting = this.#replayedLast - this.#replayedApplied;
    if (waiting < 0 || waiting > storeLimits.entriesMax) {
      throw new FlashDamaged(
        `entry ${this.#replayedApplied} is committed, ${this.#replayedLast} is the last`,
      );
    }
    this.#entries.restart(this.#replayedApplied);
    for (let i = 0; i < waiting; i++) this.#entries.push(0, 0);
  }

  #endReplay(): void {
    this.#checkpoint.endReplay();
    this.#liveBytes = this.#state.liveBytes() + this.#checkpoint.liveBytes();
    for (let index = this.firstIndex; index <= this.lastIndex; index++) {
      const place = this.#entries.placeOf(index);
      if (place === 0) throw new FlashDamaged(`entry ${index} is missing`);
      this.#entries.setTerm(index, this.#log.read(place).trailer);
      this.#liveBytes += sizeOf(place);
    }
  }

  /** Starts anew: a new incarnation, an empty log, an empty state. */
  #format(random: Random): void {
    const seed = new Uint8Array(4);
    random.fill(seed);
    this.#incarnation = "";
    for (const byte of seed) this.#incarnation += (byte + 0x100).toString(16).slice(1);
    this.#hardState = noVote;
    this.#appliedTerm = 0;
    this.#crashes = 0;
    this.#liveBytes = 0;
    this.#entries.restart(0);
    this.#state.clear();
    this.#checkpoint.clear();
    this.#log.format();
  }
}

/** What one step writes beside entries: hard state, a commit. */
const stepRecordsBytesMax = 128;

/** What one round of a commit writes: a removal, a collision, the commit itself. */
const commitRecordsBytesMax = 128;

/** Bytes of records whose changes are held until their commit is durable; one more record may go beyond it. */
const heldBytesMax = 1024;

const condemnedLengthMax = 100;

const noEntries: readonly Entry[] = Object.freeze([]);
const noVote: HardState = Object.freeze({ term: 0, vote: undefined });
const recovered: Recovery = Object.freeze({ kind: "recovered" });

/** Bytes of the record of an entry, at most: what is no valid put also says its kind and version. */
function entrySizeMax({ data }: Entry): number {
  return recordSize(data.length + 24);
}

/** The hash of the key under which an entry puts a value; undefined for any other entry, valid or not. */
function hashOfPut({ kind, version, data }: Entry): number | undefined {
  if (kind !== EntryKind.put || version !== 1) return undefined;
  try {
    const { key, value } = commandFromWire(decodeCbor(data));
    return value === undefined ? undefined : hashOf(key);
  } catch (error) {
    if (error instanceof CborError || error instanceof ShapeError) return undefined;
    throw error;
  }
}
