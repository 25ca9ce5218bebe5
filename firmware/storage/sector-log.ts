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
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { FlashRegion } from "../platform/ports.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import { FlashSectors } from "./flash-sectors.ts";
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
import { noData } from "./sector-headers.ts";
import {
  type Chain,
  findChain,
  formatVersion,
  type ReplayTarget,
  replayChain,
  replayHead,
} from "./sector-recovery.ts";

/** Fewer cannot hold a head, the sector being cleaned and room for what moves. */
export const sectorsMin = 4;

/** Sectors that only cleaning may use: one that it fills while it empties another, and one for what does not fit there. */
export const reservedSectors = 2;

export interface HeaderSource {
  /** What each new header carries for the owner. */
  headerValue(): CborValue;
}

export class SectorLog {
  readonly #flash: FlashRegion;
  readonly #sectors: FlashSectors;
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
  #chain: Chain | undefined;

  /** Throws `RangeError` for a region of fewer than `sectorsMin` sectors, or of sectors that are too small. */
  constructor(flash: FlashRegion, source: HeaderSource) {
    this.#sectors = new FlashSectors(flash);
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

  /** How many the flash has. */
  get sectors(): number {
    return this.#sectors.count;
  }

  /** Bytes left in the head sector. */
  get restBytes(): number {
    return Math.max(0, this.#sectors.markOffset - this.#end);
  }

  /** Bytes for records in a sector to come. */
  get roomBytes(): number {
    return this.#sectors.markOffset - this.#headerBytes - headerGrowthBytes;
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
    else if (this.#writer.length + bytes > heldBytesMax) this.flush();
    const address = this.#sectors.addressOf(this.#head) + this.#end;
    this.#end += this.#writer.frame(kind, index, tag, data, trailer);
    this.#recordsEnd = this.#end;
    if (!this.#isHolding) this.flush();
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
    this.flush();
  }

  private flush(): void {
    const { length, records } = this.#writer;
    if (length === 0) return;
    this.#flash.write(this.#sectors.addressOf(this.#head) + this.#end - length, records);
    this.#writer.clear();
  }

  /** The record at `place`. Throws `FlashDamaged` when it is not what was written there. */
  read(place: Place): StoredRecord {
    if (this.#writer.length > 0) this.flush();
    const address = addressOf(place);
    const record = readRecord(this.#flash.read(address, sizeOf(place)));
    if (record === undefined) throw new FlashDamaged(`the record at ${address} has changed`);
    return record;
  }

  /** Begins the next sector. Entries from index `truncatedFrom` on in earlier ones are void; 0 for none. */
  openSector(truncatedFrom: number): void {
    if (this.freeSectors === 0) throw new RangeError("The flash log is full: clean it first.");
    this.flush();
    const sequence = this.#head + 1;
    if (sequence - this.sectors < this.#tailAtStart && !this.#sectors.isBlank(sequence)) this.erase(sequence);
    const value = encodeCbor([formatVersion, this.#tail, this.#source.headerValue()]);
    const previousEnd = this.usedSectors > 0 ? this.#recordsEnd : 0;
    const bytes = this.#writer.frame(RecordKind.header, sequence, truncatedFrom, value, previousEnd);
    if (bytes > this.#sectors.markOffset)
      throw new RangeError("A header does not fit a sector of the flash.");
    this.#flash.write(this.#sectors.addressOf(sequence), this.#writer.records);
    this.#writer.clear();
    if (this.usedSectors > 0) this.#sectors.mark(this.#head);
    this.#head = sequence;
    this.#headerBytes = bytes;
    this.#end = bytes;
    this.#recordsEnd = bytes;
  }

  /** Erases what is not blank and begins anew; wear goes on being counted as far as it is known. */
  format(): void {
    for (let sector = 0; sector < this.sectors; sector++) {
      if (!this.#sectors.isBlank(sector)) this.erase(sector);
    }
    this.#chain = undefined;
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
      const address = this.#sectors.addressOf(this.#tail);
      this.#cleaningEnd = address + this.#sectors.header(this.#tail + 1).trailer;
      this.#cleaning = this.#tail;
      this.#walk.start(address, this.#cleaningEnd);
      this.#walk.next();
    }
    return this.#walk;
  }

  /** The first 16 bytes of the record at `place`, which are not checked beyond themselves. Throws `FlashDamaged`. */
  readHead(place: Place): RecordHead {
    if (this.#writer.length > 0) this.flush();
    const bytes = this.#flash.read(addressOf(place), recordHeadBytes);
    const head = new HeadReader();
    if (!head.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0)) {
      throw new FlashDamaged(`the record at ${addressOf(place)} has changed`);
    }
    return head;
  }

  /** The first `lengthMax` bytes of the data of the record at `place`, or fewer. Nothing of it is checked. */
  readStart(place: Place, lengthMax: number): Uint8Array {
    if (this.#writer.length > 0) this.flush();
    const length = Math.min(lengthMax, sizeOf(place) - recordHeadBytes);
    return this.#flash.read(addressOf(place) + recordHeadBytes, length);
  }

  /** Gives the tail sector back once nothing in it counts any more: one record and one erase. */
  freeTail(): void {
    if (this.#walk.nextAddress !== this.#cleaningEnd) {
      throw new FlashDamaged(`what is at ${this.#walk.nextAddress} is no record`);
    }
    this.append(RecordKind.tail, this.#tail + 1, 0);
    this.erase(this.#tail);
    this.#tail++;
    this.#walk.start(0, 0);
  }

  // Recovery.

  /**
   * Finds the chain of sectors: what the newest header carries for the owner, undefined when the flash was never formatted.
   * Throws `FlashDamaged` when a part of it is missing.
   */
  find(): CborValue | undefined {
    const chain = findChain(this.#sectors);
    this.#chain = chain;
    this.#head = chain?.head ?? 0;
    if (chain === undefined) return undefined;
    this.#tail = chain.tail;
    this.#headerBytes = chain.headerBytes;
    return chain.own;
  }

  /** Goes through all records of the chain that `find` found, and makes it ready for more. Throws `FlashDamaged`. */
  replay(target: ReplayTarget): void {
    const chain = this.#chain!;
    const end = replayHead(this.#sectors, chain, this.#walk, target);
    this.#tail = end.tail;
    this.#tailAtStart = end.tail;
    this.#recordsEnd = end.recordsEnd;
    this.#end = end.isTorn ? this.#sectors.markOffset : end.recordsEnd;
    target.onHeadRead();
    replayChain(this.#sectors, chain, end, this.#walk, target);
    this.#chain = undefined;
    const previous = this.#head - 1;
    // The power failed between a header and the mark before it.
    if (previous >= this.#tail && !this.#sectors.isMarked(previous)) this.#sectors.mark(previous);
  }

  private erase(sequence: number): void {
    this.flush();
    this.#sectors.erase(sequence);
  }
}

/** How much longer the next header may be than the last: a vote for a longer name, a snapshot that is being received. */
const headerGrowthBytes = 64;

/** Records are written together up to so many bytes; a longer one alone. */
const heldBytesMax = 512;
