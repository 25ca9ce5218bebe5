import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Passing } from "./passing.ts";

/** The exponentially weighted moving average: y += alpha (x - y), from the first value on. */
export class Ewma extends Passing {
  readonly #alpha: number;
  #mean = NaN;

  constructor(alpha: number) {
    super();
    this.#alpha = alpha;
  }

  push(value: number): number {
    // Two products, because the difference of two finite values may not be finite.
    this.#mean = Number.isNaN(this.#mean) ? value : (1 - this.#alpha) * this.#mean + this.#alpha * value;
    return this.#mean;
  }

  override save(): CborValue {
    return [this.#mean];
  }

  override restore(state: CborValue): void {
    this.#mean = new ItemReader(state, "checkpoint", "ewma", 1).anyNumber("the mean");
  }
}
