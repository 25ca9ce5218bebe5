import { type Place, sizeOf } from "./place.ts";
import { recordHeadBytes } from "./record.ts";
import type { SectorLog } from "./sector-log.ts";

/**
 * Bytes that replace those before them: the record with the highest number counts, and one without data says that there are none. What a board keeps while it sleeps
 * is to be taken once: that it was taken is in flash before it is given out, so whatever must never be used twice, whatever the power does, is not.
 */
export class KeptBytes {
  readonly kind: number;
  #number = 0;
  /** 0 for none. */
  #place: Place = 0;

  constructor(kind: number) {
    this.kind = kind;
  }

  get liveBytes(): number {
    return this.#place === 0 ? 0 : sizeOf(this.#place);
  }

  /** Replaces what is kept, by nothing if `bytes` are none. */
  write(log: SectorLog, bytes: Uint8Array): void {
    const place = log.append(this.kind, ++this.#number, 0, bytes);
    this.#place = bytes.length === 0 ? 0 : place;
  }

  /** undefined when nothing is kept. Throws `FlashDamaged`. */
  read(log: SectorLog): Uint8Array | undefined {
    return this.#place === 0 ? undefined : log.read(this.#place).data;
  }

  holds(place: Place): boolean {
    return place === this.#place;
  }

  /** What is kept has been copied to `to`. */
  move(to: Place): void {
    this.#place = to;
  }

  replay(number: number, sizeBytes: number, place: Place): void {
    if (number < this.#number) return;
    this.#number = number;
    this.#place = sizeBytes > recordHeadBytes ? place : 0;
  }
}
