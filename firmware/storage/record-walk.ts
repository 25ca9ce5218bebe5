import type { FlashRegion } from "../platform/ports.ts";
import { type Place, placeAt } from "./place.ts";
import { HeadReader, recordHeadBytes } from "./record.ts";

/** Read at a time: a sector of short records takes two reads, and what a long one holds is not read at all. */
const blockBytes = 2048;

/** Goes from head to head through a stretch of flash. One walk serves a whole recovery: it keeps what it allocates. */
export class RecordWalk {
  readonly head = new HeadReader();
  readonly #flash: FlashRegion;
  #block: DataView | undefined;
  #blockStart = 0;
  #at = 0;
  #next = 0;
  #end = 0;

  constructor(flash: FlashRegion) {
    this.#flash = flash;
  }

  /** From address `from` to before `to`. */
  start(from: number, to: number): void {
    this.#block = undefined;
    this.#next = from;
    this.#end = to;
  }

  /** Goes to the next head; false at the end, and where no sound head is. */
  next(): boolean {
    const at = this.#next;
    if (at + recordHeadBytes > this.#end) return false;
    if (this.#block === undefined || at + recordHeadBytes > this.#blockStart + this.#block.byteLength) {
      const bytes = this.#flash.read(at, Math.min(blockBytes, this.#end - at));
      this.#block = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      this.#blockStart = at;
    }
    if (!this.head.read(this.#block, at - this.#blockStart)) return false;
    if (at + this.head.sizeBytes > this.#end) return false;
    this.#at = at;
    this.#next = at + this.head.sizeBytes;
    return true;
  }

  /** Of the record of this head. */
  get place(): Place {
    return placeAt(this.#at, this.head.sizeBytes);
  }

  /** Address of the head that `next` would read. */
  get nextAddress(): number {
    return this.#next;
  }
}
