import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Stage, TimeUnit } from "../../../protocols/pipeline/stage.ts";
import { Passing } from "./passing.ts";

/**
 * Value times time, by trapezoids between one sample and the next. Where they are more than `gapMs` apart nobody knows what was between
 * them, and nothing is added.
 *
 * Without a period the sum goes on for ever and leaves with each sample. With one, periods follow each other from the first sample on, and each
 * one's sum leaves with the first sample at or after its end: a trapezoid over the end is cut there.
 */
export class Integral extends Passing {
  readonly #stage: Stage & { op: "integral" };
  readonly #unitMs: number;
  #sum = 0;
  #value = NaN;
  #atMs = 0;
  /** Of the period; Infinity without one. */
  #endMs = Infinity;

  constructor(stage: Stage & { op: "integral" }) {
    super();
    this.#stage = stage;
    this.#unitMs = unitMs(stage.per);
  }

  push(value: number, atMs: number): number {
    const { everyMs, gapMs } = this.#stage;
    if (Number.isNaN(this.#value)) {
      if (everyMs > 0) this.#endMs = atMs + everyMs;
      return this.take(value, atMs);
    }
    const isGap = atMs - this.#atMs > gapMs;
    if (atMs < this.#endMs) {
      if (!isGap) this.add(value, atMs);
      return this.take(value, atMs);
    }
    if (!isGap) this.add(this.at(this.#endMs, value, atMs), this.#endMs);
    const ended = this.#sum;
    this.#sum = 0;
    if (!isGap) {
      this.#value = this.at(this.#endMs, value, atMs);
      this.#atMs = this.#endMs;
      this.add(value, atMs);
    }
    this.#endMs += (Math.floor((atMs - this.#endMs) / everyMs) + 1) * everyMs;
    this.take(value, atMs);
    return ended;
  }

  /** [sum, last value, its age, time until the period's end or -1]. */
  override save(nowMs: number): CborValue {
    const leftMs = this.#endMs === Infinity ? -1 : this.#endMs - nowMs;
    return [this.#sum, this.#value, nowMs - this.#atMs, leftMs];
  }

  override restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "integral", 4);
    const sum = items.anyNumber("the sum");
    const value = items.anyNumber("the value");
    const ageMs = items.anyNumber("its age");
    const leftMs = items.number("the time left", -Number.MAX_VALUE, this.#stage.everyMs);
    this.#sum = sum;
    this.#value = value;
    this.#atMs = nowMs - ageMs;
    const isBegun = this.#stage.everyMs > 0 && !Number.isNaN(value);
    this.#endMs = isBegun ? nowMs + leftMs : Infinity;
  }

  private take(value: number, atMs: number): number {
    this.#value = value;
    this.#atMs = atMs;
    return this.#endMs === Infinity ? this.#sum : NaN;
  }

  /** The trapezoid from the last value to `value`. Halved first: the sum of two finite values may not be finite. */
  private add(value: number, atMs: number): void {
    this.#sum += (this.#value / 2 + value / 2) * ((atMs - this.#atMs) / this.#unitMs);
  }

  /** What it was at `betweenMs`, on the straight line from the last value to `value`. */
  private at(betweenMs: number, value: number, atMs: number): number {
    const share = (betweenMs - this.#atMs) / (atMs - this.#atMs);
    return share >= 1 ? value : this.#value * (1 - share) + value * share;
  }
}

function unitMs(per: TimeUnit): number {
  if (per === "s") return 1000;
  return per === "min" ? 60_000 : 3_600_000;
}
