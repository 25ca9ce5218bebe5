import { utf8Length, writeUtf8 } from "../text/utf8.ts";
import { CborError } from "./error.ts";
import type { CborValue } from "./value.ts";

const uint32Count = 0x1_0000_0000;

/** Encodes one value into an array of its own. */
export function encodeCbor(value: CborValue): Uint8Array {
  // What a handshake's hashes are fed with, at a tenth of the garbage.
  if (typeof value === "number" && value >= 0 && value < 24 && Math.floor(value) === value) {
    return Uint8Array.of(value);
  }
  if (value instanceof Uint8Array && value.length < 0x100) return byteString(value);
  // Counted first: one buffer of the right size, where growing one would leave all the smaller ones behind, and a copy.
  const length = cborLength(value);
  return new CborEncoder(length, length).encodeAll(value);
}

/** Bytes of the encoding of `value`; of text that cannot be encoded, any. */
function cborLength(value: CborValue): number {
  switch (typeof value) {
    case "number":
      return value >= 0 && value < 24 && Math.floor(value) === value ? 1 : numberLength(value);
    case "string": {
      const length = Math.max(0, utf8Length(value));
      return headLength(length) + length;
    }
    case "boolean":
      return 1;
    default: {
      if (value === null) return 1;
      const { length } = value;
      let bytes = headLength(length);
      if (value instanceof Uint8Array) return bytes + length;
      for (let i = 0; i < length; i++) bytes += cborLength(value[i]!);
      return bytes;
    }
  }
}

function numberLength(value: number): number {
  if (value >>> 0 === value) return headLength(value);
  const isNegative = value < 0 && value >= -uint32Count && Math.floor(value) === value;
  return isNegative ? headLength(-1 - value) : 9;
}

/** Of an initial byte with its argument. */
function headLength(argument: number): number {
  return argument < 24 ? 1 : argument < 0x100 ? 2 : argument < 0x10000 ? 3 : 5;
}

/** Of less than 256 bytes. */
function byteString(content: Uint8Array): Uint8Array {
  const { length } = content;
  const headBytes = length < 24 ? 1 : 2;
  const bytes = new Uint8Array(headBytes + length);
  bytes[0] = length < 24 ? 0x40 + length : 0x58;
  if (headBytes === 2) bytes[1] = length;
  bytes.set(content, headBytes);
  return bytes;
}

/**
 * Encodes values one after the other into a buffer that it keeps. The buffer starts small, doubles as needed and never
 * outgrows `bytesMax`.
 */
export class CborEncoder {
  readonly #bytesMax: number;
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(bytesMax: number, bytesAtFirst = 64) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(Math.min(bytesAtFirst, bytesMax));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /**
   * The encoding of `value`: a view of this encoder's buffer, valid until its next call. `before` zero bytes stand ahead of
   * it, for a frame around it. Throws `CborError`: too-large beyond `bytesMax`, malformed for text with half a surrogate pair.
   */
  encode(value: CborValue, before = 0): Uint8Array {
    this.#length = 0;
    if (before > 0) this.zeros(before);
    this.value(value);
    return this.#bytes.subarray(0, this.#length);
  }

  /** The encoding of `value` as the whole buffer, which it fills: the last use of this encoder. Throws `CborError`. */
  encodeAll(value: CborValue): Uint8Array {
    this.value(value);
    return this.#bytes;
  }

  /** The latest encoding with `count` zero bytes after it. */
  extend(count: number): Uint8Array {
    this.zeros(count);
    return this.#bytes.subarray(0, this.#length);
  }

  private zeros(count: number): void {
    this.room(count);
    this.#bytes.fill(0, this.#length, this.#length + count);
    this.#length += count;
  }

  private value(value: CborValue): void {
    switch (typeof value) {
      case "number":
        this.number(value);
        break;
      case "string":
        this.text(value);
        break;
      case "boolean":
        this.byte(value ? 0xf5 : 0xf4);
        break;
      default:
        if (value === null) {
          this.byte(0xf6);
        } else if (value instanceof Uint8Array) {
          this.head(0x40, value.length);
          this.room(value.length);
          this.#bytes.set(value, this.#length);
          this.#length += value.length;
        } else {
          this.head(0x80, value.length);
          for (let i = 0; i < value.length; i++) this.value(value[i]!);
        }
    }
  }

  /** Minus zero counts as the integer 0, as it does in cbor-x. */
  private number(value: number): void {
    if (value >= 0 && value < 24 && Math.floor(value) === value) {
      this.byte(value);
    } else if (value >>> 0 === value) {
      this.head(0x00, value);
    } else if (value < 0 && value >= -uint32Count && Math.floor(value) === value) {
      this.head(0x20, -1 - value);
    } else {
      this.room(9);
      this.#bytes[this.#length] = 0xfb;
      this.#view.setFloat64(this.#length + 1, value);
      this.#length += 9;
    }
  }

  private text(text: string): void {
    const length = utf8Length(text);
    if (length < 0) {
      throw new CborError(
        "malformed",
        this.#length,
        "the text has half a surrogate pair, which UTF-8 cannot hold",
      );
    }
    this.head(0x60, length);
    this.room(length);
    this.#length = writeUtf8(text, this.#bytes, this.#length);
  }

  /** The initial byte of major type `type` (in the upper three bits) with its argument, shortest form (RFC 8949, 3). */
  private head(type: number, argument: number): void {
    this.room(argument < 24 ? 1 : argument < 0x100 ? 2 : argument < 0x10000 ? 3 : 5);
    const bytes = this.#bytes;
    let to = this.#length;
    if (argument < 24) {
      bytes[to++] = type | argument;
    } else if (argument < 0x100) {
      bytes[to++] = type | 24;
      bytes[to++] = argument;
    } else if (argument < 0x10000) {
      bytes[to++] = type | 25;
      bytes[to++] = argument >> 8;
      bytes[to++] = argument;
    } else {
      bytes[to] = type | 26;
      this.#view.setUint32(to + 1, argument);
      to += 5;
    }
    this.#length = to;
  }

  private byte(byte: number): void {
    if (this.#length === this.#bytes.length) this.room(1);
    this.#bytes[this.#length++] = byte;
  }

  /** Makes room for `count` more bytes. */
  private room(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#bytesMax) {
      throw new CborError("too-large", this.#length, `the value needs more than ${this.#bytesMax} bytes`);
    }
    const grown = new Uint8Array(Math.min(Math.max(needed, 2 * this.#bytes.length), this.#bytesMax));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
