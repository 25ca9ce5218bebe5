import type { Random } from "../platform/ports.ts";

/**
 * How long to wait before the next attempt: twice as long each time, between `firstMs` and `mostMs`, of which a random
 * half is left out so that a swarm does not come back all at once.
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #random: Random;
  #nextMs: number;

  constructor(firstMs: number, mostMs: number, random: Random) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#random = random;
    this.#nextMs = firstMs;
  }

  /** Milliseconds to wait now. */
  next(): number {
    const wholeMs = this.#nextMs;
    this.#nextMs = Math.min(2 * wholeMs, this.#mostMs);
    const seed = new Uint8Array(1);
    this.#random.fill(seed);
    return Math.ceil(wholeMs / 2 + (wholeMs / 2) * (seed[0]! / 255));
  }

  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
