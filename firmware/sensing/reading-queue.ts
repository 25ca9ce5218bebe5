import type { Quality, Reading } from "../../protocols/messages/board-messages.ts";

/**
 * Readings that wait for their report, at most `readingsMax`: the oldest makes room for the newest and is counted. Kept as
 * columns, which take a quarter of the heap that as many objects would.
 */
export class ReadingQueue {
  readonly readingsMax: number;
  readonly #metrics: string[] = [];
  readonly #takenMs: Float64Array;
  readonly #values: Float64Array;
  readonly #qualities: Uint8Array;
  #head = 0;
  #count = 0;
  #dropped = 0;

  constructor(readingsMax: number) {
    this.readingsMax = readingsMax;
    this.#takenMs = new Float64Array(readingsMax);
    this.#values = new Float64Array(readingsMax);
    this.#qualities = new Uint8Array(readingsMax);
  }

  get length(): number {
    return this.#count;
  }

  /** Readings lost because the queue was full, since the board booted. */
  get dropped(): number {
    return this.#dropped;
  }

  push(metric: string, takenMs: number, value: number, quality: Quality): void {
    if (this.#count === this.readingsMax) {
      this.drop(1);
      this.#dropped++;
    }
    const place = (this.#head + this.#count++) % this.readingsMax;
    this.#metrics[place] = metric;
    this.#takenMs[place] = takenMs;
    this.#values[place] = value;
    this.#qualities[place] = quality;
  }

  /** The oldest readings, at most `count` of them; they stay in the queue. */
  peek(count: number): Reading[] {
    const readings: Reading[] = [];
    for (let i = 0; i < count && i < this.#count; i++) {
      const place = (this.#head + i) % this.readingsMax;
      readings.push({
        metric: this.#metrics[place]!,
        takenMs: this.#takenMs[place]!,
        value: this.#values[place]!,
        quality: this.#qualities[place] as Quality,
      });
    }
    return readings;
  }

  /** Takes the oldest `count` readings off the queue. */
  drop(count: number): void {
    this.#head = (this.#head + count) % this.readingsMax;
    this.#count -= count;
  }
}
