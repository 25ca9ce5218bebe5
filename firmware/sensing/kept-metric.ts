import { addTo, mergeInto, Summary, summaryLimits } from "../../protocols/query/summary.ts";

/** What is kept is kept in so many slots, and the one that is being filled. */
export const keptSlots = 12;

/**
 * The last while of one metric, as summaries of a twelfth of that time each: what a query reads, so that values need not leave the board. In RAM alone: a restart begins
 * anew, and answers say how far back they reach.
 */
export class KeptMetric {
  readonly metric: string;
  readonly keepMs: number;
  readonly #slotMs: number;
  /** Of each slot its summary, then which one it is, counted from the board's time 0. */
  readonly #numbers = new Float64Array(ring * stride);
  readonly #bins = new Uint16Array(ring * binsMax);
  readonly #sinceMs: number;

  constructor(metric: string, keepMs: number, nowMs: number) {
    this.metric = metric;
    this.keepMs = keepMs;
    this.#slotMs = Math.ceil(keepMs / keptSlots);
    this.#sinceMs = nowMs;
  }

  /** What comes so late that its slot is gone is passed over. */
  push(atMs: number, value: number): void {
    const slot = Math.floor(atMs / this.#slotMs);
    const place = slot % ring;
    const at = place * stride;
    const isOther = this.#numbers[at + slotAt] !== slot;
    if (isOther && this.#numbers[at + slotAt]! > slot) return;
    if (isOther) this.#numbers[at] = 0;
    this.#numbers[at + slotAt] = slot;
    addTo(this.#numbers, at, this.#bins, place * binsMax, value);
  }

  /** Of all slots that the last `windowMs` touch. */
  summary(windowMs: number, nowMs: number): Summary {
    const summary = new Summary();
    const first = this.firstSlot(windowMs, nowMs);
    const last = Math.floor(nowMs / this.#slotMs);
    for (let slot = first; slot <= last; slot++) {
      const place = slot % ring;
      const at = place * stride;
      if (this.#numbers[at + slotAt] !== slot) continue;
      mergeInto(summary.of, 0, summary.bins, 0, this.#numbers, at, this.#bins, place * binsMax);
    }
    return summary;
  }

  /** How far back `summary` reaches. */
  coveredMs(windowMs: number, nowMs: number): number {
    return nowMs - Math.max(this.#sinceMs, this.firstSlot(windowMs, nowMs) * this.#slotMs);
  }

  private firstSlot(windowMs: number, nowMs: number): number {
    const last = Math.floor(nowMs / this.#slotMs);
    return Math.max(0, last - keptSlots, Math.floor((nowMs - windowMs) / this.#slotMs));
  }
}

const { binsMax, numbers } = summaryLimits;
const ring = keptSlots + 1;
const slotAt = numbers;
const stride = numbers + 1;
