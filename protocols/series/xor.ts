/**
 * Doubles by what differs from the one before: Gorilla, section 4.1.2 (Pelkonen et al., "Gorilla: A Fast, Scalable, In-Memory Time Series Database", VLDB 2015).
 *
 * ```
 * 0                                           the same
 * 10   bits                                   what differs lies where it did before
 * 11   leading zeros (5)  length - 1 (6)  bits
 * ```
 */
import type { BitReader, BitWriter } from "./bits.ts";

/** A value takes no more. */
export const xorBitsMax = 2 + 5 + 6 + 64;

const leadingMax = 31;

/** Both halves of a double's 64 bits, the higher first. */
class Halves {
  readonly #bytes = new DataView(new ArrayBuffer(8));

  set value(value: number) {
    this.#bytes.setFloat64(0, value);
  }

  get value(): number {
    return this.#bytes.getFloat64(0);
  }

  get high(): number {
    return this.#bytes.getUint32(0);
  }

  get low(): number {
    return this.#bytes.getUint32(4);
  }

  setHalves(high: number, low: number): void {
    this.#bytes.setUint32(0, high);
    this.#bytes.setUint32(4, low);
  }
}

export class XorWriter {
  readonly #halves = new Halves();
  #high = 0;
  #low = 0;
  /** Where the last difference lay: zeros before it, and its length. */
  #leading = 0;
  #length = 0;

  begin(value: number): void {
    this.#halves.value = value;
    this.#high = this.#halves.high;
    this.#low = this.#halves.low;
    this.#length = 0;
  }

  write(writer: BitWriter, value: number): void {
    this.#halves.value = value;
    const { high, low } = this.#halves;
    const highXor = (high ^ this.#high) >>> 0;
    const lowXor = (low ^ this.#low) >>> 0;
    this.#high = high;
    this.#low = low;
    if (highXor === 0 && lowXor === 0) {
      writer.write(0, 1);
      return;
    }
    const leading = Math.min(leadingMax, highXor === 0 ? 32 + Math.clz32(lowXor) : Math.clz32(highXor));
    const trailing = lowXor === 0 ? 32 + trailingZeros(highXor) : trailingZeros(lowXor);
    const end = 64 - trailing;
    if (this.#length > 0 && leading >= this.#leading && end <= this.#leading + this.#length) {
      writer.write(2, 2);
    } else {
      this.#leading = leading;
      this.#length = end - leading;
      writer.write(3, 2);
      writer.write(leading, 5);
      writer.write(this.#length - 1, 6);
    }
    writeMiddle(writer, highXor, lowXor, this.#leading, this.#length);
  }

  /** All 64 bits, of a value that is no part of the row. */
  writeWhole(writer: BitWriter, value: number): void {
    this.#halves.value = value;
    writer.write(this.#halves.high, 32);
    writer.write(this.#halves.low, 32);
  }
}

export class XorReader {
  readonly #halves = new Halves();
  #high = 0;
  #low = 0;
  #leading = 0;
  #length = 0;

  begin(value: number): void {
    this.#halves.value = value;
    this.#high = this.#halves.high;
    this.#low = this.#halves.low;
  }

  /** undefined for bits that no writer writes. */
  read(reader: BitReader): number | undefined {
    if (reader.read(1) === 1) {
      if (reader.read(1) === 1) {
        this.#leading = reader.read(5);
        this.#length = reader.read(6) + 1;
      }
      const trailing = 64 - this.#leading - this.#length;
      if (this.#length === 0 || trailing < 0) return undefined;
      // Bit by bit: it need not be fast.
      for (let at = this.#leading; at < this.#leading + this.#length; at++) {
        if (reader.read(1) === 0) continue;
        if (at < 32) this.#high = (this.#high ^ (1 << (31 - at))) >>> 0;
        else this.#low = (this.#low ^ (1 << (63 - at))) >>> 0;
      }
    }
    this.#halves.setHalves(this.#high, this.#low);
    return this.#halves.value;
  }

  readWhole(reader: BitReader): number {
    const high = reader.read(32);
    this.#halves.setHalves(high, reader.read(32));
    return this.#halves.value;
  }
}

/** `length` bits of 64 from `leading` on. */
function writeMiddle(writer: BitWriter, high: number, low: number, leading: number, length: number): void {
  const end = leading + length;
  if (leading < 32) {
    const inHigh = Math.min(32, end) - leading;
    writer.write(Math.floor(high / 2 ** Math.max(0, 32 - end)) % 2 ** inHigh, inHigh);
  }
  if (end > 32) {
    const inLow = end - Math.max(32, leading);
    writer.write(Math.floor(low / 2 ** (64 - end)) % 2 ** inLow, inLow);
  }
}

function trailingZeros(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
