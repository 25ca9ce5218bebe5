import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Statistic } from "../../../protocols/pipeline/stage.ts";
import { readDoubles, savedDoubles } from "./doubles.ts";
import { P2 } from "./p2.ts";

/** One statistic of values as they come, in memory that does not grow with them. */
export interface Accumulator {
  /** `seconds` counts from anywhere, the same for all values until `clear`. */
  add(value: number, seconds: number): void;
  /** NaN while there are too few values for it. */
  result(): number;
  clear(): void;
  save(): CborValue;
  /** Throws `ShapeError` for what an accumulator of another statistic has saved. */
  restore(state: CborValue): void;
}

/** `percent` counts for a percentile only. */
export function accumulatorFor(statistic: Statistic, percent: number): Accumulator {
  return statistic === "percentile" ? new P2(percent / 100) : new Moments(statistic);
}

/**
 * All but percentiles. Means are running ones, and sums of squares are about them (Welford 1962): plain sums would lose small values
 * beside large ones, or overflow.
 */
class Moments implements Accumulator {
  readonly #statistic: Exclude<Statistic, "percentile">;
  #count = 0;
  /** The mean, the least, the greatest, or the mean of the squares. */
  #level = 0;
  /** Sum of squares about the mean; for a slope, of value times time. */
  #spread = 0;
  #meanSeconds = 0;
  #spreadSeconds = 0;

  constructor(statistic: Exclude<Statistic, "percentile">) {
    this.#statistic = statistic;
  }

  add(value: number, seconds: number): void {
    const count = ++this.#count;
    switch (this.#statistic) {
      case "count":
        return;
      case "min":
        this.#level = count === 1 ? value : Math.min(this.#level, value);
        return;
      case "max":
        this.#level = count === 1 ? value : Math.max(this.#level, value);
        return;
      case "mean":
        this.#level += value / count - this.#level / count;
        return;
      case "rms":
        this.#level += (value * value - this.#level) / count;
        return;
      case "variance": {
        const beyond = value - this.#level;
        this.#level += beyond / count;
        this.#spread += beyond * (value - this.#level);
        return;
      }
      case "slope": {
        const later = seconds - this.#meanSeconds;
        this.#meanSeconds += later / count;
        this.#spreadSeconds += later * (seconds - this.#meanSeconds);
        this.#level += (value - this.#level) / count;
        this.#spread += later * (value - this.#level);
      }
    }
  }

  result(): number {
    const count = this.#count;
    if (count === 0) return NaN;
    switch (this.#statistic) {
      case "count":
        return count;
      case "rms":
        return Math.sqrt(this.#level);
      case "variance":
        return count === 1 ? NaN : this.#spread / (count - 1);
      case "slope":
        return this.#spreadSeconds > 0 ? this.#spread / this.#spreadSeconds : NaN;
      default:
        return this.#level;
    }
  }

  clear(): void {
    this.#count = 0;
    this.#level = 0;
    this.#spread = 0;
    this.#meanSeconds = 0;
    this.#spreadSeconds = 0;
  }

  save(): CborValue {
    const numbers = [this.#count, this.#level, this.#spread];
    if (this.#statistic === "slope") numbers.push(this.#meanSeconds, this.#spreadSeconds);
    return savedDoubles(new Float64Array(numbers));
  }

  restore(state: CborValue): void {
    const numbers = readDoubles(state, this.#statistic, 3, 5);
    this.#count = numbers[0]!;
    this.#level = numbers[1]!;
    this.#spread = numbers[2]!;
    this.#meanSeconds = numbers[3] ?? 0;
    this.#spreadSeconds = numbers[4] ?? 0;
  }
}
