import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Stage } from "../../../protocols/pipeline/stage.ts";
import { type Accumulator, accumulatorFor } from "./accumulator.ts";
import type { Filter } from "./filter.ts";

/**
 * A statistic of each window of `length` values or milliseconds. The first window begins with the first value. A window of values emits with
 * its last one; one of time at its end, to which a value of that very time no longer belongs, and an empty one emits nothing.
 */
export class Tumbling implements Filter {
  /** End of the window of time that has values; Infinity while there are none. */
  dueMs = Infinity;
  readonly #length: number;
  readonly #isByTime: boolean;
  readonly #values: Accumulator;
  /** Values in the window. */
  #count = 0;
  /** Begin of the first window; NaN before the first value. */
  #originMs = NaN;
  /** Of the first value in the window. */
  #firstMs = 0;

  constructor({ by, length, statistic, percent }: Stage & { op: "tumbling" }) {
    this.#length = length;
    this.#isByTime = by === "time";
    this.#values = accumulatorFor(statistic, percent);
  }

  push(value: number, atMs: number): number {
    const ended = atMs >= this.dueMs ? this.advance() : NaN;
    if (this.#count === 0) {
      if (Number.isNaN(this.#originMs)) this.#originMs = atMs;
      this.#firstMs = atMs;
      if (this.#isByTime) this.dueMs = this.windowEnd(atMs);
    }
    this.#count++;
    this.#values.add(value, (atMs - this.#firstMs) / 1000);
    return this.#isByTime || this.#count < this.#length ? ended : this.advance();
  }

  advance(): number {
    const result = this.#values.result();
    this.#values.clear();
    this.#count = 0;
    this.dueMs = Infinity;
    return result;
  }

  /** [number of values, age of the first, age of the window's begin, accumulator], -1 for an age before the first value. */
  save(nowMs: number): CborValue {
    const isBegun = !Number.isNaN(this.#originMs);
    const ageMs = isBegun ? (nowMs - this.#originMs) % this.#length : -1;
    return [this.#count, nowMs - this.#firstMs, this.#isByTime ? ageMs : -1, this.#values.save()];
  }

  restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "window", 4);
    const count = items.integer("the count", 0, Number.MAX_SAFE_INTEGER);
    const firstAgeMs = items.anyNumber("the first's age");
    const ageMs = items.number("the age", -1, this.#length);
    this.#values.restore(items.any());
    this.#count = count;
    this.#firstMs = nowMs - firstAgeMs;
    if (ageMs < 0) return;
    this.#originMs = nowMs - ageMs;
    if (count > 0) this.dueMs = this.#originMs + this.#length;
  }

  private windowEnd(atMs: number): number {
    const windows = Math.floor((atMs - this.#originMs) / this.#length) + 1;
    return this.#originMs + windows * this.#length;
  }
}
