import type { Filter } from "./filter.ts";

/**
 * The median of the last `count` values. Until there are so many, of those there are; of an even number it is the mean
 * of the two in the middle.
 */
export class Median implements Filter {
  readonly dueMs = Infinity;
  /** In the order of arrival, a ring. */
  readonly #arrived: Float64Array;
  /** The same values in ascending order. */
  readonly #sorted: Float64Array;
  #count = 0;
  #next = 0;

  constructor(count: number) {
    this.#arrived = new Float64Array(count);
    this.#sorted = new Float64Array(count);
  }

  push(value: number): number {
    if (this.#count === this.#arrived.length) this.#remove(this.#arrived[this.#next]!);
    this.#arrived[this.#next] = value;
    this.#next = (this.#next + 1) % this.#arrived.length;
    this.#insert(value);
    const upper = this.#sorted[this.#count >> 1]!;
    if (this.#count % 2 === 1) return upper;
    // Halved first: the sum of two finite values may not be finite.
    return this.#sorted[(this.#count >> 1) - 1]! / 2 + upper / 2;
  }

  advance(): number {
    return NaN;
  }

  #insert(value: number): void {
    const sorted = this.#sorted;
    let place = this.#count++;
    for (; place > 0 && sorted[place - 1]! > value; place--) sorted[place] = sorted[place - 1]!;
    sorted[place] = value;
  }

  #remove(value: number): void {
    const sorted = this.#sorted;
    let place = 0;
    while (sorted[place] !== value) place++;
    this.#count--;
    for (; place < this.#count; place++) sorted[place] = sorted[place + 1]!;
  }
}
