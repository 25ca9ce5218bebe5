/**
 * The record, the only thing that is ever written to the board's flash.
 *
 * ```
 *  0.. 3  index: the log index that the record is about
 *  4.. 7  tag: the hash of a key, or what else the kind says
 *  8..11  CRC-32 of everything else but the check
 * 12..13  check of index, tag and the next two bytes, so that a head can be trusted alone
 * 14..15  length of the data (11 bits), above it the kind (5 bits, never all ones)
 * 16..    data, then zeros up to a multiple of 16 less four bytes
 * last 4  trailer, below 0xFF000000: the term of an entry
 * ```
 *
 * All numbers are little-endian. A record without data ends after its head. Flash is written in order of address and
 * reads 0xFF where nothing was written; the last byte of a head and that of a record are never 0xFF. So a reader can tell a
 * whole record, one that the power cut short (it ends in 0xFF and nothing follows) and one that has been damaged since.
 *
 * A head says enough to recover by: which sectors hold what is found without looking at the data in between, which is
 * checked when it is read.
 */
import { crc32 } from "./crc32.ts";

/** What a record says. The number is on flash: never reuse one. */
export const RecordKind = Object.freeze({
  /** First in a sector: see `SectorLog`. */
  header: 1,
  /** Term in `index`; who was voted for as CBOR, no data for nobody. */
  hardState: 2,
  /** An entry that puts a value under the key of which `tag` is the hash; its data. Term in the trailer. */
  put: 3,
  /** Any other entry, as CBOR [kind, version, data]. Term in the trailer. */
  entry: 4,
  /** All entries up to `index` are committed; `tag` is the term of that one. */
  commit: 5,
  /**
   * The value of a key as of `index`, once that is committed: the data of the entry that put it, moved here from a sector that was cleaned, or
   * what an entry of several puts, or the draft that one adopts, says of this one key.
   */
  value: 6,
  /** As of `index`, once that is committed, there is no such key: CBOR [key, null]. */
  absent: 7,
  /** Sectors before the one of sequence `index` are free. */
  tail: 8,
  /** Two keys of the state have the same hash, from now on and for ever. */
  collision: 9,
  /** Part of checkpoint `index`: `tag` is the part's number, plus 2^16 times the number of parts. */
  checkpoint: 10,
  /** How often in a row the board has crashed: `index`. */
  crashes: 11,
  /** The flash was found damaged at run time: a sentence as CBOR. Nothing follows, and nothing before it is believed. */
  condemned: 12,
  /** An entry that says who belongs to the group, as `entry`. */
  membership: 13,
  /** A `put` whose key has another value by now, moved here while the log still holds it. */
  pastPut: 14,
  /** The log begins behind `index`: the chain hash there; `tag` is its term. */
  base: 15,
  /** Item number `index` of the snapshot that is being received: the data of a put; `tag` is the hash of its key. */
  item: 16,
  /** The same of an item that says who belongs to the group: as `entry`, without a term. */
  membershipItem: 17,
  /** The same of any other item, which counts but is nothing to a board: no data. */
  otherItem: 18,
  /** What a board keeps while it sleeps, in place of what has a lower `index`: any bytes, none once they are taken. */
  kept: 19,
  /** What binds a board to actions (`protocols/two-phase-commit/promises.ts`), in place of what has a lower `index`; no data for nothing. */
  promises: 20,
  /** An entry that puts several values; its data. `tag`: bytes that applying it writes beside its own commit, at most. Term in the trailer. */
  puts: 21,
  /** What binds a board in the group of the registers (`protocols/paxos/kept.ts`), in place of what has a lower `index`. */
  registers: 22,
  /** The same as `puts` of an entry that adopts a draft. */
  adoption: 23,
});

/** What the board keeps for itself beside the agreed state, the newest record of each kind. */
export type OwnKind = 20 | 22;

export interface StoredRecord {
  readonly kind: number;
  readonly index: number;
  readonly tag: number;
  readonly data: Uint8Array;
  readonly trailer: number;
}

/** Every record begins on a multiple of this, which keeps flash encryption possible. */
export const recordAlignBytes = 16;
export const recordHeadBytes = 16;
export const dataBytesMax = 0x7ff;
/** The most that an index, a tag or a trailer may be. */
export const indexMax = 0xffff_ffff;
export const trailerMax = 0xfeff_ffff;

