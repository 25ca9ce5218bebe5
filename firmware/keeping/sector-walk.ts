import type { FlashRegion } from "../platform/ports.ts";
import {
  HeadReader,
  type RecordHead,
  readRecord,
  recordAlignBytes,
  recordHeadBytes,
  type StoredRecord,
} from "../storage/record.ts";

/**
 * Goes from record to record through one sector of the ring, past damage: where no sound head is, or a head whose record turns out not to be whole, it looks for the
 * next whole record at each place where one may begin. So a bit that has flipped costs the block that it is in, and no other.
 */
export class SectorWalk {
  /** Of the record that it stands at. Its check is of 16 bits: `read` says whether the record is whole. */
  readonly head: RecordHead;
  /** Places where a record was and is not whole; not those that the power cut short. */
  damaged = 0;
  readonly #head = new HeadReader();
  readonly #flash: FlashRegion;
  #block: DataView | undefined;
  #blockAt = 0;
  /** Addresses. */
  #at = 0;
  #next = 0;
  #end = 0;
  /** Since it met damage: only a record that is whole counts. */
  #isLost = false;

  constructor(flash: FlashRegion) {
    this.#flash = flash;
    this.head = this.#head;
  }

  /** Through the sector at `address`, from `offset` on, up to where records may lie. */
  start(address: number, offset: number, lengthBytes: number): void {
    this.#block = undefined;
    this.#next = address + offset;
    this.#end = address + lengthBytes;
    this.#isLost = false;
  }

  /** Address behind the record that it stands at; after the last one, behind that. */
  get nextAddress(): number {
    return this.#next;
  }

  /** Goes to the next record; false at the end. */
  next(): boolean {
    for (let at = this.#next; at + recordHeadBytes <= this.#end; at += recordAlignBytes) {
      const block = this.blockAt(at);
      const isHead = this.#head.read(block, at - this.#blockAt) && at + this.head.sizeBytes <= this.#end;
      if (isHead && (!this.#isLost || this.recordAt(at) !== undefined)) {
        this.#isLost = false;
        this.#at = at;
        this.#next = at + this.head.sizeBytes;
        return true;
      }
      if (this.#isLost) continue;
      if (isBlank(block, at - this.#blockAt)) return false;
      this.lose(at);
    }
    return false;
  }

  /** The record that it stands at; undefined when it is not whole, and the walk goes on behind its first bytes. */
  read(): StoredRecord | undefined {
    const record = this.recordAt(this.#at);
    if (record !== undefined) return record;
    this.lose(this.#at);
    this.#next = this.#at + recordAlignBytes;
    return undefined;
  }

  /** What the power cut short ends in 0xFF, as nothing else does: see `record.ts`. */
  private lose(at: number): void {
    this.#isLost = true;
    const isHead = this.#head.read(this.blockAt(at), at - this.#blockAt);
    const size = isHead ? this.head.sizeBytes : recordHeadBytes;
    const end = Math.min(at + size, this.#end);
    if (this.#flash.read(end - 1, 1)[0] !== 0xff) this.damaged++;
  }

  private recordAt(at: number): StoredRecord | undefined {
    return readRecord(this.#flash.read(at, this.head.sizeBytes));
  }

  private blockAt(at: number): DataView {
    if (this.#block === undefined || at + recordHeadBytes > this.#blockAt + this.#block.byteLength) {
      const bytes = this.#flash.read(at, Math.min(blockBytes, this.#end - at));
      this.#block = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      this.#blockAt = at;
    }
    return this.#block;
  }
}

/** Read at a time. */
const blockBytes = 256;

function isBlank(block: DataView, at: number): boolean {
  for (let i = 0; i < recordHeadBytes; i += 4) if (block.getUint32(at + i) !== 0xffff_ffff) return false;
  return true;
}
