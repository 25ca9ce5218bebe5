/**
 * Checks that a decoded value has the shape that a format asks for, item by item. Every codec between a struct and
 * CBOR reads through these, so that what is wrong is always said in the same way.
 */
import { utf8Length } from "../text/utf8.ts";
import type { CborValue } from "./value.ts";

/** A well-formed CBOR value that is not what its format asks for. */
export class ShapeError extends Error {
  /** What was being read: `report`, `program`. */
  readonly format: string;
  /** Which part of it: `takenMs of reading 3`. */
  readonly item: string;

  constructor(format: string, item: string, expected: string, found: CborValue | undefined) {
    super(`In a ${format}, ${item} must be ${expected}, not ${shown(found)}.`);
    this.format = format;
    this.item = item;
  }

  override get name(): string {
    return "ShapeError";
  }
}

/** Walks the items of one CBOR array in their order. */
export class ItemReader {
  readonly #format: string;
  /** Of which these are the items: `reading 3`; empty for the outermost. */
  readonly #part: string;
  readonly #items: readonly CborValue[];
  #at = 0;

  /** Throws `ShapeError` unless `value` is an array of at least `lengthMin` items. */
  constructor(value: CborValue | undefined, format: string, part: string, lengthMin: number) {
    if (!Array.isArray(value) || value.length < lengthMin) {
      throw new ShapeError(format, part || "the whole", `an array of ${lengthMin} items`, value);
    }
    this.#items = value;
    this.#format = format;
    this.#part = part;
  }

  /** Items of the array. */
  get length(): number {
    return this.#items.length;
  }

  /** A version that this program knows: 1 up to `versionMax`. */
  version(versionMax: number): number {
    return this.integer("the version", 1, versionMax);
  }

  integer(item: string, min: number, max: number): number {
    const value = this.#items[this.#at++];
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
      this.fail(item, `an integer from ${min} to ${max}`, value);
    }
    return value;
  }

  /** An integer, or nothing: null, or the end of the array. */
  integerOrNone(item: string, min: number, max: number): number | undefined {
    return this.isNone() ? undefined : this.integer(item, min, max);
  }

  /** Whether the next item is null or the end of the array; then it is passed over. */
  isNone(): boolean {
    const value = this.#items[this.#at];
    if (value !== undefined && value !== null) return false;
    this.#at++;
    return true;
  }

  /** Finite, from `min` to `max`. */
  number(item: string, min: number, max: number): number {
    const value = this.#items[this.#at++];
    if (typeof value !== "number" || !(value >= min && value <= max)) {
      this.fail(item, `a number from ${min} to ${max}`, value);
    }
    return value;
  }

  /** Any number: infinite, or NaN for none. */
  anyNumber(item: string): number {
    const value = this.#items[this.#at++];
    if (typeof value !== "number") this.fail(item, "a number", value);
    return value;
  }

  boolean(item: string): boolean {
    const value = this.#items[this.#at++];
    if (typeof value !== "boolean") this.fail(item, "true or false", value);
    return value;
  }

  text(item: string, bytesMax: number): string {
    const value = this.#items[this.#at++];
    if (typeof value !== "string") this.fail(item, `text of at most ${bytesMax} bytes`, value);
    const { length } = value;
    // A unit of UTF-16 becomes three bytes at most, so that short texts need not be looked through.
    if (length > bytesMax || (3 * length > bytesMax && utf8Length(value) > bytesMax)) {
      this.fail(item, `text of at most ${bytesMax} bytes`, value);
    }
    return value;
  }

  bytes(item: string, lengthMax: number): Uint8Array {
    const value = this.#items[this.#at++];
    if (!(value instanceof Uint8Array) || value.length > lengthMax) {
      this.fail(item, `at most ${lengthMax} bytes`, value);
    }
    return value;
  }

  /** An item that may be of several kinds; what to make of it is for the caller. */
  any(): CborValue {
    return this.#items[this.#at++]!;
  }

  array(item: string, lengthMax: number): readonly CborValue[] {
    const value = this.#items[this.#at++];
    if (!Array.isArray(value) || value.length > lengthMax) {
      this.fail(item, `an array of at most ${lengthMax} items`, value);
    }
    return value;
  }

  /** Bytes of exactly this length. */
  bytesOf(item: string, length: number): Uint8Array {
    const bytes = this.bytes(item, length);
    if (bytes.length !== length) this.fail(item, `${length} bytes`, bytes);
    return bytes;
  }

  /** For a format whose arrays must be exactly as long as it says. */
  end(): void {
    if (this.#at < this.#items.length) {
      this.fail("the end", `after ${this.#at} items`, this.#items[this.#at]);
    }
  }

  private fail(item: string, expected: string, found: CborValue | undefined): never {
    const where = this.#part ? `${item} of ${this.#part}` : item;
    throw new ShapeError(this.#format, where, expected, found);
  }
}

/** A value in a few characters, whatever was sent. */
function shown(value: CborValue | undefined): string {
  if (value === undefined) return "missing";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "string")
    return value.length > 32 ? `a text of ${value.length} characters` : `"${value}"`;
  return `${value as number | boolean | null}`;
}