/** Bytes on flash of a record with `dataBytes` of data. */
export function recordSize(dataBytes: number): number {
  return recordHeadBytes + (dataBytes === 0 ? 0 : (dataBytes + trailerBytes + 15) & ~15);
}

/** Frames records one after the other in a buffer that it keeps, unless a record made it long. */
export class RecordWriter {
  #bytes = new Uint8Array(bytesAtFirst);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Bytes framed since the last `clear`. */
  get length(): number {
    return this.#length;
  }

  /** All records framed since the last `clear`; valid until the next call. */
  get records(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > keptBytesMax) this.become(new Uint8Array(bytesAtFirst));
  }

  /** Frames one more; gives its size. */
  frame(kind: number, index: number, tag: number, data: Uint8Array, trailer: number): number {
    const size = recordSize(data.length);
    const at = this.#length;
    this.room(at + size);
    this.#length = at + size;
    const end = this.#length;
    const bytes = this.#bytes;
    const view = this.#view;
    const kindAndLength = (kind << 11) | data.length;
    view.setUint32(at, index, true);
    view.setUint32(at + 4, tag, true);
    view.setUint16(at + 12, headCheck(index, tag, kindAndLength), true);
    view.setUint16(at + 14, kindAndLength, true);
    if (data.length > 0) {
      bytes.set(data, at + recordHeadBytes);
      bytes.fill(0, at + recordHeadBytes + data.length, end);
      view.setUint32(end - trailerBytes, trailer, true);
    }
    view.setUint32(at + 8, recordCrc(bytes, at, end), true);
    return size;
  }

  private room(size: number): void {
    if (size <= this.#bytes.length) return;
    const bytes = new Uint8Array(size);
    bytes.set(this.records);
    this.become(bytes);
  }

  private become(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

export interface RecordHead {
  readonly kind: number;
  readonly index: number;
  readonly tag: number;
  /** Of the whole record. */
  readonly sizeBytes: number;
}

/** Reads the heads in a block of flash. Its fields are those of the head that was read last. */
export class HeadReader implements RecordHead {
  kind = 0;
  index = 0;
  tag = 0;
  sizeBytes = 0;

  /** False when no sound head is at `at`; the fields are then undefined. The check misses one damage in 65,536. */
  read(view: DataView, at: number): boolean {
    const kindAndLength = view.getUint16(at + 14, true);
    this.index = view.getUint32(at, true);
    this.tag = view.getUint32(at + 4, true);
    this.kind = kindAndLength >> 11;
    this.sizeBytes = recordSize(kindAndLength & dataBytesMax);
    return (
      view.getUint16(at + 12, true) === headCheck(this.index, this.tag, kindAndLength) && this.kind < kindsEnd
    );
  }
}

/** The record that is `bytes`, of which the data is a part; undefined when it is not sound. */
export function readRecord(bytes: Uint8Array): StoredRecord | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kindAndLength = view.getUint16(14, true);
  const length = kindAndLength & dataBytesMax;
  if (recordSize(length) !== bytes.length || view.getUint32(8, true) !== recordCrc(bytes, 0, bytes.length))
    return undefined;
  return {
    kind: kindAndLength >> 11,
    index: view.getUint32(0, true),
    tag: view.getUint32(4, true),
    data: bytes.subarray(recordHeadBytes, recordHeadBytes + length),
    trailer: length === 0 ? 0 : view.getUint32(bytes.length - trailerBytes, true),
  };
}

const trailerBytes = 4;
/** Of the writer's buffer: what a few short records take, and what records that are held together do. */
const bytesAtFirst = 128;
const keptBytesMax = 512;
/** Kinds of this format and of those to come are below it, which keeps a head's last byte from being 0xFF. */
const kindsEnd = 31;

/** Sixteen bits of a multiplicative mix: a tenth of the instructions of a CRC in XS, where recovery reads every head. */
function headCheck(index: number, tag: number, kindAndLength: number): number {
  let mix = Math.imul(index ^ 0x5bd1e995, 0x9e3779b1);
  mix = Math.imul(mix ^ (mix >>> 15) ^ tag, 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13) ^ kindAndLength, 0xc2b2ae35);
  return (mix ^ (mix >>> 15)) >>> 16;
}

/** Of the record from `start` to before `end`. */
function recordCrc(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32(bytes, start + 14, start + 16, crc32(bytes, start, start + 8));
  return crc32(bytes, start + recordHeadBytes, end, crc);
}
