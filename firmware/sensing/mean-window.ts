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
}
