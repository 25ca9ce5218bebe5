import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Passing } from "./passing.ts";

/** A Schmitt trigger: 1 from `high` on, 0 from `low` down; between them what it was, 0 at first. */
export class Hysteresis extends Passing {
  readonly #low: number;
  readonly #high: number;
  #isHigh = false;

  constructor(low: number, high: number) {
    super();
    this.#low = low;
    this.#high = high;
  }

  push(value: number): number {
    if (value >= this.#high) this.#isHigh = true;
    else if (value <= this.#low) this.#isHigh = false;
    return this.#isHigh ? 1 : 0;
  }

  override save(): CborValue {
    return [this.#isHigh];
  }

  override restore(state: CborValue): void {
    this.#isHigh = new ItemReader(state, "checkpoint", "hysteresis", 1).boolean("the state");
  }
}
