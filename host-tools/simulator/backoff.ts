/** How long to wait before something that ended is started again: longer each time, short again once it has lasted. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
  /** What has run this long is taken to be well. */
  readonly wellAfterMs: number;
}

export class Backoff {
  readonly #limits: BackoffLimits;
  #nextMs: number;

  constructor(limits: BackoffLimits) {
    this.#limits = limits;
    this.#nextMs = limits.firstMs;
  }

  /** The wait after a run of `ranMs`. */
  waitMs(ranMs: number): number {
    if (ranMs >= this.#limits.wellAfterMs) this.#nextMs = this.#limits.firstMs;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(this.#nextMs * 2, this.#limits.maxMs);
    return waitMs;
  }
}
