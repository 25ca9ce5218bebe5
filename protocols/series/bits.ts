/** Bits in a row, the most significant of each byte first. */

export class BitWriter {
  readonly #bytes: Uint8Array;
  /** In bits. */
  #length = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** Bits that still fit. */
  get room(): number {
    return 8 * this.#bytes.length - this.#length;
  }

  /** The lowest `count` bits of `value`, an integer from 0 to 2^53 - 1. Room must have been asked for. */
  write(value: number, count: number): void {
    // Shifts reach no further.
    if (count > 32) {
      this.put(Math.floor(value / 0x1_0000_0000), count - 32);
      this.put(value >>> 0, 32);
    } else this.put(value, count);
  }

  private put(value: number, count: number): void {
    let left = count;
    while (left > 0) {
      const free = 8 - (this.#length & 7);
      const taken = left < free ? left : free;
      left -= taken;
      const piece = (value >>> left) & ((1 << taken) - 1);
      this.#bytes[this.#length >> 3]! |= piece << (free - taken);
      this.#length += taken;
    }
  }

  /** What was written, and begins anew. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, (this.#length + 7) >> 3);
    this.#bytes.fill(0, 0, bytes.length);
    this.#length = 0;
    return bytes;
  }
}

/** Reads past the end as zeros, and says so: `isOver`. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.#at > 8 * this.#bytes.length;
  }

  /** Whether nothing is left but the zeros that fill the last byte. */
  get isAtEnd(): boolean {
    const left = 8 * this.#bytes.length - this.#at;
    return left >= 0 && left < 8 && this.read(left) === 0;
  }

  /** An integer of `count` bits, at most 53. */
  read(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[this.#at >> 3] ?? 0;
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
      this.#at++;
    }
    return value;
  }
}
