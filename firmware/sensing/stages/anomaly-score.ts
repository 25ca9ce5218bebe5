/**
 * Watches a stream from five sides, and remembers of each side the furthest it has ever gone:
 *
 * - the level: the mean of the last 20 samples;
 * - the jump: a sample against the mean of the last 120 before it;
 * - the trend: the mean of the last 20 against that of the last 120;
 * - the roughness: the mean of the last 120 steps between neighbours, up or down;
 * - the day: a sample against what this hour was like on the days before, once a day has passed.
 *
 * A sample is as anomalous as it takes one of them further than ever. That asks nothing of the values' distribution: how far
 * is far is what the stream has shown, and a stream that is wild by nature has wide extremes. How much further, is measured in
 * standard deviations of that side, against a margin that makes the sides comparable. The extremes draw in slowly, so
 * that an old record does not hide new ones for ever.
 *
 * One incident makes one alarm: for 80 samples after a score only a higher one is given.
 *
 * The margins, and every other constant, are the same for all streams. `docs/anomaly.md` has how well it does.
 */
import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { readDoubles, savedDoubles } from "./doubles.ts";
import { Passing } from "./passing.ts";

export const anomalyLimits = Object.freeze({
  /** Of its numbers, without what the engine adds for the object and the array. */
  stateBytes: 480,
  /** A score from which on a sample is worth an alarm, when nothing better is known. */
  alarmScore: 0.5,
});

const fastSamples = 20;
const slowSamples = 120;
/** An extreme draws in towards the mean by one part of so many a sample, and deviations are weighed over as many. */
const memorySamples = 100_000;
/** Every one of the first samples is a record: nothing is said of those. */
const warmUpSamples = 20;
const quietSamples = 80;
/** Parts of the period of which each has its own profile: of a day, hours. */
const slots = 24;
/** A profile weighs so many periods. */
const profilePeriods = 10;
/** After so many that are all alike, any other is a record, though there is no deviation to measure it by. */
const constantSamples = 120;
/** What is beyond by less, as a part of the level, is rounding. */
const resolution = 1e-9;
/** Larger ones count as this, so that their squares stay finite. */
const magnitudeMax = 1e100;

/** How many standard deviations beyond its extreme a side scores a half at. */
const levelMargin = 0.2;
const jumpMargin = 0.2;
const trendMargin = 1;
const roughnessMargin = 1;
const dayMargin = 0.67;

// Where each number is. One array, because each takes 120 bytes beside its values, and a checkpoint is a copy of it.
const samplesAt = 0;
const previousAt = 1;
const fastAt = 2;
const slowAt = 3;
const roughnessAt = 4;
/** The last score that was given, and how many samples it still covers. */
const heldAt = 5;
const heldSamplesAt = 6;
/** The part of the period that is under way, counted from the first sample on, with its samples and their mean. */
const slotAt = 7;
const slotSamplesAt = 8;
const slotMeanAt = 9;
const profileAt = 10;
// The sides. Of each: samples, mean, variance, lowest, highest.
const levelAt = profileAt + slots;
const jumpAt = levelAt + 5;
const trendAt = jumpAt + 5;
const roughnessSideAt = trendAt + 5;
const dayAt = roughnessSideAt + 5;
const numbers = dayAt + 5;

/** Gives, of each value, how anomalous it is: 0 to 1. The first score above 0 comes after the first 20 values. */
export class AnomalyScore extends Passing {
  readonly #periodMs: number;
  readonly #state = new Float64Array(numbers).fill(NaN, profileAt, levelAt);
  /** When the first value came, which is where the periods are counted from. */
  #firstMs = NaN;

  /** `periodMs`: after which the stream repeats itself, a day as a rule. */
  constructor(periodMs: number) {
    super();
    this.#periodMs = periodMs;
  }

  push(value: number, atMs: number): number {
    const state = this.#state;
    const x = Math.max(-magnitudeMax, Math.min(magnitudeMax, value));
    const samples = ++state[samplesAt]!;
    if (samples === 1) this.begin(x, atMs);
    const jump = x - state[slowAt]!;
    const step = Math.abs(x - state[previousAt]!);
    state[previousAt] = x;
    const fast = this.blend(fastAt, x, Math.min(samples, fastSamples));
    const slow = this.blend(slowAt, x, Math.min(samples, slowSamples));
    const roughness = this.blend(roughnessAt, step, Math.min(samples, slowSamples));
    const usual = this.usual(x, atMs);

    const least = resolution * Math.abs(fast);
    let score = this.excess(levelAt, fast, levelMargin, least);
    score = Math.max(score, this.excess(jumpAt, jump, jumpMargin, least));
    score = Math.max(score, this.excess(trendAt, fast - slow, trendMargin, least));
    score = Math.max(score, this.excess(roughnessSideAt, roughness, roughnessMargin, least));
    if (!Number.isNaN(usual)) score = Math.max(score, this.excess(dayAt, x - usual, dayMargin, least));
    return this.once(score);
  }

