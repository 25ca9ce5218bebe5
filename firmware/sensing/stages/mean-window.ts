import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Filter } from "./filter.ts";

/**
 * The mean of each tumbling window of `windowMs`. The first window begins with the first value, and every later one where a
 * window ended. A window emits at its end, an empty one nothing.
 */
export class MeanWindow implements Filter {
  readonly #windowMs: number;
  /** End of the window that has values; Infinity while there are none. */
  dueMs = Infinity;
  /** Where the windows are counted from; NaN before the first value. */
  #originMs = NaN;
  #count = 0;
  #mean = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  push(value: number, atMs: number): number {
    const ended = atMs >= this.dueMs ? this.advance() : NaN;
    if (this.#count === 0) {
      if (Number.isNaN(this.#originMs)) this.#originMs = atMs;
      const windows = Math.floor((atMs - this.#originMs) / this.#windowMs) + 1;
      this.dueMs = this.#originMs + windows * this.#windowMs;
    }
    this.#count++;
    // A running mean: a sum would lose small values, or overflow, where the mean does not.
    this.#mean += value / this.#count - this.#mean / this.#count;
    return ended;
  }

  advance(): number {
    const mean = this.#count > 0 ? this.#mean : NaN;
    this.#count = 0;
    this.#mean = 0;
    this.dueMs = Infinity;
    return mean;
  }

  /** [number of values, their mean, age of the window], -1 for an age before the first value. */
  save(nowMs: number): CborValue {
    const isBegun = !Number.isNaN(this.#originMs);
    return [this.#count, this.#mean, isBegun ? (nowMs - this.#originMs) % this.#windowMs : -1];
  }

  restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "mean", 3);
    const count = items.integer("the count", 0, Number.MAX_SAFE_INTEGER);
    const mean = items.anyNumber("the mean");
    const ageMs = items.number("the age", -1, this.#windowMs);
    if (ageMs < 0) return;
    this.#count = count;
    this.#mean = mean;
    this.#originMs = nowMs - ageMs;
    if (count > 0) this.dueMs = this.#originMs + this.#windowMs;
  }
}
