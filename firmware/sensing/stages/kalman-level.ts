import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Passing } from "./passing.ts";

/**
 * A Kalman filter for one value that wanders (Welch and Bishop, An Introduction to the Kalman Filter, 2006): between two samples it becomes less
 * certain by drift² a second, and each sample makes it more certain. After samples that are missing it has only become less certain, so
 * that the next one counts for more.
 */
export class KalmanLevel extends Passing {
  readonly #noise: number;
  readonly #drift: number;
  #value = NaN;
  #variance = 0;
  #atMs = 0;

  /** Standard deviations: of a measurement, and of how the value changes in a second. */
  constructor(noise: number, drift: number) {
    super();
    this.#noise = noise * noise;
    this.#drift = drift * drift;
  }

  push(value: number, atMs: number): number {
    if (Number.isNaN(this.#value)) {
      this.#value = value;
      this.#variance = this.#noise;
    } else {
      const before = this.#variance + (this.#drift * Math.max(0, atMs - this.#atMs)) / 1000;
      const gain = before / (before + this.#noise);
      // Two products, because the difference of two finite values may not be finite.
      this.#value = (1 - gain) * this.#value + gain * value;
      this.#variance = (1 - gain) * before;
    }
    this.#atMs = atMs;
    return this.#value;
  }

  override save(nowMs: number): CborValue {
    return [this.#value, this.#variance, nowMs - this.#atMs];
  }

  override restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "kalman", 3);
    const value = items.anyNumber("the value");
    const variance = items.number("the variance", 0, Number.MAX_VALUE);
    this.#atMs = nowMs - items.anyNumber("its age");
    this.#value = value;
    this.#variance = variance;
  }
}
