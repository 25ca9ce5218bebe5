/**
 * Records in a ring of flash sectors: appended at its head, freed at its tail, so that every sector is erased equally often.
 *
 * ```
 *   free | tail ... full sectors ... head | free
 *
 *   sector:  header | records | ... | mark
 * ```
 *
 * Sectors are numbered for ever: the one of sequence s is sector `s modulo sectors` of the flash. A header carries its
 * sequence, the tail, where the records of the sector before it end, and what the owner needs to know first. Once a header is
 * durable, the sector before it gets a mark in its last bytes: a sector without one is the head, and a mark without a next
 * sector shows that the head was lost. Sectors before the tail count as free, whatever is in them: a tail is durable before its
 * sector is erased. So the chain from tail to head is whole, or is known not to be.
 *
 * Nobody writes after a record that the power cut short: the rest of that sector stays unused.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ItemReader } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { FlashRegion } from "../platform/ports.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import { addressOf, type Place, placeAt, sizeOf } from "./place.ts";
import {
  HeadReader,
  indexMax,
  type RecordHead,
  RecordKind,
  RecordWriter,
  readRecord,
  recordAlignBytes,
  recordHeadBytes,
  recordSize,
  type StoredRecord,
} from "./record.ts";
import { RecordWalk } from "./record-walk.ts";
import { noData, SectorHeaders, sectorsOf } from "./sector-headers.ts";
import { isErased, writtenEnd } from "./written-end.ts";

/** Of all that is in flash. Another is not read: its owner becomes a new member. */
export const formatVersion = 3;

/** Fewer cannot hold a head, the sector being cleaned and room for what moves. */
export const sectorsMin = 4;

/** Sectors that only cleaning may use: one that it fills while it empties another, and one for what does not fit there. */
export const reservedSectors = 2;

export interface HeaderSource {
  /** What each new header carries for the owner. */
  headerValue(): CborValue;
}

/** What each record that recovery meets is told to. */
export interface ReplayTarget {
  /** In the head sector, before anything else: what changed since its header. Its data is sound. */
  onHeadRecord(record: StoredRecord): void;
  onHeadRead(): void;
  /**
   * Every record from tail to head, in the sector of this sequence; `truncatedFrom` is the first index that was cut off after it,
   * Infinity for none.
   */
  onRecord(head: RecordHead, place: Place, sequence: number, truncatedFrom: number): void;
}

export class SectorLog {
  readonly sectors: number;
  readonly #flash: FlashRegion;
  readonly #source: HeaderSource;
  readonly #writer = new RecordWriter();
  readonly #walk: RecordWalk;
  #isHolding = false;
  #tail = 1;
  #head = 0;
  /** Where the next record goes, from the start of the head sector. */
  #end: number;
  /** Where its sound records end. */
  #recordsEnd = 0;
  #headerBytes = 96;
  /** The tail when this log began: only sectors that it freed since are known to be erased. */
  #tailAtStart = 1;
  /** Sequence of the sector that is being cleaned, 0 for none. */
  #cleaning = 0;
  /** Address of the end of its records. */
  #cleaningEnd = 0;
  /** Only between `find` and `replay`. */
  #headers: SectorHeaders | undefined;

  /** Throws `RangeError` for a region of fewer than `sectorsMin` sectors, or of sectors that are too small. */
  constructor(flash: FlashRegion, source: HeaderSource) {
    this.sectors = sectorsOf(flash);
    if (this.sectors < sectorsMin || recordAlignBytes % flash.alignBytes !== 0) {
      throw new RangeError(
        `The flash region needs ${sectorsMin} sectors and writes in units of up to ${recordAlignBytes} bytes.`,
      );
    }
    this.#flash = flash;
    this.#source = source;
    this.#walk = new RecordWalk(flash);
    this.#end = flash.sectorBytes;
  }

