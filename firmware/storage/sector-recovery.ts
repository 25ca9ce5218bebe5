/** Finds the chain of sectors that a `SectorLog` left in flash, and goes through what it holds. */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ItemReader } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import type { FlashSectors } from "./flash-sectors.ts";
import { addressOf, type Place } from "./place.ts";
import {
  HeadReader,
  indexMax,
  type RecordHead,
  RecordKind,
  readRecord,
  recordAlignBytes,
  type StoredRecord,
} from "./record.ts";
import type { RecordWalk } from "./record-walk.ts";
import { SectorHeaders } from "./sector-headers.ts";
import { writtenEnd } from "./written-end.ts";

/** Of all that is in flash. Another is not read: its owner becomes a new member. */
export const formatVersion = 3;

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

/** Sectors from `tail` to `head`. */
export interface Chain {
  readonly headers: SectorHeaders;
  readonly head: number;
  readonly tail: number;
  /** Of the head's header. */
  readonly headerBytes: number;
  /** What that carries for the owner of the log. */
  readonly own: CborValue;
}

/** undefined when the flash was never formatted. Throws `FlashDamaged` when a part of the chain is missing. */
export function findChain(sectors: FlashSectors): Chain | undefined {
  const headers = new SectorHeaders(sectors.flash);
  const { newest } = headers;
  const head = headers.newestSequence;
  if (newest === undefined) {
    if (isAlmostBlank(sectors)) return undefined;
    throw new FlashDamaged(`none of its ${sectors.count} sectors has a header of format ${formatVersion}`);
  }
  const { tail, own } = headerFrom(newest);
  if (sectors.isMarked(head)) throw new FlashDamaged(`the sector after sequence ${head} is lost`);
  return { headers, head, tail, headerBytes: headers.sizeOf(head % sectors.count), own };
}

/** What the head's records say of the chain itself. */
export interface HeadEnd {
  readonly tail: number;
  /** Where the sound records end, from the start of the sector. */
  readonly recordsEnd: number;
  /** A record that the power cut short follows. */
  readonly isTorn: boolean;
}

/** Goes through the records of the head. Throws `FlashDamaged`. */
export function replayHead(
  sectors: FlashSectors,
  chain: Chain,
  walk: RecordWalk,
  target: ReplayTarget,
): HeadEnd {
  const address = sectors.addressOf(chain.head);
  let { tail } = chain;
  let recordsEnd = chain.headerBytes;
  walk.start(address + recordsEnd, address + sectors.markOffset);
  while (walk.next()) {
    const record = readRecord(sectors.flash.read(addressOf(walk.place), walk.head.sizeBytes));
    if (record === undefined) break;
    recordsEnd = walk.nextAddress - address;
    if (record.kind === RecordKind.tail) tail = Math.max(tail, record.index);
    target.onHeadRecord(record);
  }
  const isTorn = isTornAt(sectors, address + recordsEnd, sectors.markOffset - recordsEnd);
  return { tail, recordsEnd, isTorn };
}

/** Goes through the heads of all records from `tail` on. Throws `FlashDamaged`. */
export function replayChain(
  sectors: FlashSectors,
  { headers, head }: Chain,
  { tail, recordsEnd }: HeadEnd,
  walk: RecordWalk,
  target: ReplayTarget,
): void {
  const truncations = new Float64Array(head - tail + 1);
  let truncatedFrom = Infinity;
  for (let sequence = head; sequence >= tail; sequence--) {
    const sector = sequence % sectors.count;
    if (headers.sequenceOf(sector) !== sequence) throw new FlashDamaged(`sector ${sector} is lost`);
    truncations[sequence - tail] = truncatedFrom;
    truncatedFrom = Math.min(truncatedFrom, headers.truncationOf(sector));
  }
  for (let sequence = tail; sequence <= head; sequence++) {
    const address = sectors.addressOf(sequence);
    const end = sequence === head ? recordsEnd : headers.previousEndOf((sequence + 1) % sectors.count);
    const truncation = truncations[sequence - tail]!;
    walk.start(address + headers.sizeOf(sequence % sectors.count), address + end);
    while (walk.next()) target.onRecord(walk.head, walk.place, sequence, truncation);
    if (walk.nextAddress !== address + end) {
      throw new FlashDamaged(`what is at ${walk.nextAddress} is no record`);
    }
  }
}

/** Judges what follows the last sound record of the head: nothing, or one that the power cut short. */
function isTornAt(sectors: FlashSectors, address: number, restBytes: number): boolean {
  const rest = sectors.flash.read(address, restBytes);
  const written = writtenEnd(rest);
  if (written === 0) return false;
  if (!isTorn(rest, written)) throw new FlashDamaged(`what is at ${address} is no record`);
  return true;
}

/** Whether the flash holds nothing but, perhaps, a first header that the power cut short. */
function isAlmostBlank(sectors: FlashSectors): boolean {
  let torn = 0;
  for (let sector = 0; sector < sectors.count; sector++) {
    if (sectors.isBlank(sector)) continue;
    const bytes = sectors.flash.read(sectors.addressOf(sector), sectors.flash.sectorBytes);
    if (++torn > 1 || !isTorn(bytes, writtenEnd(bytes))) return false;
  }
  return true;
}

function headerFrom(header: StoredRecord): { readonly tail: number; readonly own: CborValue } {
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
