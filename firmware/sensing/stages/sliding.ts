import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Stage } from "../../../protocols/pipeline/stage.ts";
import { type Accumulator, accumulatorFor } from "./accumulator.ts";
import { readDoubles, savedDoubles } from "./doubles.ts";
import type { Filter } from "./filter.ts";
import { quantileOf } from "./quantile.ts";

/**
 * A statistic of the last `length` values or milliseconds, after every `hop` of them: a sliding window when a hop is one value, else a
 * hopping one. It keeps the values and adds them up anew at each hop, so nothing is ever taken off a sum and percentiles are exact; the
 * memory is bounded by `samples`, beyond which the oldest go. Until a window is full it is of what there is.
 *
 * A window of time ends on a grid from the first value on; a value of that very time no longer belongs to it. An empty one emits nothing.
 */
export class Sliding implements Filter {
  /** End of the next window of time; Infinity while there are no values. */
  dueMs = Infinity;
  readonly #stage: Stage & { op: "sliding" };
  /** The values, a ring; then their times when the window is one of time or the statistic a slope; then room to put them in order for a percentile. */
  readonly #numbers: Float64Array;
  /** undefined for a percentile. */
  readonly #accumulator: Accumulator | undefined;
  readonly #hasTimes: boolean;
  #count = 0;
  #next = 0;
  /** Values since the last hop. */
  #fresh = 0;
  #originMs = NaN;

  constructor(stage: Stage & { op: "sliding" }) {
    const { by, samples, statistic, percent } = stage;
    const isPercentile = statistic === "percentile";
    this.#stage = stage;
    this.#hasTimes = by === "time" || statistic === "slope";
    this.#numbers = new Float64Array(samples * (1 + (this.#hasTimes ? 1 : 0) + (isPercentile ? 1 : 0)));
    this.#accumulator = isPercentile ? undefined : accumulatorFor(statistic, percent);
  }

  push(value: number, atMs: number): number {
    const { by, hop, samples } = this.#stage;
    const left = atMs >= this.dueMs ? this.advance() : NaN;
    if (by === "time" && !(atMs < this.dueMs && this.dueMs < Infinity)) {
      if (Number.isNaN(this.#originMs)) this.#originMs = atMs;
      this.dueMs = this.hopAfter(atMs);
    }
    this.#numbers[this.#next] = value;
    if (this.#hasTimes) this.#numbers[samples + this.#next] = atMs;
    this.#next = (this.#next + 1) % samples;
    if (this.#count < samples) this.#count++;
    if (by === "time") return left;
    this.#fresh = (this.#fresh + 1) % hop;
    return this.#fresh === 0 ? this.result() : NaN;
  }

  advance(): number {
    const { hop, length, samples } = this.#stage;
    const endMs = this.dueMs;
    while (this.#count > 0 && this.#numbers[samples + this.place(0)]! < endMs - length) this.#count--;
    this.dueMs = this.#count > 0 ? endMs + hop : Infinity;
    return this.#count > 0 ? this.result() : NaN;
  }

  /** [values since the hop, time until the next, values and then ages in the order of arrival], -1 for a time that is not known. */
  save(nowMs: number): CborValue {
    const { hop, samples } = this.#stage;
    const count = this.#count;
    const saved = new Float64Array(count * (this.#hasTimes ? 2 : 1));
    for (let i = 0; i < count; i++) {
      saved[i] = this.#numbers[this.place(i)]!;
      if (this.#hasTimes) saved[count + i] = nowMs - this.#numbers[samples + this.place(i)]!;
    }
    const isBegun = !Number.isNaN(this.#originMs);
    return [this.#fresh, isBegun ? (nowMs - this.#originMs) % hop : -1, savedDoubles(saved)];
  }

  restore(state: CborValue, nowMs: number): void {
    const { hop, samples } = this.#stage;
    const items = new ItemReader(state, "checkpoint", "window", 3);
    const fresh = items.integer("the values since", 0, hop);
    const ageMs = items.number("the age", -1, hop);
    const rows = this.#hasTimes ? 2 : 1;
    const saved = readDoubles(items.any(), "window", 0, rows * samples);
    const count = Math.floor(saved.length / rows);
    for (let i = 0; i < count; i++) {
      this.#numbers[i] = saved[i]!;
      if (this.#hasTimes) this.#numbers[samples + i] = nowMs - saved[count + i]!;
    }
    this.#count = count;
    this.#next = count % samples;
    this.#fresh = fresh;
    if (ageMs < 0) return;
    this.#originMs = nowMs - ageMs;
    if (count > 0) this.dueMs = this.#originMs + hop;
  }

  private hopAfter(atMs: number): number {
    const { hop } = this.#stage;
    return this.#originMs + (Math.floor((atMs - this.#originMs) / hop) + 1) * hop;
  }

  /** Where the value is that came `i` after the oldest. */
  private place(i: number): number {
    const { samples } = this.#stage;
    return (this.#next - this.#count + i + samples) % samples;
  }

  private result(): number {
    const accumulator = this.#accumulator;
    if (accumulator === undefined) return this.percentile();
    const { samples } = this.#stage;
    const numbers = this.#numbers;
    const firstMs = this.#hasTimes ? numbers[samples + this.place(0)]! : 0;
    accumulator.clear();
    for (let i = 0; i < this.#count; i++) {
      const place = this.place(i);
      accumulator.add(numbers[place]!, this.#hasTimes ? (numbers[samples + place]! - firstMs) / 1000 : 0);
    }
    return accumulator.result();
  }

  private percentile(): number {
    const numbers = this.#numbers;
    const from = numbers.length - this.#stage.samples;
    for (let i = 0; i < this.#count; i++) {
      const value = numbers[this.place(i)]!;
      let at = from + i;
      for (; at > from && numbers[at - 1]! > value; at--) numbers[at] = numbers[at - 1]!;
      numbers[at] = value;
    }
    return quantileOf(numbers, from, this.#count, this.#stage.percent / 100);
  }
}
