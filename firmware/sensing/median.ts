import { ShapeError } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { Filter } from "./filter.ts";

/**
 * The median of the last `count` values. Until there are so many, of those there are; of an even number it is the mean
 * of the two in the middle.
 */
export class Median implements Filter {
  readonly #countMax: number;
  /**
   * The values in ascending order, then from `countMax` on the same in the order of arrival, a ring. One array, because
   * each takes 120 bytes beside its values.
   */
  readonly #values: Float64Array;
  #count = 0;
  #next = 0;

  constructor(count: number) {
    this.#countMax = count;
    this.#values = new Float64Array(2 * count);
  }

  /** It waits for nothing. */
  get dueMs(): number {
    return Infinity;
  }

  push(value: number): number {
    const values = this.#values;
    const place = this.#countMax + this.#next;
    if (this.#count === this.#countMax) this.remove(values[place]!);
    values[place] = value;
    this.#next = (this.#next + 1) % this.#countMax;
    this.insert(value);
    const upper = values[this.#count >> 1]!;
    if (this.#count % 2 === 1) return upper;
    // Halved first: the sum of two finite values may not be finite.
    return values[(this.#count >> 1) - 1]! / 2 + upper / 2;
  }

  advance(): number {
    return NaN;
  }

  /** The values in the order of arrival, as the bytes of doubles. */
  save(): CborValue {
    const arrived = new Float64Array(this.#count);
    const first = this.#count < this.#countMax ? 0 : this.#next;
    for (let i = 0; i < this.#count; i++) {
      arrived[i] = this.#values[this.#countMax + ((first + i) % this.#countMax)]!;
    }
    return new Uint8Array(arrived.buffer);
  }

  restore(state: CborValue): void {
    const isSaved = state instanceof Uint8Array && state.length % 8 === 0;
    if (!isSaved || state.length > 8 * this.#countMax) {
      throw new ShapeError("checkpoint", "median", "the bytes of its values", state);
    }
    const values = new DataView(state.buffer, state.byteOffset, state.length);
    for (let at = 0; at < state.length; at += 8) this.push(values.getFloat64(at, true));
  }

  private insert(value: number): void {
    const sorted = this.#values;
    let place = this.#count++;
    for (; place > 0 && sorted[place - 1]! > value; place--) sorted[place] = sorted[place - 1]!;
    sorted[place] = value;
  }

  private remove(value: number): void {
    const sorted = this.#values;
    let place = 0;
    while (sorted[place] !== value) place++;
    this.#count--;
    for (; place < this.#count; place++) sorted[place] = sorted[place + 1]!;
  }
}
