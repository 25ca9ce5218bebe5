/**
 * Blocks of readings in a ring of flash sectors, in the order in which they came. There is no index: what is asked for is looked for.
 *
 * ```
 *   ... oldest | full sectors | newest ...
 *
 *   sector:  header | block | block | ... | mark
 * ```
 *
 * Sectors are numbered for ever: that of number s is sector `s modulo sectors` of the flash. A header carries its number, the ring's name, whose ring it is and
 * with which sector that began. A full ring forgets its oldest sector and fills that: first the newest sector gets its mark, in its last bytes, and from then on the oldest
 * does not count, whatever is in it; then it is erased; then it gets its header. Each of these is one step that the power can fail before or after, and within which it changes nothing
 * that counts.
 *
 * Each block says itself in which sector it was written, so that a damaged header takes no block with it. Nobody writes after a record that the power cut short.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import type { KeptBlock } from "../../protocols/keeping/block.ts";
import type { RingState } from "../../protocols/keeping/messages.ts";
import type { FlashRegion } from "../platform/ports.ts";
import {
  HeadReader,
  RecordWriter,
  readRecord,
  recordAlignBytes,
  recordHeadBytes,
  recordSize,
  type StoredRecord,
} from "../storage/record.ts";
import { RingFlash } from "./ring-flash.ts";
import { SectorWalk } from "./sector-walk.ts";
import { seriesOf, seriesTag, storedBlock } from "./stored-block.ts";

/** What a record of the ring says. The number is on flash: never reuse one. */
export const RingRecord = Object.freeze({ header: 1, block: 2, mark: 3 });

export interface RingOwner {
  /** Another one begins another ring: who lost its memory keeps nothing. */
  readonly memberId: string;
  /** A number of 32 bits for a ring that begins. */
  drawName(): number;
}

export class BlockRing {
  readonly #flash: RingFlash;
  readonly #owner: RingOwner;
  /** How many the flash has. */
  readonly #sectors: number;
  #name = 0;
  #first = 1;
  #newest = 0;
  /** Where the next block goes, from the start of the newest sector; its size when it is closed. */
  #end: number;
  /** The newest sector has its mark: the oldest one of a full ring does not count. */
  #isMarked = false;

  /**
   * Finds the owner's ring, or begins one.
   *
   * @throws {RingFlashFails}
   * @throws {RangeError} for a region that is too small
   */
  constructor(flash: FlashRegion, owner: RingOwner) {
    this.#flash = new RingFlash(flash);
    this.#owner = owner;
    this.#sectors = Math.floor(flash.sizeBytes / flash.sectorBytes);
    this.#end = flash.sectorBytes;
    const isFit = this.#sectors >= sectorsMin && flash.sectorBytes >= sectorBytesMin;
    if (!isFit || recordAlignBytes % flash.alignBytes !== 0) {
      throw new RangeError(
        `The flash for kept blocks needs ${sectorsMin} sectors of ${sectorBytesMin} bytes, written in units of up to ${recordAlignBytes}.`,
      );
    }
    this.recover();
  }

