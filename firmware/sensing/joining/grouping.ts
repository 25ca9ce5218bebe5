import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { GroupUse } from "../../../protocols/pipeline/joined-use.ts";
import { type Accumulator, accumulatorFor } from "../stages/accumulator.ts";
import type { RowWork } from "./row-work.ts";

/**
 * A statistic of one group of the readings of a metric: those during which another one, rounded, was so much. Windows of time begin with the
 * first row of any group, so all groups have the same ones; a window's statistic leaves with the first row at or after its end. A
 * group without readings says nothing.
 */
export class Grouping implements RowWork {
  readonly #group: number;
  readonly #lengthMs: number;
  readonly #values: Accumulator;
  /** Of the window; NaN before the first row. */
  #endMs = NaN;

  constructor({ group, lengthMs, statistic, percent }: GroupUse) {
    this.#group = group;
    this.#lengthMs = lengthMs;
    this.#values = accumulatorFor(statistic, percent);
  }

  take(row: Float64Array, atMs: number): number {
    const lengthMs = this.#lengthMs;
    let ended = NaN;
    if (Number.isNaN(this.#endMs)) this.#endMs = atMs + lengthMs;
    else if (atMs >= this.#endMs) {
      ended = this.#values.result();
      this.#values.clear();
      this.#endMs += (Math.floor((atMs - this.#endMs) / lengthMs) + 1) * lengthMs;
    }
    if (Math.round(row[1]!) === this.#group) {
      this.#values.add(row[0]!, (atMs - this.#endMs + lengthMs) / 1000);
    }
    return ended;
  }

  /** [time until the window's end, NaN before the first row; accumulator]. */
  save(nowMs: number): CborValue {
    return [this.#endMs - nowMs, this.#values.save()];
  }

  restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "group", 2);
    const leftMs = items.anyNumber("the time left");
    this.#values.restore(items.any());
    this.#endMs = nowMs + leftMs;
  }
}
