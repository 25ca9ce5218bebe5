import { readUtf8 } from "../text/utf8.ts";
import { CborError } from "./error.ts";
import type { CborValue } from "./value.ts";

export interface CborLimits {
  /** Arrays within arrays. */
  readonly depthMax: number;
  /** Items in all, arrays and what is in them. */
  readonly itemsMax: number;
}

/** Roomy for every message of Covey; how long the bytes may be is for the caller to check. */
export const cborLimits: CborLimits = Object.freeze({ depthMax: 8, itemsMax: 1024 });

/**
 * The one value that `bytes` hold; byte strings in it are copies. Throws `CborError` for anything else: see its faults.
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits = cborLimits): CborValue {
  const decoder = new Decoder(bytes, limits);
  const value = decoder.value(0);
  decoder.end();
  return value;
}

class Decoder {
  readonly #bytes: Uint8Array;
  readonly #limits: CborLimits;
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array, limits: CborLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  end(): void {
    if (this.#at < this.#bytes.length) this.fail("trailing", "bytes follow the value");
  }

  value(depth: number): CborValue {
    if (++this.#items > this.#limits.itemsMax) {
      this.fail("too-large", `more than ${this.#limits.itemsMax} items`);
    }
    const initial = this.byte();
    const additional = initial & 0x1f;
    switch (initial >> 5) {
      case 0:
        return this.argument(additional);
      case 1:
        return -1 - this.argument(additional);
      case 2: {
        const start = this.skip(this.argument(additional));
        return this.#bytes.slice(start, this.#at);
      }
      case 3:
        return this.text(this.argument(additional));
      case 4:
        return this.array(this.argument(additional), depth + 1);
      case 7:
        return this.simple(additional);
      default:
        return this.fail("unsupported", "maps and tags are not used");
    }
  }

  private array(length: number, depth: number): CborValue[] {
    if (depth > this.#limits.depthMax) {
      this.fail("too-large", `nested deeper than ${this.#limits.depthMax}`);
    }
    // Each item takes a byte at least, so a short message cannot claim a long array.
    if (length > this.#bytes.length - this.#at) this.fail("truncated", "an array is longer than the bytes");
    const array: CborValue[] = [];
    for (let i = 0; i < length; i++) array.push(this.value(depth));
    return array;
  }

  private simple(additional: number): CborValue {
    switch (additional) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 25:
        return this.half();
      case 26:
        return this.view(4).getFloat32(0);
      case 27:
        return this.view(8).getFloat64(0);
      default:
        return this.fail("unsupported", `simple value ${additional} is not used`);
    }
  }

  /** RFC 8949, appendix D. */
  private half(): number {
    const bits = this.view(2).getUint16(0);
    const exponent = (bits >> 10) & 0x1f;
    const mantissa = bits & 0x3ff;
    const magnitude =
      exponent === 0
        ? mantissa * 2 ** -24
        : exponent === 31
          ? mantissa === 0
            ? Infinity
            : NaN
          : (mantissa + 1024) * 2 ** (exponent - 25);
    return bits & 0x8000 ? -magnitude : magnitude;
  }

  private argument(additional: number): number {
    if (additional < 24) return additional;
    switch (additional) {
      case 24:
        return this.byte();
      case 25:
        return (this.byte() << 8) | this.byte();
      case 26:
        return this.uint32();
      case 27: {
        const value = this.uint32() * 0x1_0000_0000 + this.uint32();
        if (value > Number.MAX_SAFE_INTEGER) this.fail("unsupported", "an integer is beyond 2^53");
        return value;
      }
      case 31:
        return this.fail("unsupported", "indefinite lengths are not used");
      default:
        return this.fail("malformed", `${additional} is reserved as additional information`);
    }
  }

  private uint32(): number {
    const high = (this.byte() << 8) | this.byte();
    return high * 0x10000 + ((this.byte() << 8) | this.byte());
  }

  private byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) return this.fail("truncated", "the bytes end inside an item");
    this.#at++;
    return byte;
  }

  private view(length: number): DataView {
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.skip(length), length);
  }

  /** Steps over `length` bytes and gives the offset of the first of them. */
  private skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) this.fail("truncated", "the bytes end inside an item");
    this.#at = start + length;
    return start;
  }

  private text(length: number): string {
    const start = this.skip(length);
    const text = readUtf8(this.#bytes, start, this.#at);
    if (text === undefined) throw new CborError("malformed", start, "the text is not UTF-8");
    return text;
  }

  private fail(fault: CborError["fault"], what: string): never {
    throw new CborError(fault, this.#at, what);
  }
}