  /** [age of the first value in milliseconds, the numbers as the bytes of doubles]; an age of -1 before the first value. */
  override save(nowMs: number): CborValue {
    const ageMs = this.#state[samplesAt] === 0 ? -1 : Math.max(0, nowMs - this.#firstMs);
    return [ageMs, savedDoubles(this.#state)];
  }

  override restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "anomaly score", 2);
    const ageMs = items.anyNumber("the age");
    const saved = readDoubles(items.any(), "anomaly score", numbers, numbers);
    if (!(ageMs >= 0 ? saved[samplesAt]! > 0 : saved[samplesAt] === 0)) {
      throw new ShapeError(
        "checkpoint",
        "the age of an anomaly score",
        "that of its first sample, -1 if it has none",
        ageMs,
      );
    }
    this.#state.set(saved);
    this.#firstMs = ageMs < 0 ? NaN : nowMs - ageMs;
  }

  private begin(x: number, atMs: number): void {
    const state = this.#state;
    this.#firstMs = atMs;
    state[previousAt] = x;
    state[fastAt] = x;
    state[slowAt] = x;
  }

  /** Moves a mean by one part of `parts` towards `x`, and gives it. */
  private blend(at: number, x: number, parts: number): number {
    const before = this.#state[at]!;
    const after = before + (x - before) / parts;
    this.#state[at] = after;
    return after;
  }

  /** Takes `x` up into the part of the period that is under way; gives the mean of that part in the periods before, or NaN. */
  private usual(x: number, atMs: number): number {
    const state = this.#state;
    // A clock that was set back stays in the first part.
    const slot = Math.max(0, Math.floor(((atMs - this.#firstMs) * slots) / this.#periodMs));
    const ended = state[slotAt]!;
    if (slot !== ended) {
      const profile = profileAt + (ended % slots);
      if (Number.isNaN(state[profile])) state[profile] = state[slotMeanAt]!;
      else this.blend(profile, state[slotMeanAt]!, Math.min(Math.floor(ended / slots) + 1, profilePeriods));
      state[slotAt] = slot;
      state[slotSamplesAt] = 0;
      state[slotMeanAt] = 0;
    }
    this.blend(slotMeanAt, x, ++state[slotSamplesAt]!);
    return state[profileAt + (slot % slots)]!;
  }

  /**
   * How far `x` takes a side beyond its extremes, 0 to 1, a half at `margin` standard deviations; what is not more than `least`
   * counts as nothing. The extremes then include it.
   */
  private excess(at: number, x: number, margin: number, least: number): number {
    const state = this.#state;
    const samples = state[at]! + 1;
    state[at] = samples;
    if (samples === 1) {
      state[at + 1] = state[at + 3] = state[at + 4] = x;
      return 0;
    }
    const parts = Math.min(samples, memorySamples);
    const before = state[at + 1]!;
    const mean = before + (x - before) / parts;
    const variance = state[at + 2]!;
    const lowest = state[at + 3]!;
    const highest = state[at + 4]!;
    state[at + 1] = mean;
    state[at + 2] = variance + ((x - before) * (x - mean) - variance) / parts;
    state[at + 3] = Math.min(x, lowest + (mean - lowest) / memorySamples);
    state[at + 4] = Math.max(x, highest + (mean - highest) / memorySamples);

    const beyond = Math.max(x - highest, lowest - x);
    if (beyond <= least || samples <= (variance === 0 ? constantSamples : warmUpSamples)) return 0;
    return beyond / (beyond + margin * Math.sqrt(variance));
  }

  /** Lets a score through unless one as high was given within the last `quietSamples`. */
  private once(score: number): number {
    const state = this.#state;
    const heldSamples = state[heldSamplesAt]!;
    if (score > (heldSamples > 0 ? state[heldAt]! : 0)) {
      state[heldAt] = score;
      state[heldSamplesAt] = quietSamples;
      return score;
    }
    if (heldSamples > 0) state[heldSamplesAt] = heldSamples - 1;
    return 0;
  }
}
