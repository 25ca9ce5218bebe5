/**
 * Small integers in few bits: Rice's code with a parameter that follows the mean of what came before, as in JPEG-LS (Weinberger, Seroussi, Sapiro 2000, section
 * III.B). A steady zero takes one bit. What is far larger than usual has an escape of its own, and so has what is no such integer at all.
 *
 * ```
 * usual        q ones, a zero, k bits         q = floor(u / 2^k), below 16
 * escaped      16 ones, n in 6 bits, n bits   1 to 53
 * exception    16 ones, 0 in 6 bits           what it is follows
 * ```
 *
 * u is the integer itself from 0 on, and 2 |i| - 1 for a negative one, doubled: 0, -1, 1, -2 become 0, 1, 2, 3.
 */
import type { BitReader, BitWriter } from "./bits.ts";

/** Of integers: what is larger is an exception. */
export const riceMagnitudeMax = 2 ** 51;

const quotientEscape = 16;
const lengthBits = 6;

/** What says that an exception follows. */
export const exceptionBits = quotientEscape + lengthBits;

/** An integer takes no more bits. */
export const riceBitsMax = exceptionBits + 53;

/** After so many, the past weighs half. */
const resetAt = 32;

export class Rice {
  #sum = 4;
  #count = 1;

  /** Begins anew. */
  reset(): void {
    this.#sum = 4;
    this.#count = 1;
  }

  /** An integer within `riceMagnitudeMax`. */
  write(writer: BitWriter, value: number): void {
    const folded = value < 0 ? -2 * value - 1 : 2 * value;
    const k = this.parameter();
    const quotient = k < 31 && folded <= 0x7fff_ffff ? folded >> k : Math.floor(folded / 2 ** k);
    if (quotient < quotientEscape) {
      writer.write((2 << quotient) - 2, quotient + 1);
      writer.write(folded, k);
    } else {
      const length = bitLength(folded);
      writer.write(2 ** quotientEscape - 1, quotientEscape);
      writer.write(length, lengthBits);
      writer.write(folded, length);
    }
    this.learn(folded);
  }

  /** What follows is written as it is. */
  writeException(writer: BitWriter): void {
    writer.write(2 ** quotientEscape - 1, quotientEscape);
    writer.write(0, lengthBits);
  }

  /** undefined for an exception. */
  read(reader: BitReader): number | undefined {
    const k = this.parameter();
    let quotient = 0;
    while (quotient < quotientEscape && reader.read(1) === 1) quotient++;
    let folded: number;
    if (quotient < quotientEscape) {
      folded = quotient * 2 ** k + reader.read(k);
    } else {
      const length = reader.read(lengthBits);
      if (length === 0) return undefined;
      folded = reader.read(Math.min(length, 53));
    }
    this.learn(folded);
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }

  private parameter(): number {
    let k = 0;
    for (let reach = this.#count; reach < this.#sum; reach *= 2) k++;
    return k;
  }

  private learn(folded: number): void {
    this.#sum += folded;
    if (++this.#count < resetAt) return;
    this.#sum = Math.floor(this.#sum / 2);
    this.#count = resetAt / 2;
  }
}

function bitLength(value: number): number {
  let length = 1;
  while (2 ** length <= value) length++;
  return length;
}
