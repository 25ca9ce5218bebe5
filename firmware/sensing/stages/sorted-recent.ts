import type { CborValue } from "../../../protocols/cbor/value.ts";
import { readDoubles, savedDoubles } from "./doubles.ts";
import { Passing } from "./passing.ts";

/** A filter of the last values, at most `capacity`, in the order of arrival and in ascending order. Adding one moves up to `capacity` numbers. */
export abstract class SortedRecent extends Passing {
  readonly #capacity: number;
  /**
   * The values in ascending order, then from `capacity` on the same in the order of arrival, a ring. One array, because
   * each takes 120 bytes beside its values.
   */
  readonly #values: Float64Array;
  #count = 0;
  #next = 0;

  constructor(capacity: number) {
    super();
    this.#capacity = capacity;
    this.#values = new Float64Array(2 * capacity);
  }

  protected get count(): number {
    return this.#count;
  }

  /** Makes room by dropping the oldest. */
  protected add(value: number): void {
    if (this.#count === this.#capacity) this.dropOldest();
    this.#values[this.#capacity + this.#next] = value;
    this.#next = (this.#next + 1) % this.#capacity;
    this.insert(value);
  }

  private dropOldest(): void {
    const sorted = this.#values;
    const value = sorted[this.place(0)]!;
    let place = 0;
    while (sorted[place] !== value) place++;
    this.#count--;
    for (; place < this.#count; place++) sorted[place] = sorted[place + 1]!;
  }

  /** By rank, from 0, the smallest. */
  protected ranked(rank: number): number {
    return this.#values[rank]!;
  }

  /** The middle one; of an even number the mean of the two in the middle. */
  protected median(): number {
    const values = this.#values;
    const upper = values[this.#count >> 1]!;
    if (this.#count % 2 === 1) return upper;
    // Halved first: the sum of two finite values may not be finite.
    return values[(this.#count >> 1) - 1]! / 2 + upper / 2;
  }

  /** The values in the order of arrival, as the bytes of doubles. */
  override save(): CborValue {
    const arrived = new Float64Array(this.#count);
    for (let i = 0; i < this.#count; i++) arrived[i] = this.#values[this.place(i)]!;
    return savedDoubles(arrived);
  }

  override restore(state: CborValue): void {
    const arrived = readDoubles(state, "median", 0, this.#capacity);
    for (let i = 0; i < arrived.length; i++) this.add(arrived[i]!);
  }

  /** Where the value is that came `i` after the oldest. */
  private place(i: number): number {
    const capacity = this.#capacity;
    return capacity + ((this.#next - this.#count + i + capacity) % capacity);
  }

  private insert(value: number): void {
    const sorted = this.#values;
    let place = this.#count++;
    for (; place > 0 && sorted[place - 1]! > value; place--) sorted[place] = sorted[place - 1]!;
    sorted[place] = value;
  }
}
