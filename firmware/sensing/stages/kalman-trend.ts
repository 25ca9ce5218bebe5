import type { CborValue } from "../../../protocols/cbor/value.ts";
import { readDoubles, savedDoubles } from "./doubles.ts";
import { Passing } from "./passing.ts";

/**
 * A Kalman filter for a value and its slope (Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001, 6.2:
 * nearly constant velocity, with white noise as acceleration). Between two samples the value goes on by its slope, and
 * both become less certain; each sample corrects both. So it does not lag behind a ramp, and over missing samples it goes on.
 *
 * It begins with two samples and what follows from them, as if nothing had been known before.
 */
export class KalmanTrend extends Passing {
  readonly #noise: number;
  readonly #drift: number;
  readonly #givesSlope: boolean;
  #value = NaN;
  /** NaN before the second sample. */
  #slope = NaN;
  // The covariance: of the value, of both, of the slope.
  #valueVariance = 0;
  #covariance = 0;
  #slopeVariance = 0;
  #atMs = 0;

  /** Standard deviations: of a measurement, and of how the slope changes in a second. */
  constructor(noise: number, drift: number, givesSlope: boolean) {
    super();
    this.#noise = noise * noise;
    this.#drift = drift * drift;
    this.#givesSlope = givesSlope;
  }

  push(value: number, atMs: number): number {
    const seconds = Math.max(0, atMs - this.#atMs) / 1000;
    if (Number.isNaN(this.#value)) this.begin(value);
    else if (!Number.isNaN(this.#slope)) this.correct(value, seconds);
    else if (seconds > 0) this.beginSlope(value, seconds);
    // Numbers that have ended would never come back.
    if (!Number.isFinite(this.#value)) this.begin(value);
    this.#atMs = atMs;
    return this.#givesSlope ? this.#slope : this.#value;
  }

  override save(nowMs: number): CborValue {
    const state = new Float64Array(6);
    state[0] = this.#value;
    state[1] = this.#slope;
    state[2] = this.#valueVariance;
    state[3] = this.#covariance;
    state[4] = this.#slopeVariance;
    state[5] = nowMs - this.#atMs;
    return savedDoubles(state);
  }

  override restore(state: CborValue, nowMs: number): void {
    const numbers = readDoubles(state, "kalman", 6, 6);
    this.#value = numbers[0]!;
    this.#slope = numbers[1]!;
    this.#valueVariance = numbers[2]!;
    this.#covariance = numbers[3]!;
    this.#slopeVariance = numbers[4]!;
    this.#atMs = nowMs - numbers[5]!;
  }

  private begin(value: number): void {
    this.#value = value;
    this.#slope = NaN;
  }

  /** What the limit of an ever less certain beginning comes to: the slope between the two, as uncertain as both. */
  private beginSlope(value: number, seconds: number): void {
    this.#slope = (value - this.#value) / seconds;
    this.#value = value;
    this.#valueVariance = this.#noise;
    this.#covariance = this.#noise / seconds;
    this.#slopeVariance = (2 * this.#noise) / seconds / seconds + (this.#drift * seconds) / 3;
  }

  private correct(value: number, seconds: number): void {
    const noise = this.#drift * seconds;
    const slopeVariance = this.#slopeVariance + noise;
    const covariance = this.#covariance + seconds * (this.#slopeVariance + noise / 2);
    const valueVariance =
      this.#valueVariance + seconds * (2 * this.#covariance + seconds * (this.#slopeVariance + noise / 3));
    const gain = valueVariance / (valueVariance + this.#noise);
    const slopeGain = covariance / (valueVariance + this.#noise);
    const ahead = this.#value + seconds * this.#slope;
    const beyond = value - ahead;
    this.#value = ahead + gain * beyond;
    this.#slope += slopeGain * beyond;
    this.#valueVariance = (1 - gain) * valueVariance;
    this.#covariance = (1 - gain) * covariance;
    this.#slopeVariance = slopeVariance - slopeGain * covariance;
  }
}
