import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Stage } from "../../../protocols/pipeline/stage.ts";
import { Passing } from "./passing.ts";

/**
 * A second-order section in direct form II transposed, which loses least to rounding (Smith, Introduction to Digital Filters). It begins
 * as if the first value had always been, so that a steady signal does not ring at the start.
 */
export class Biquad extends Passing {
  readonly #section: Stage & { op: "biquad" };
  #s1 = NaN;
  #s2 = 0;

  constructor(section: Stage & { op: "biquad" }) {
    super();
    this.#section = section;
  }

  push(value: number): number {
    const { b0, b1, b2, a1, a2 } = this.#section;
    if (Number.isNaN(this.#s1)) {
      const steady = ((b0 + b1 + b2) / (1 + a1 + a2)) * value;
      this.#s2 = b2 * value - a2 * steady;
      this.#s1 = steady - b0 * value;
    }
    const out = b0 * value + this.#s1;
    this.#s1 = b1 * value - a1 * out + this.#s2;
    this.#s2 = b2 * value - a2 * out;
    return out;
  }

  override save(): CborValue {
    return [this.#s1, this.#s2];
  }

  override restore(state: CborValue): void {
    const items = new ItemReader(state, "checkpoint", "biquad", 2);
    const s1 = items.anyNumber("s1");
    this.#s2 = items.anyNumber("s2");
    this.#s1 = s1;
  }
}
