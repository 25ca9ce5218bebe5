/**
 * Places a board's monotonic milliseconds on the leader's clock (`protocols/messages/board-messages.ts`).
 *
 * Received minus sent is the offset between the clocks plus the message's travel time, and travel time only adds: the smallest
 * difference seen is the best. So the offset falls at once and rises only as fast as two clocks may drift apart,
 * which keeps a delayed message from pushing its readings forward in time.
 */
export class BoardClock {
  #offsetMs = Number.NaN;
  #heardMs = 0;

  /** Call for each message that carries the board's time. Both in milliseconds, `receivedMs` in Unix time. */
  hear(sentMs: number, receivedMs: number): void {
    const offset = receivedMs - sentMs;
    const driftMs = Math.max(0, receivedMs - this.#heardMs) * driftMax;
    const ceiling = this.#offsetMs + driftMs;
    this.#offsetMs = offset < ceiling ? offset : Number.isNaN(ceiling) ? offset : ceiling;
    this.#heardMs = receivedMs;
  }

  /** Unix milliseconds of a board's time; call `hear` first. */
  at(boardMs: number): number {
    return boardMs + this.#offsetMs;
  }
}

/** Crystals are within 20-100 ppm, a board's slow oscillator within a percent; a virtual clock may pause. */
const driftMax = 0.01;
