import type { CborValue } from "../../../protocols/cbor/value.ts";
import { readDoubles, savedDoubles } from "./doubles.ts";
import { Passing } from "./passing.ts";

/** The mean of the last `count` values; until there are so many, of those there are. */
export class Average extends Passing {
  readonly #recent: Float64Array;
  #count = 0;
  #next = 0;
  #sum = 0;

  constructor(count: number) {
    super();
    this.#recent = new Float64Array(count);
  }

  push(value: number): number {
    const recent = this.#recent;
    this.#sum += value - (this.#count === recent.length ? recent[this.#next]! : 0);
    if (this.#count < recent.length) this.#count++;
    recent[this.#next++] = value;
    if (this.#next === recent.length) {
      this.#next = 0;
      this.addUp();
    }
    return this.#sum / this.#count;
  }

  /** In the order of arrival. */
  override save(): CborValue {
    const { length } = this.#recent;
    const values = new Float64Array(this.#count);
    const first = this.#next - this.#count + length;
    for (let i = 0; i < values.length; i++) values[i] = this.#recent[(first + i) % length]!;
    return savedDoubles(values);
  }

  override restore(state: CborValue): void {
    const values = readDoubles(state, "average", 0, this.#recent.length);
    for (let i = 0; i < values.length; i++) this.push(values[i]!);
    // What a sum has lost by rounding depends on its way; after a restart it has none.
    this.addUp();
  }

  /** Once a round, so that roundings do not add up for ever. */
  private addUp(): void {
    let sum = 0;
    for (let i = 0; i < this.#count; i++) sum += this.#recent[i]!;
    this.#sum = sum;
  }
}
