import type { CborValue } from "../../../protocols/cbor/value.ts";
import { readDoubles, savedDoubles } from "./doubles.ts";
import { Passing } from "./passing.ts";

/** y = c0 x + c1 x(last) + c2 x(last but one) ... Before the first value there was nothing else: it fills the memory, so that a steady signal passes from the start. */
export class Fir extends Passing {
  readonly #coefficients: readonly number[];
  readonly #recent: Float64Array;
  /** Of the latest value; -1 before the first. */
  #place = -1;

  constructor(coefficients: readonly number[]) {
    super();
    this.#coefficients = coefficients;
    this.#recent = new Float64Array(coefficients.length);
  }

  push(value: number): number {
    const coefficients = this.#coefficients;
    const recent = this.#recent;
    const { length } = recent;
    if (this.#place < 0) recent.fill(value);
    let place = this.#place + 1 < length ? this.#place + 1 : 0;
    this.#place = place;
    recent[place] = value;
    let sum = 0;
    for (let i = 0; i < length; i++) {
      sum += coefficients[i]! * recent[place]!;
      place = place > 0 ? place - 1 : length - 1;
    }
    return sum;
  }

  /** From the latest value to the oldest. */
  override save(): CborValue {
    const { length } = this.#recent;
    const values = new Float64Array(this.#place < 0 ? 0 : length);
    for (let i = 0; i < values.length; i++) values[i] = this.#recent[(this.#place - i + length) % length]!;
    return savedDoubles(values);
  }

  override restore(state: CborValue): void {
    const values = readDoubles(state, "fir", 0, this.#recent.length);
    const { length } = values;
    if (length < this.#recent.length) return;
    for (let i = 0; i < length; i++) this.#recent[length - 1 - i] = values[i]!;
    this.#place = length - 1;
  }
}
