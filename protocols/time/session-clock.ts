/**
 * The wall time on a board, told by its leader: an estimate, and how wrong it may be at most.
 *
 * The board sends a message at `askedMs` of its own clock; the leader answers with the time that it read in between. However the
 * round trip was spent, the leader's time on arrival lies within `[told, told + round trip]` (Cristian, "Probabilistic clock
 * synchronization", 1989). So each answer gives an interval for the offset between the clocks. Between answers the interval
 * widens by what two clocks may drift apart; a new answer is cut with it (Marzullo's intersection), so that one fast answer
 * serves for long and a slow one does no harm. The estimate is the middle of what remains, its bound the half.
 *
 * The bound holds while the leader's clock is not set. An answer that shares nothing with what was known says that it was
 * (or that another leader speaks): the answer alone counts from then on.
 *
 * What is shown does not go back: it moves forward at once, and where it was ahead by up to `backMsMax` it runs at half its
 * speed until it is right; only if it was ahead by more is it set back. The bound always covers what is shown.
 */
export const sessionClockLimits = Object.freeze({
  /** How fast two clocks may drift apart, of 1: what a host's kernel slews by at most (RFC 5905, section 12: 500 ppm); crystals are within 100 ppm. */
  drift: 500e-6,
  /** An answer that took longer says too little. */
  roundTripMsMax: 10_000,
  backMsMax: 1_000,
});

export class SessionClock {
  #askedMs = NaN;
  /** The offset, wall minus own, was within these at `#heardMs`; NaN while nothing is known. */
  #lowMs = NaN;
  #highMs = NaN;
  #heardMs = 0;
  /** How far what was shown at `#heardMs` was ahead of the estimate, and is still to lose. */
  #aheadMs = 0;
  #settings = 0;

  get isKnown(): boolean {
    return !Number.isNaN(this.#lowMs);
  }

  /** How often an answer contradicted all before it. */
  get settings(): number {
    return this.#settings;
  }

  /** A message that may be answered is sent now; an answer to one before it no longer counts. */
  ask(nowMs: number): void {
    this.#askedMs = nowMs;
  }

  /** The answer to the message that was sent at `askedMs`; false when it is not the last one's, or took too long. */
  answer(askedMs: number, toldMs: number, nowMs: number): boolean {
    // As an SNTP client compares the originate timestamp (RFC 4330, section 5), which refuses what is late, repeated or old.
    if (askedMs !== this.#askedMs) return false;
    this.#askedMs = NaN;
    return this.take(askedMs, toldMs, toldMs, 0, nowMs);
  }

  /**
   * An answer with the times at which it was asked for and arrived on this clock, and the question arrived and the answer left on the
   * other one, which may be off by `otherBoundMs` (SNTP: `rootBoundMs`). All are whole milliseconds, rounded down.
   */
  take(
    askedMs: number,
    otherReceivedMs: number,
    otherSentMs: number,
    otherBoundMs: number,
    nowMs: number,
  ): boolean {
    const { drift, roundTripMsMax, backMsMax } = sessionClockLimits;
    if (!(nowMs >= askedMs && nowMs - askedMs <= roundTripMsMax)) return false;
    // A reading says no more than that the time was within the millisecond that it names.
    const heldMs = Math.max(0, otherSentMs - otherReceivedMs - 1) * (1 - drift);
    const travelMs = Math.max(0, (nowMs - askedMs + 1) * (1 + drift) - heldMs);
    let lowMs = otherSentMs - otherBoundMs - (nowMs + 1);
    let highMs = otherSentMs + 1 + otherBoundMs + travelMs - nowMs;
    const shownMs = this.exactMs(nowMs);
    if (this.isKnown) {
      const widerMs = this.driftMs(nowMs);
      const knownLowMs = this.#lowMs - widerMs;
      const knownHighMs = this.#highMs + widerMs;
      if (lowMs > knownHighMs || highMs < knownLowMs) this.#settings++;
      else {
        lowMs = Math.max(lowMs, knownLowMs);
        highMs = Math.min(highMs, knownHighMs);
      }
    }
    this.#lowMs = lowMs;
    this.#highMs = highMs;
    this.#heardMs = nowMs;
    this.#aheadMs = 0;
    const aheadMs = shownMs - this.exactMs(nowMs);
    if (aheadMs > 0 && aheadMs <= backMsMax) this.#aheadMs = aheadMs;
    return true;
  }

  /** Unix milliseconds at `nowMs` of the board's clock, whole; NaN while unknown. */
  wallMs(nowMs: number): number {
    return Math.floor(this.exactMs(nowMs));
  }

  /** `wallMs` is off by this many milliseconds at most, whole; Infinity while unknown. */
  boundMs(nowMs: number): number {
    if (!this.isKnown) return Infinity;
    // Two halves: the estimate is for the middle of the board's millisecond, and what is shown is rounded down.
    return Math.ceil((this.#highMs - this.#lowMs) / 2 + this.driftMs(nowMs) + this.restMs(nowMs) + 1.5);
  }

  /** For the middle of the millisecond `nowMs`; NaN while unknown. */
  private exactMs(nowMs: number): number {
    return nowMs + 0.5 + (this.#lowMs + this.#highMs) / 2 + this.restMs(nowMs);
  }

  /** What is shown is still ahead by this. */
  private restMs(nowMs: number): number {
    return Math.max(0, this.#aheadMs - (nowMs - this.#heardMs) / 2);
  }

  /** The millisecond that the readings may have left out drifts, too. */
  private driftMs(nowMs: number): number {
    return (nowMs - this.#heardMs + 1) * sessionClockLimits.drift;
  }
}