  /** Bytes left in the head sector. */
  get restBytes(): number {
    return Math.max(0, this.#markOffset - this.#end);
  }

  /** Bytes for records in a sector to come. */
  get roomBytes(): number {
    return this.#markOffset - this.#headerBytes - headerGrowthBytes;
  }

  get usedSectors(): number {
    return this.#head - this.#tail + 1;
  }

  get freeSectors(): number {
    return this.sectors - this.usedSectors;
  }

  /** Sector erases since the flash was new; they are spread evenly. */
  get erases(): number {
    return Math.max(0, this.#tail - 1);
  }

  /** The sequence of the sector that `openSector` would begin. */
  get nextSequence(): number {
    return this.#head + 1;
  }

  /**
   * Appends one record, durable when this returns, or after `hold` when `release` does. Throws `RangeError` when there is no
   * free sector for it.
   */
  append(kind: number, index: number, tag: number, data: Uint8Array = noData, trailer = 0): Place {
    const bytes = recordSize(data.length);
    if (bytes > this.restBytes) this.openSector(0);
    else if (this.#writer.length + bytes > heldBytesMax) this.#flush();
    const address = this.#addressOf(this.#head) + this.#end;
    this.#end += this.#writer.frame(kind, index, tag, data, trailer);
    this.#recordsEnd = this.#end;
    if (!this.#isHolding) this.#flush();
    return placeAt(address, bytes);
  }

  /**
   * From here to `release`, records that follow one another in a sector are written together. Flash is written in order of
   * address, so a power cut leaves what it would leave of one after the other.
   */
  hold(): void {
    this.#isHolding = true;
  }

  release(): void {
    this.#isHolding = false;
    this.#flush();
  }

  #flush(): void {
    const { length, records } = this.#writer;
    if (length === 0) return;
    this.#flash.write(this.#addressOf(this.#head) + this.#end - length, records);
    this.#writer.clear();
  }

  /** The record at `place`. Throws `FlashDamaged` when it is not what was written there. */
  read(place: Place): StoredRecord {
    if (this.#writer.length > 0) this.#flush();
    const address = addressOf(place);
    const record = readRecord(this.#flash.read(address, sizeOf(place)));
    if (record === undefined) throw new FlashDamaged(`the record at ${address} has changed`);
    return record;
  }

  /** Begins the next sector. Entries from index `truncatedFrom` on in earlier ones are void; 0 for none. */
  openSector(truncatedFrom: number): void {
    if (this.freeSectors === 0) throw new RangeError("The flash log is full: clean it first.");
    this.#flush();
    const sequence = this.#head + 1;
    if (sequence - this.sectors < this.#tailAtStart && !this.#isBlank(sequence)) this.#erase(sequence);
    const value = encodeCbor([formatVersion, this.#tail, this.#source.headerValue()]);
    const previousEnd = this.usedSectors > 0 ? this.#recordsEnd : 0;
    const bytes = this.#writer.frame(RecordKind.header, sequence, truncatedFrom, value, previousEnd);
    if (bytes > this.#markOffset) throw new RangeError("A header does not fit a sector of the flash.");
    this.#flash.write(this.#addressOf(sequence), this.#writer.records);
    this.#writer.clear();
    if (this.usedSectors > 0) this.#mark(this.#head);
    this.#head = sequence;
    this.#headerBytes = bytes;
    this.#end = bytes;
    this.#recordsEnd = bytes;
  }

  /** Erases what is not blank and begins anew; wear goes on being counted as far as it is known. */
  format(): void {
    for (let sector = 0; sector < this.sectors; sector++) {
      if (!this.#isBlank(sector)) this.#erase(sector);
    }
    this.#headers = undefined;
    this.#cleaning = 0;
    this.#tail = this.#head + 1;
    this.#tailAtStart = -indexMax;
    this.openSector(0);
  }

  // Cleaning.

  /**
   * A walk over the records of the tail sector, which goes on where it was left; undefined when the head is all there is.
   * Its owner copies what still counts and then calls `freeTail`.
   */
  startCleaning(): RecordWalk | undefined {
    if (this.#tail === this.#head) return undefined;
    if (this.#cleaning !== this.#tail) {
      const address = this.#addressOf(this.#tail);
      this.#cleaningEnd = address + this.#header(this.#tail + 1).trailer;
      this.#cleaning = this.#tail;
      this.#walk.start(address, this.#cleaningEnd);
      this.#walk.next();
    }
    return this.#walk;
  }

  /** The first 16 bytes of the record at `place`, which are not checked beyond themselves. Throws `FlashDamaged`. */
  readHead(place: Place): RecordHead {
    if (this.#writer.length > 0) this.#flush();
    const bytes = this.#flash.read(addressOf(place), recordHeadBytes);
    const head = new HeadReader();
    if (!head.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0)) {
      throw new FlashDamaged(`the record at ${addressOf(place)} has changed`);
    }
    return head;
  }

  /** The first `lengthMax` bytes of the data of the record at `place`, or fewer. Nothing of it is checked. */
  readStart(place: Place, lengthMax: number): Uint8Array {
    if (this.#writer.length > 0) this.#flush();
    const length = Math.min(lengthMax, sizeOf(place) - recordHeadBytes);
    return this.#flash.read(addressOf(place) + recordHeadBytes, length);
  }

  /** Gives the tail sector back once nothing in it counts any more: one record and one erase. */
  freeTail(): void {
    if (this.#walk.nextAddress !== this.#cleaningEnd) {
      throw new FlashDamaged(`what is at ${this.#walk.nextAddress} is no record`);
    }
    this.append(RecordKind.tail, this.#tail + 1, 0);
    this.#erase(this.#tail);
    this.#tail++;
    this.#walk.start(0, 0);
  }

  // Recovery.

  /**
   * Finds the chain of sectors: what the newest header carries for the owner, undefined when the flash was never formatted.
   * Throws `FlashDamaged` when a part of it is missing.
   */
  find(): CborValue | undefined {
    const headers = new SectorHeaders(this.#flash);
    const { newest } = headers;
    this.#headers = headers;
    this.#head = headers.newestSequence;
    if (newest === undefined) {
      if (this.#isAlmostBlank()) return undefined;
      throw new FlashDamaged(`none of its ${this.sectors} sectors has a header of format ${formatVersion}`);
    }
    const value = headerFrom(newest);
    this.#tail = value.tail;
    this.#headerBytes = headers.sizeOf(this.#head % this.sectors);
    if (!isErased(this.#flash.read(this.#addressOf(this.#head) + this.#markOffset, recordAlignBytes))) {
      throw new FlashDamaged(`the sector after sequence ${this.#head} is lost`);
    }
    return value.own;
  }

  /** Goes through all records of the chain that `find` found, and makes it ready for more. Throws `FlashDamaged`. */
  replay(target: ReplayTarget): void {
    const headAddress = this.#addressOf(this.#head);
    const walk = this.#walk;
    walk.start(headAddress + this.#headerBytes, headAddress + this.#markOffset);
    this.#recordsEnd = this.#headerBytes;
    while (walk.next()) {
      const record = readRecord(this.#flash.read(addressOf(walk.place), walk.head.sizeBytes));
      if (record === undefined) break;
      this.#recordsEnd = walk.nextAddress - headAddress;
      if (record.kind === RecordKind.tail) this.#tail = Math.max(this.#tail, record.index);
      target.onHeadRecord(record);
    }
    this.#end = this.#isTornAt(this.#recordsEnd) ? this.#markOffset : this.#recordsEnd;
    this.#tailAtStart = this.#tail;
    target.onHeadRead();
    this.#replayChain(target);
    this.#headers = undefined;
    const previous = this.#head - 1;
    // The power failed between a header and the mark before it.
    if (previous >= this.#tail && this.#isMarkBlank(previous)) this.#mark(previous);
  }

  #replayChain(target: ReplayTarget): void {
    const headers = this.#headers!;
    const walk = this.#walk;
    let truncatedFrom = Infinity;
    const truncations = new Float64Array(this.usedSectors);
    for (let sequence = this.#head; sequence >= this.#tail; sequence--) {
      const sector = sequence % this.sectors;
      if (headers.sequenceOf(sector) !== sequence) throw new FlashDamaged(`sector ${sector} is lost`);
      truncations[sequence - this.#tail] = truncatedFrom;
      truncatedFrom = Math.min(truncatedFrom, headers.truncationOf(sector));
    }
    for (let sequence = this.#tail; sequence <= this.#head; sequence++) {
      const address = this.#addressOf(sequence);
      const isHead = sequence === this.#head;
      const end = isHead ? this.#recordsEnd : headers.previousEndOf((sequence + 1) % this.sectors);
      const truncation = truncations[sequence - this.#tail]!;
      walk.start(address + headers.sizeOf(sequence % this.sectors), address + end);
      while (walk.next()) {
        target.onRecord(walk.head, walk.place, sequence, truncation);
      }
      if (walk.nextAddress !== address + end) {
        throw new FlashDamaged(`what is at ${walk.nextAddress} is no record`);
      }
    }
  }

  /** Judges what follows the last sound record of the head: nothing, or one that the power cut short. */
  #isTornAt(offset: number): boolean {
    const address = this.#addressOf(this.#head) + offset;
    const rest = this.#flash.read(address, this.#markOffset - offset);
    const written = writtenEnd(rest);
    if (written === 0) return false;
    if (!isTorn(rest, written)) throw new FlashDamaged(`what is at ${address} is no record`);
    return true;
  }

  /** Whether the flash holds nothing but, perhaps, a first header that the power cut short. */
  #isAlmostBlank(): boolean {
    let torn = 0;
    for (let sector = 0; sector < this.sectors; sector++) {
      if (this.#isBlank(sector)) continue;
      const bytes = this.#flash.read(this.#addressOf(sector), this.#flash.sectorBytes);
      if (++torn > 1 || !isTorn(bytes, writtenEnd(bytes))) return false;
    }
    return true;
  }

  #header(sequence: number): StoredRecord {
    const header = SectorHeaders.read(this.#flash, sequence % this.sectors);
    if (header?.index !== sequence)
      throw new FlashDamaged(`the header of sector ${sequence % this.sectors} has changed`);
    return header;
  }

  #isMarkBlank(sequence: number): boolean {
    return isErased(this.#flash.read(this.#addressOf(sequence) + this.#markOffset, recordAlignBytes));
  }

  #mark(sequence: number): void {
    this.#flash.write(this.#addressOf(sequence) + this.#markOffset, new Uint8Array(recordAlignBytes));
  }

  #isBlank(sequence: number): boolean {
    const address = this.#addressOf(sequence);
    const { sectorBytes } = this.#flash;
    for (let offset = 0; offset < sectorBytes; offset += blankBlockBytes) {
      if (!isErased(this.#flash.read(address + offset, Math.min(blankBlockBytes, sectorBytes - offset)))) {
        return false;
      }
    }
    return true;
  }

  #erase(sequence: number): void {
    this.#flush();
    this.#flash.eraseSector(sequence % this.sectors);
  }

  #addressOf(sequence: number): number {
    return (sequence % this.sectors) * this.#flash.sectorBytes;
  }

  get #markOffset(): number {
    return this.#flash.sectorBytes - recordAlignBytes;
  }
}

/** How much longer the next header may be than the last: a vote for a longer name, a snapshot that is being received. */
const headerGrowthBytes = 64;

/** Records are written together up to so many bytes; a longer one alone. */
const heldBytesMax = 512;

const blankBlockBytes = 512;

interface HeaderValue {
  readonly tail: number;
  readonly own: CborValue;
}

function headerFrom(header: StoredRecord): HeaderValue {
  try {
    const items = new ItemReader(decodeCbor(header.data), "flash record", "header", 3);
    const version = items.integer("the version", 1, indexMax);
    if (version !== formatVersion) {
      throw new FlashDamaged(`it is written in format ${version}, this firmware reads ${formatVersion}`);
    }
    return { tail: items.integer("the tail", 1, header.index), own: items.any() };
  } catch (error) {
    if (error instanceof CborError) throw new FlashDamaged(`a header is no CBOR: ${error.message}`);
    throw error;
  }
}

/** Whether the `written` bytes at the start of `bytes` are a record cut short: see `record.ts` for why this can be told. */
function isTorn(bytes: Uint8Array, written: number): boolean {
  // Less than a head: its last bytes were not written, so nothing can be said of it, and nothing follows it.
  if (written < recordAlignBytes) return true;
  const walkable = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = new HeadReader();
  return head.read(walkable, 0) && written < head.sizeBytes && head.sizeBytes <= bytes.length;
}
