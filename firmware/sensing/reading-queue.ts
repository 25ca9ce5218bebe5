import type { Quality, Reading } from "../../protocols/messages/board-messages.ts";

/**
 * Readings that wait for their report, at most `readingsMax`: the oldest makes room for the newest and is counted. Kept as
 * columns, 17 bytes a reading, where an object would take some 100.
 */
export class ReadingQueue {
  readonly readingsMax: number;
  /** Names that readings in the queue have. */
  readonly #names: string[] = [];
  /** Which of them each reading has, times `qualities`, plus its quality. */
  readonly #kinds: Uint8Array;
  readonly #takenMs: Float64Array;
  readonly #values: Float64Array;
  #head = 0;
  #count = 0;
  #dropped = 0;

  constructor(readingsMax: number) {
    this.readingsMax = readingsMax;
    this.#kinds = new Uint8Array(readingsMax);
    this.#takenMs = new Float64Array(readingsMax);
    this.#values = new Float64Array(readingsMax);
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
    const name = this.nameOf(metric);
    const place = (this.#head + this.#count++) % this.readingsMax;
    this.#kinds[place] = qualities * name + quality;
    this.#takenMs[place] = takenMs;
    this.#values[place] = value;
  }

  /** The oldest readings, at most `count` of them; they stay in the queue. */
  peek(count: number): Reading[] {
    const readings: Reading[] = [];
    for (let i = 0; i < count && i < this.#count; i++) {
      const place = (this.#head + i) % this.readingsMax;
      const kind = this.#kinds[place]!;
      readings.push({
        metric: this.#names[Math.floor(kind / qualities)]!,
        takenMs: this.#takenMs[place]!,
        value: this.#values[place]!,
        quality: (kind % qualities) as Quality,
      });
    }
    return readings;
  }

  /** Takes the oldest `count` readings off the queue. */
  drop(count: number): void {
    this.#head = (this.#head + count) % this.readingsMax;
    this.#count -= count;
  }

  /** The number of a name. Programs come and go, names only come: beyond `namesMax` what waits under the old ones is lost. */
  private nameOf(metric: string): number {
    const known = this.#names.indexOf(metric);
    if (known >= 0) return known;
    if (this.#names.length === namesMax) {
      this.#dropped += this.#count;
      this.drop(this.#count);
    }
    if (this.#count === 0) this.#names.length = 0;
    return this.#names.push(metric) - 1;
  }
}

/** Room for each `Quality`. */
const qualities = 5;

/** Several programs' worth of metrics, which with a quality fit in a byte. */
const namesMax = 51;
