/** A clock that starts anywhere and runs a little fast or slow. Both its time and the world's are integer milliseconds. */
export class DriftingClock {
  readonly #startMs: number;
  readonly #offsetMs: number;
  readonly #rate: number;

  /** `rate`: its milliseconds in one of the world's, from 0.5 to 2. */
  constructor(worldMs: number, offsetMs: number, rate: number) {
    this.#startMs = worldMs;
    this.#offsetMs = offsetMs;
    this.#rate = rate;
  }

  at(worldMs: number): number {
    return this.#offsetMs + Math.floor((worldMs - this.#startMs) * this.#rate);
  }

  /** The first moment of the world at which it shows `ownMs` or more. */
  whenAt(ownMs: number): number {
    if (!Number.isFinite(ownMs)) return ownMs;
    let worldMs = this.#startMs + Math.floor((ownMs - this.#offsetMs) / this.#rate);
    while (this.at(worldMs) < ownMs) worldMs++;
    return worldMs;
  }
}
