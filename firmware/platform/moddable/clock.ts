import Time from "time";
import SdkTimer, { type TimerId } from "timer";
import type { Clock, Timer } from "../ports.ts";

/** The longest delay that the SDK's timers take, in ms: a signed 32-bit count. */
const delayMsMax = 0x7fffffff;

/**
 * The SDK's tick counter as a clock that never goes back.
 *
 * The counter wraps after 2^32 ms on a chip, and is the wall clock on a desktop, which may be set back. So the clock adds
 * up differences, each taken modulo 2^32. It must be read once in 24 days, which the heartbeat of any swarm does.
 */
export class ChipClock implements Clock {
  #ticks = Time.ticks;
  #nowMs = 0;

  nowMs(): number {
    const ticks = Time.ticks;
    const passedMs = (ticks - this.#ticks) | 0;
    this.#ticks = ticks;
    if (passedMs > 0) this.#nowMs += passedMs;
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return new OneShotTimer(delayMs, callback);
  }
}

/** The SDK forgets a one-shot timer when it fires and throws if it is cleared after that. */
class OneShotTimer implements Timer {
  #id: TimerId | undefined;

  constructor(delayMs: number, callback: () => void) {
    this.#id = SdkTimer.set(
      () => {
        this.#id = undefined;
        callback();
      },
      Math.min(Math.max(0, Math.ceil(delayMs)), delayMsMax),
    );
  }

  cancel(): void {
    const id = this.#id;
    if (id === undefined) return;
    this.#id = undefined;
    SdkTimer.clear(id);
  }
}
