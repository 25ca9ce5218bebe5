/** Bytes that the board's sockets carried, for the sensors `network.received` and `network.sent`. */
export class Traffic {
  receivedBytes = 0;
  sentBytes = 0;
}

/** The rate at which a count grows, in units a second, between one reading and the next. */
export class Rate {
  #count: number;
  #atMs: number;

  constructor(count: number, nowMs: number) {
    this.#count = count;
    this.#atMs = nowMs;
  }

  /** NaN when no time has passed since the last reading. */
  read(count: number, nowMs: number): number {
    const passedMs = nowMs - this.#atMs;
    const rate = passedMs > 0 ? ((count - this.#count) * 1000) / passedMs : Number.NaN;
    this.#count = count;
    this.#atMs = nowMs;
    return rate;
  }
}
