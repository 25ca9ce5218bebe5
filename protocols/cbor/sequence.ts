/**
 * CBOR sequences (RFC 8742), item by item, each item also as the bytes that it came in: what is hashed, signed or authenticated must be
 * taken as it arrived, never encoded again. Maps and tags, which Covey's own messages do not use, are passed over whole.
 */
import { CborError } from "./error.ts";

/** Arrays, maps and tags within each other. */
const depthMax = 8;

export class SequenceReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Major type of the item whose head was read last. Kept, not given: to take two values out of an array costs XS more than to read them. */
  #type = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Major type of the next item (RFC 8949, section 3.1), 0 to 7; -1 at the end. */
  get nextType(): number {
    return this.isAtEnd ? -1 : this.#bytes[this.#at]! >> 5;
  }

  /** The next item as its bytes, a copy. Throws `CborError`. */
  item(): Uint8Array {
    return this.itemView().slice();
  }

  /** The same, a view. */
  itemView(): Uint8Array {
    const start = this.#at;
    this.pass(0);
    return this.#bytes.subarray(start, this.#at);
  }

  /** The next item, passed over. Throws `CborError`. */
  skip(): void {
    this.pass(0);
  }

  /** All that is left, a view. */
  rest(): Uint8Array {
    const start = this.#at;
    this.#at = this.#bytes.length;
    return this.#bytes.subarray(start);
  }

  /** An integer within 32 bits. Throws `CborError` when the next item is none. */
  integer(): number {
    const at = this.#at;
    const argument = this.head();
    if (this.#type > 1) this.fail(at, "unsupported", "an integer must stand here");
    return this.#type === 0 ? argument : -1 - argument;
  }

  /** A byte string, a copy. Throws `CborError` when the next item is none. */
  byteString(): Uint8Array {
    return this.byteStringView().slice();
  }

  /** The same, a view. */
  byteStringView(): Uint8Array {
    const at = this.#at;
    const length = this.head();
    if (this.#type !== 2) this.fail(at, "unsupported", "a byte string must stand here");
    return this.take(length);
  }

  /** The number of items of an array, which come next. Throws `CborError` when the next item is none. */
  array(): number {
    const at = this.#at;
    const length = this.head();
    if (this.#type !== 4) this.fail(at, "unsupported", "an array must stand here");
    return length;
  }

  /** The number of pairs of a map, which come next. Throws `CborError` when the next item is none. */
  map(): number {
    const at = this.#at;
    const pairs = this.head();
    if (this.#type !== 5) this.fail(at, "unsupported", "a map must stand here");
    return pairs;
  }

  /** Throws `CborError` unless everything was read. */
  end(): void {
    if (!this.isAtEnd) this.fail(this.#at, "trailing", "bytes follow the sequence");
  }

  private pass(depth: number): void {
    if (depth > depthMax) this.fail(this.#at, "too-large", `nested deeper than ${depthMax}`);
    const argument = this.head();
    const type = this.#type;
    if (type === 2 || type === 3) this.advance(argument);
    const items = type === 4 ? argument : type === 5 ? 2 * argument : type === 6 ? 1 : 0;
    // Each item takes a byte at least, so a short message cannot claim a long array.
    if (items > this.#bytes.length - this.#at) this.fail(this.#at, "truncated", "items are missing");
    for (let i = 0; i < items; i++) this.pass(depth + 1);
  }

  /** The argument of the next item, whose major type `#type` says then; of a simple value or a float, the bytes of its value are passed over. */
  private head(): number {
    const at = this.#at;
    if (this.isAtEnd) this.fail(at, "truncated", "an item is missing");
    const initial = this.#bytes[this.#at++]!;
    const additional = initial & 0x1f;
    this.#type = initial >> 5;
    if (additional < 24) return additional;
    if (additional > 27) this.fail(at, "unsupported", "indefinite lengths are not used");
    const size = 1 << (additional - 24);
    let argument = 0;
    this.advance(size);
    for (let i = this.#at - size; i < this.#at; i++) argument = argument * 256 + this.#bytes[i]!;
    // Shortest form (RFC 8949, section 4.2.1): else one message could be written in two ways.
    const least = size === 1 ? 24 : size === 2 ? 0x100 : size === 4 ? 0x10000 : 0x1_0000_0000;
    if (this.#type !== 7 && argument < least)
      this.fail(at, "unsupported", "a number is longer than it need be");
    return argument;
  }

  private take(count: number): Uint8Array {
    const start = this.#at;
    this.advance(count);
    return this.#bytes.subarray(start, this.#at);
  }

  private advance(count: number): void {
    if (count > this.#bytes.length - this.#at)
      this.fail(this.#at, "truncated", "the item is longer than the bytes");
    this.#at += count;
  }

  private fail(
    at: number,
    fault: "malformed" | "truncated" | "trailing" | "unsupported" | "too-large",
    what: string,
  ): never {
    throw new CborError(fault, at, what);
  }
}

/** A map of encoded keys and values, in the order given. */
export function encodeMap(...pairs: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  return concat(0xa0 | pairs.length, ...pairs.flat());
}

/** What `concat` joins: several bytes, or one as a number, of which an array would take a board 120 bytes of heap. */
export type Bytes = Uint8Array | number;

/** All one after the other. */
export function concat(...parts: readonly Bytes[]): Uint8Array {
  const bytes = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (typeof part === "number") bytes[at++] = part;
    else {
      bytes.set(part, at);
      at += part.length;
    }
  }
  return bytes;
}

/** Bytes of all. */
export function lengthOf(parts: readonly Bytes[]): number {
  let length = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    length += typeof part === "number" ? 1 : part.length;
  }
  return length;
}

/** The first bytes of an item (RFC 8949, section 3), shortest form: an integer of major type 0, or the head of a byte string, type 2. Up to 65,535. */
export function head(type: 0 | 2, argument: number): readonly number[] {
  const initial = type << 5;
  if (argument < 24) return [initial | argument];
  if (argument < 0x100) return [initial | 24, argument];
  return [initial | 25, argument >> 8, argument & 0xff];
}
