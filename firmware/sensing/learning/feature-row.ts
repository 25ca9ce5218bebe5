import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Quality } from "../../../protocols/messages/board-messages.ts";
import { readDoubles, savedDoubles } from "../stages/doubles.ts";

/** The latest values of some metrics, gathered until each that is to be waited for has come anew. */
export class FeatureRow {
  readonly values: Float64Array;
  readonly #metrics: readonly string[];
  readonly #waits: number;
  /** Bit i: there is a good value i; one that no row has had yet; one that came late. */
  #known = 0;
  #fresh = 0;
  #late = 0;

  constructor(metrics: readonly string[], waits: number) {
    this.#metrics = metrics;
    this.#waits = waits;
    this.values = new Float64Array(metrics.length);
  }

  get isLate(): boolean {
    return this.#late !== 0;
  }

  /** Takes a reading, of whatever metric; true when it makes a row whole. One that is not good takes its metric out of the row until a good one comes. */
  take(metric: string, value: number, quality: Quality): boolean {
    const metrics = this.#metrics;
    let taken = 0;
    for (let i = 0; i < metrics.length; i++) {
      if (metrics[i] !== metric) continue;
      taken |= 1 << i;
      this.values[i] = value;
    }
    if (taken === 0) return false;
    // Late is still good.
    if (quality !== 0 && quality !== 4) {
      this.#known &= ~taken;
      this.#fresh &= ~taken;
      return false;
    }
    this.#known |= taken;
    this.#fresh |= taken;
    if (quality === 4) this.#late |= taken;
    else this.#late &= ~taken;
    if (this.#known !== (1 << metrics.length) - 1) return false;
    if ((this.#fresh & this.#waits) !== this.#waits) return false;
    this.#fresh = 0;
    return true;
  }

  /** [which are known, which of them are fresh, which late, the bytes of all], for a checkpoint. */
  save(): CborValue {
    return [this.#known, this.#fresh, this.#late, savedDoubles(this.values)];
  }

  /** Throws `ShapeError`, and has changed nothing, for anything but what a row of as many saved. */
  restore(state: CborValue): void {
    const { length } = this.values;
    const all = 2 ** length - 1;
    const items = new ItemReader(state, "checkpoint", "row", 4);
    const known = items.integer("the known", 0, all);
    const fresh = items.integer("the fresh", 0, all);
    const late = items.integer("the late", 0, all);
    const values = readDoubles(items.any(), "row", length, length);
    for (let i = 0; i < length; i++) {
      if (!Number.isFinite(values[i]))
        throw new ShapeError("checkpoint", "a row", "finite numbers", values[i]);
    }
    this.#known = known;
    this.#fresh = fresh;
    this.#late = late;
    this.values.set(values);
  }
}
