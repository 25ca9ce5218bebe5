import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Stage } from "../../../protocols/pipeline/stage.ts";
import { Passing } from "./passing.ts";

/**
 * The tabular cumulative sum (Page 1954; NIST/SEMATECH e-Handbook, 6.3.2.3): what lies beyond the reference by more than `drift` adds up on
 * each side. A sum above `threshold` tells a change, 1 up or -1 down; then both begin anew, and so does the reference where it is learned.
 */
export class Cusum extends Passing {
  readonly #stage: Stage & { op: "cusum" };
  #learned = 0;
  #reference: number;
  #up = 0;
  #down = 0;

  constructor(stage: Stage & { op: "cusum" }) {
    super();
    this.#stage = stage;
    this.#reference = stage.learn > 0 ? 0 : stage.reference;
  }

  push(value: number): number {
    const { drift, threshold, learn } = this.#stage;
    if (this.#learned < learn) {
      this.#learned++;
      this.#reference += value / this.#learned - this.#reference / this.#learned;
      return 0;
    }
    const beyond = value - this.#reference;
    this.#up = Math.max(0, this.#up + beyond - drift);
    this.#down = Math.max(0, this.#down - beyond - drift);
    const change = this.#up > threshold ? 1 : this.#down > threshold ? -1 : 0;
    if (change !== 0) this.begin();
    return change;
  }

  override save(): CborValue {
    return [this.#learned, this.#reference, this.#up, this.#down];
  }

  override restore(state: CborValue): void {
    const items = new ItemReader(state, "checkpoint", "cusum", 4);
    const learned = items.integer("the count", 0, this.#stage.learn);
    const reference = items.anyNumber("the reference");
    const up = items.anyNumber("the sum up");
    this.#down = items.anyNumber("the sum down");
    this.#learned = learned;
    this.#reference = reference;
    this.#up = up;
  }

  private begin(): void {
    this.#up = 0;
    this.#down = 0;
    this.#learned = 0;
    if (this.#stage.learn > 0) this.#reference = 0;
  }
}