  get oldest(): number {
    const kept = this.#isMarked ? this.#sectors - 1 : this.#sectors;
    return Math.max(this.#first, this.#newest - kept + 1);
  }

  get newest(): number {
    return this.#newest;
  }

  state(damaged: number): RingState {
    const { oldest, newest } = this;
    return { name: this.#name, oldest, newest, sectors: this.#sectors, damaged };
  }

  /**
   * Puts a block, durably: the sector that it is in, or 0 when the flash does not hold what was written to it. One that is in the newest two sectors already is
   * not written again, so that who did not hear that it is kept may ask again.
   *
   * @throws {RingFlashFails}
   */
  put(block: KeptBlock): number {
    const { series, number } = block;
    for (let sector = Math.max(this.oldest, this.#newest - 1); sector <= this.#newest; sector++)
      if (this.has(sector, series, number)) return sector;
    const data = storedBlock(block);
    const size = recordSize(data.length);
    if (this.#end + size > this.markOffset) this.openSector();
    const address = this.addressOf(this.#newest) + this.#end;
    const writer = new RecordWriter();
    writer.frame(RingRecord.block, number, seriesTag(series), data, trailerOf(this.#newest));
    this.#flash.write(address, writer.records);
    // Worn flash takes a write and holds something else: the rest of this sector stays unused.
    const isHeld = readRecord(this.#flash.read(address, size)) !== undefined;
    this.#end = isHeld ? this.#end + size : this.#flash.sectorBytes;
    return isHeld ? this.#newest : 0;
  }

  // For who goes through it.

  /** Addresses of this unit may be where a record begins. */
  get unitsOfSector(): number {
    return this.#flash.sectorBytes / recordAlignBytes;
  }

  newWalk(): SectorWalk {
    return new SectorWalk(this.#flash);
  }

  /** Begins with the record at `unit` of a sector; `blockIn` says which records are blocks of it. */
  startWalk(walk: SectorWalk, sector: number, unit: number): void {
    walk.start(this.addressOf(sector), unit * recordAlignBytes, this.markOffset);
  }

  /** Where in the sector the walk goes on. */
  unitOf(walk: SectorWalk, sector: number): number {
    return (walk.nextAddress - this.addressOf(sector)) / recordAlignBytes;
  }

  /** The block that the walk stands at, whole; undefined for anything else. */
  blockIn(sector: number, walk: SectorWalk): StoredRecord | undefined {
    const record = walk.read();
    return record?.kind === RingRecord.block && record.trailer === trailerOf(sector) ? record : undefined;
  }

  private walk(sector: number): SectorWalk {
    const walk = this.newWalk();
    this.startWalk(walk, sector, 0);
    return walk;
  }

  private has(sector: number, series: string, number: number): boolean {
    const tag = seriesTag(series);
    const walk = this.walk(sector);
    while (walk.next()) {
      const { head } = walk;
      if (head.kind !== RingRecord.block || head.index !== number || head.tag !== tag) continue;
      const record = this.blockIn(sector, walk);
      if (record !== undefined && seriesOf(record) === series) return true;
    }
    return false;
  }

  private openSector(): void {
    if (!this.#isMarked) {
      const writer = new RecordWriter();
      writer.frame(RingRecord.mark, this.#newest, 0, noData, 0);
      this.#flash.write(this.addressOf(this.#newest) + this.markOffset, writer.records);
      this.#isMarked = true;
    }
    this.begin(this.#newest + 1);
  }

  private begin(sector: number): void {
    this.#flash.eraseSector(sector % this.#sectors);
    const value = encodeCbor([formatVersion, this.#owner.memberId, this.#first]);
    const writer = new RecordWriter();
    const bytes = writer.frame(RingRecord.header, sector, this.#name, value, 0);
    this.#flash.write(this.addressOf(sector), writer.records);
    this.#newest = sector;
    this.#end = bytes;
    this.#isMarked = false;
  }

  // Recovery.

  private recover(): void {
    const newest = this.newestHeader();
    const first = newest && this.firstOf(newest);
    if (newest === undefined || first === undefined) {
      // Another's sectors are left to be filled one by one; the numbers go on, so that wear stays even.
      this.#name = this.#owner.drawName();
      this.#first = (newest?.index ?? 0) + 1;
      this.begin(this.#first);
      return;
    }
    this.#name = newest.tag;
    this.#first = first;
    this.#newest = newest.index;
    // Those whose header is damaged, and whose blocks were promised.
    while (this.holdsBlocks(this.#newest + 1)) this.#newest++;
    const address = this.addressOf(this.#newest);
    this.#isMarked = !this.#flash.isErased(address + this.markOffset, recordAlignBytes);
    this.#end = this.#isMarked ? this.#flash.sectorBytes : this.endOf(this.#newest);
  }

  /** Of all sectors the first bytes are looked at; the header that they say is the newest is read, or else the one before it. */
  private newestHeader(): StoredRecord | undefined {
    const { sectorBytes } = this.#flash;
    const head = new HeadReader();
    for (let below = Infinity, newest = 0; ; below = newest) {
      newest = 0;
      let size = 0;
      for (let place = 0; place < this.#sectors; place++) {
        const bytes = this.#flash.read(place * sectorBytes, recordHeadBytes);
        if (bytes[15]! >> 3 !== RingRecord.header) continue;
        const isHead = head.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0);
        if (!isHead || head.index <= newest || head.index >= below || head.index % this.#sectors !== place)
          continue;
        newest = head.index;
        size = Math.min(head.sizeBytes, headerBytesMax);
      }
      if (newest === 0) return undefined;
      const header = readRecord(this.#flash.read(this.addressOf(newest), size));
      if (header !== undefined) return header;
    }
  }

  /** The first sector of the owner's ring; undefined for the header of another ring, or in another format. */
  private firstOf(header: StoredRecord): number | undefined {
    try {
      const value = decodeCbor(header.data);
      if (!Array.isArray(value) || value[0] !== formatVersion || value[1] !== this.#owner.memberId)
        return undefined;
      const first = value[2];
      return typeof first === "number" && first >= 1 && first <= header.index ? first : undefined;
    } catch (error) {
      if (error instanceof CborError) return undefined;
      throw error;
    }
  }

  /** All blocks of a sector are of the same one: the first that is whole tells. */
  private holdsBlocks(sector: number): boolean {
    const walk = this.walk(sector);
    while (walk.next()) {
      const record = walk.read();
      if (record?.kind === RingRecord.block) return record.trailer === trailerOf(sector);
    }
    return false;
  }

  /** Where the next block may go: behind the last one, if that is whole and nothing follows it. */
  private endOf(sector: number): number {
    const walk = this.walk(sector);
    const { sectorBytes } = this.#flash;
    let last = 0;
    let end = 0;
    while (walk.next()) {
      end = this.unitOf(walk, sector);
      last = end - walk.head.sizeBytes / recordAlignBytes;
    }
    this.startWalk(walk, sector, last);
    if (!walk.next() || walk.read() === undefined) return sectorBytes;
    end *= recordAlignBytes;
    return this.#flash.isErased(this.addressOf(sector) + end, this.markOffset - end) ? end : sectorBytes;
  }

  private get markOffset(): number {
    return this.#flash.sectorBytes - recordAlignBytes;
  }

  private addressOf(sector: number): number {
    return (sector % this.#sectors) * this.#flash.sectorBytes;
  }
}

/** One that is filled, and others that are there meanwhile. */
const sectorsMin = 4;
/** A header, the longest block, a mark. */
const sectorBytesMin = 1024;

const formatVersion = 1;
const noData: Uint8Array = new Uint8Array(0);
/** With the longest member id. */
const headerBytesMax = 96;

/** A trailer is less than `trailerMax`; what is left of the number still tells a sector from that which was there before. */
function trailerOf(sector: number): number {
  return sector % 0x100_0000;
}
