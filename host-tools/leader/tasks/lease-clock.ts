/**
 * The clock by which a host, and a process that it lends a role to, keep to a lease: whatever has passed by either of the computer's clocks has passed.
 *
 * The steady clock stands still while a computer sleeps, so a lease would seem to be open when it wakes an hour later. The wall clock goes on, but is set forwards and back. What
 * is shown here never goes back, and runs at least as fast as both: at worst a lease ends early. Where the wall clock was set back, it counts from there on: else it would hide as
 * much of the next sleep. It has to be looked at some times a second. It begins anywhere, so that an answer to a process that was here before is none to this one.
 */
import { randomInt } from "node:crypto";

/** By less it is read inexactly, or is on its way to another pace. */
const setBackMsMin = 20;

export class LeaseClock {
  readonly #steadyMs: () => number;
  readonly #wallMs: () => number;
  #offsetMs: number;
  #aheadMs: number;

  constructor(steadyMs = () => performance.now(), wallMs = Date.now, startMs = randomInt(2 ** 40)) {
    this.#steadyMs = steadyMs;
    this.#wallMs = wallMs;
    this.#aheadMs = startMs;
    this.#offsetMs = wallMs() - steadyMs() - this.#aheadMs;
  }

  /** Milliseconds since anything, not only whole ones. */
  nowMs(): number {
    const steadyMs = this.#steadyMs();
    const aheadMs = this.#wallMs() - steadyMs - this.#offsetMs;
    if (aheadMs < this.#aheadMs - setBackMsMin) this.#offsetMs -= this.#aheadMs - aheadMs;
    this.#aheadMs = Math.max(this.#aheadMs, aheadMs);
    return steadyMs + this.#aheadMs;
  }
}
