import { ElfError } from "./elf-error.ts";

/** Little-endian reading, never beyond the end. */
export class ByteCursor {
  at: number;
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** @param from and @param length in bytes within `bytes` @throws {ElfError} when that is not in it */
  constructor(bytes: Uint8Array, from = 0, length = bytes.length - from) {
    if (from < 0 || length < 0 || from + length > bytes.length)
      throw new ElfError("a part lies beyond its end");
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = from;
    this.end = from + length;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }

  i8(): number {
    return this.#view.getInt8(this.#step(1));
  }

  skip(bytes: number): void {
    this.#step(bytes);
  }

  /** DWARF 5, section 7.6; what does not fit 32 bits is cut. */
  uleb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  sleb(): number {
    let value = 0;
    for (let shift = 0; ; ) {
      const byte = this.u8();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte >= 0x80) continue;
      return shift < 32 && (byte & 0x40) !== 0 ? value | (-1 << shift) : value;
    }
  }

  /** Up to a zero byte, which is passed. */
  text(): string {
    const from = this.at;
    while (this.u8() !== 0);
    return latin1(this.#bytes.subarray(from, Math.min(this.at - 1, from + textBytesMax)));
  }

  #step(bytes: number): number {
    const from = this.at;
    if (bytes < 0 || from + bytes > this.end) throw new ElfError("a part of it is cut off");
    this.at += bytes;
    return from;
  }
}

const textBytesMax = 1024;

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
