/**
 * The bytes of a model: a CBOR array of integers (the head), zeros up to a multiple of four, then tables: first those of four bytes a number, then of two, then
 * of one. Numbers are little-endian, as on every processor that Covey runs on, so that a table is a view, not a copy.
 */
import { encodeCbor } from "../cbor/encode.ts";
import { SequenceReader } from "../cbor/sequence.ts";
import { ShapeError } from "../cbor/shape.ts";
import { type ModelKind, modelKinds, modelLimits } from "./model.ts";

export const modelVersion = 1;

/** `head`: what follows version and kind. */
export function packModel(
  kind: ModelKind,
  head: readonly number[],
  tables: readonly (Float32Array | Int32Array | Int16Array | Int8Array | Uint8Array)[],
): Uint8Array {
  const packedHead = encodeCbor([modelVersion, modelKinds.indexOf(kind), ...head]);
  let length = aligned(packedHead.length);
  for (const table of tables) length += table.byteLength;
  const bytes = new Uint8Array(length);
  bytes.set(packedHead);
  let at = aligned(packedHead.length);
  for (const table of tables) {
    bytes.set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength), at);
    at += table.byteLength;
  }
  return bytes;
}

/** Reads the head number by number, then the tables in their order. Throws `ShapeError`, and `CborError` where the head is not even CBOR. */
export class PackedReader {
  readonly kind: ModelKind;
  readonly #bytes: Uint8Array;
  readonly #head: SequenceReader;
  #left: number;
  /** Of the next table, once the head has been read. */
  #at = -1;

  constructor(bytes: Uint8Array) {
    if (bytes.length > modelLimits.bytesMax) {
      this.fail("the whole", `at most ${modelLimits.bytesMax} bytes`, bytes.length);
    }
    // Views need their place.
    this.#bytes = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
    this.#head = new SequenceReader(this.#bytes);
    this.#left = this.#head.array();
    this.integer("the version", modelVersion, modelVersion);
    this.kind = modelKinds[this.integer("the kind", 0, modelKinds.length - 1)]!;
  }

  integer(item: string, min: number, max: number): number {
    if (--this.#left < 0) this.fail(item, "there", -1);
    const value = this.#head.integer();
    if (value < min || value > max) this.fail(item, `an integer from ${min} to ${max}`, value);
    return value;
  }

  floats(item: string, count: number): Float32Array {
    const at = this.take(item, 4 * count);
    const values = new Float32Array(this.#bytes.buffer, at, count);
    for (let i = 0; i < count; i++) {
      if (!Number.isFinite(values[i])) this.fail(`${item} ${i}`, "finite", values[i]!);
    }
    return values;
  }

  int32s(item: string, count: number): Int32Array {
    return new Int32Array(this.#bytes.buffer, this.take(item, 4 * count), count);
  }

  int16s(item: string, count: number): Int16Array {
    return new Int16Array(this.#bytes.buffer, this.take(item, 2 * count), count);
  }

  int8s(item: string, count: number): Int8Array {
    return new Int8Array(this.#bytes.buffer, this.take(item, count), count);
  }

  uint8s(item: string, count: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.take(item, count), count);
  }

  /** Throws `ShapeError` unless everything was read. */
  end(): void {
    if (this.#at < this.#bytes.length) this.fail("the end", `after ${this.#at} bytes`, this.#bytes.length);
  }

  fail(item: string, expected: string, found: number): never {
    throw new ShapeError("model", item, expected, found);
  }

  /** The place of the next table in the buffer. */
  private take(item: string, length: number): number {
    const bytes = this.#bytes;
    if (this.#at < 0) {
      if (this.#left > 0) this.fail("the head", "shorter", this.#left);
      const headEnd = this.#head.rest().byteOffset - bytes.byteOffset;
      this.#at = aligned(headEnd);
      for (let i = headEnd; i < this.#at; i++) if (bytes[i] !== 0) this.fail("the filling", "0", bytes[i]!);
    }
    const at = this.#at;
    this.#at += length;
    if (this.#at > bytes.length) this.fail(item, `${length} bytes`, bytes.length - at);
    return bytes.byteOffset + at;
  }
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
