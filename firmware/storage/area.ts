import type { CborValue } from "../../protocols/cbor/value.ts";
import type { FlashRegion } from "../platform/ports.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import { type RecordWriter, readRecord, recordHeadBytes, recordSize, type StoredRecord } from "./record.ts";

/** How the records of an area end: nothing after them, one that the power cut short, or what was never written so. */
export type AreaEnd = "clean" | "torn" | "damaged";

/** Read at a time when looking for bytes that are not erased. */
const blockBytes = 512;

/** Read at first of a record: as much as a setting, a vote or a commit takes. */
const shortBytes = 64;

/** One half of the board's flash region: records one after another, each aligned, from its start to `endBytes`. */
export class Area {
  readonly #flash: FlashRegion;
  readonly #startBytes: number;
  readonly sizeBytes: number;
  /** Where the next record goes, from the start of the area. */
  endBytes = 0;
  /** The record that was read last, and where; -1 for none. */
  #latest: StoredRecord | undefined;
  #latestOffset = -1;

  constructor(flash: FlashRegion, startBytes: number, sizeBytes: number) {
    this.#flash = flash;
    this.#startBytes = startBytes;
    this.sizeBytes = sizeBytes;
  }

  get freeBytes(): number {
    return this.sizeBytes - this.endBytes;
  }

  /** Appends one record, durable when this returns, and gives its offset. */
  append(writer: RecordWriter, kind: number, value: CborValue): number {
    const record = writer.frame(kind, value);
    const offset = this.endBytes;
    if (record.length > this.freeBytes) throw new RangeError("The flash area is full: compact it first.");
    this.writeAt(offset, record);
    this.endBytes += record.length;
    return offset;
  }

  writeAt(offset: number, bytes: Uint8Array): void {
    this.#flash.write(this.#startBytes + offset, bytes);
  }

  /** The record at `offset`, or undefined when no sound one is there. Asked again at once, it is not read again. */
  recordAt(offset: number): StoredRecord | undefined {
    if (offset !== this.#latestOffset) {
      this.#latest = this.#readAt(offset);
      this.#latestOffset = this.#latest === undefined ? -1 : offset;
    }
    return this.#latest;
  }

  /** The record at `offset`, which was sound before. */
  record(offset: number): StoredRecord {
    const record = this.recordAt(offset);
    if (record === undefined)
      throw new FlashDamaged(`the record at ${this.#startBytes + offset} has changed`);
    return record;
  }

  /** Judges what begins at `offset`, where no sound record is. See `record.ts` for why this can be told. */
  judgeEnd(offset: number): AreaEnd {
    const written = this.#lastWritten(offset) - offset;
    if (written === 0) return "clean";
    // Less than a head: its last bytes were not written, so nothing can be said of it, and nothing follows it.
    if (written < recordHeadBytes) return "torn";
    const size = recordSize(
      this.#flash.read(this.#startBytes + offset, recordHeadBytes),
      this.#flash.alignBytes,
    );
    return size > 0 && written < size && offset + size <= this.sizeBytes ? "torn" : "damaged";
  }

  get isBlank(): boolean {
    return this.#lastWritten(0) === 0;
  }

  /** Erases every sector that is not blank. */
  erase(): void {
    const { sectorBytes } = this.#flash;
    for (let offset = 0; offset < this.sizeBytes; offset += sectorBytes) {
      if (this.#writtenIn(offset, offset + sectorBytes) > offset) this.#eraseSectorAt(offset);
    }
    this.endBytes = 0;
    this.#latestOffset = -1;
  }

  /** Makes the area's header unreadable for good, if there is anything left of it. */
  eraseHeader(): void {
    if (this.#writtenIn(0, this.#flash.sectorBytes) > 0) this.#eraseSectorAt(0);
  }

  /** Most records are short enough for one read; a longer one takes two. */
  #readAt(offset: number): StoredRecord | undefined {
    const restBytes = this.sizeBytes - offset;
    if (restBytes < recordHeadBytes) return undefined;
    const first = this.#flash.read(this.#startBytes + offset, Math.min(shortBytes, restBytes));
    const size = recordSize(first, this.#flash.alignBytes);
    if (size === 0 || size > restBytes) return undefined;
    if (size <= first.length) return readRecord(first.subarray(0, size));
    return readRecord(this.#flash.read(this.#startBytes + offset, size));
  }

  #eraseSectorAt(offset: number): void {
    this.#flash.eraseSector((this.#startBytes + offset) / this.#flash.sectorBytes);
  }

  #lastWritten(from: number): number {
    return this.#writtenIn(from, this.sizeBytes);
  }

  /** The offset after the last byte that is not erased between `from` and `to`; `from` when all are. */
  #writtenIn(from: number, to: number): number {
    let written = from;
    for (let offset = from; offset < to; offset += blockBytes) {
      const block = this.#flash.read(this.#startBytes + offset, Math.min(blockBytes, to - offset));
      const end = writtenEnd(block);
      if (end > 0) written = offset + end;
    }
    return written;
  }
}

/** The offset after the last byte that is not 0xFF. Looks at four bytes at a time where the memory allows it. */
function writtenEnd(bytes: Uint8Array): number {
  let end = bytes.length;
  if (bytes.byteOffset % 4 === 0 && end % 4 === 0) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, end / 4);
    let word = words.length;
    while (word > 0 && words[word - 1] === 0xffff_ffff) word--;
    end = word * 4;
  }
  while (end > 0 && bytes[end - 1] === 0xff) end--;
  return end;
}
