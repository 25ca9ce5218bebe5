/** A computer: its two clocks, which are up to a tenth too fast or too slow, and what happens on it, in virtual time. It may sleep: then nothing happens there, and its steady clock stands. */
import type { HostWorld } from "../../../host-tools/leader/raft/host-world.ts";

export class Computer {
  readonly world: HostWorld;
  /** What has power has the number that this was when it was started. */
  life = 0;
  readonly #rate: number;
  #asleepUntilMs = -Infinity;
  /** Of the world's time, all that it was asleep for, up to the end of the last sleep. */
  #sleptMs = 0;
  #wallOffsetMs = 0;

  constructor(world: HostWorld) {
    this.world = world;
    this.#rate = 0.9 + 0.2 * world.random();
  }

  get isAsleep(): boolean {
    return this.world.nowMs < this.#asleepUntilMs;
  }

  /** So much of the world's time has passed since it last slept. */
  get awakeMs(): number {
    return this.world.nowMs - this.#asleepUntilMs;
  }

  /** The steady clock. */
  steadyMs(): number {
    const { nowMs } = this.world;
    const untilWakingMs = Math.max(0, this.#asleepUntilMs - nowMs);
    return (nowMs - this.#sleptMs + untilWakingMs) * this.#rate;
  }

  wallMs(): number {
    return this.world.nowMs * this.#rate + this.#wallOffsetMs;
  }

  sleep(durationMs: number): void {
    if (this.isAsleep) return;
    this.#asleepUntilMs = this.world.nowMs + durationMs;
    this.#sleptMs += durationMs;
  }

  /** Somebody sets the wall clock. */
  setWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  powerCut(): void {
    this.life++;
    this.#sleptMs -= Math.max(0, this.#asleepUntilMs - this.world.nowMs);
    this.#asleepUntilMs = -Infinity;
  }

  /**
   * So much later by its steady clock, when it is awake, and not before `readyMs` of the world's time, which is asked for then; never after the power failed. What it returns calls it off.
   */
  after(delayMs: number, act: () => void, readyMs: () => number = () => 0): () => void {
    const { life } = this;
    const dueMs = this.steadyMs() + delayMs;
    let isOff = false;
    const look = () => {
      if (isOff || this.life !== life) return;
      const leftMs = Math.max(
        this.#asleepUntilMs - this.world.nowMs,
        (dueMs - this.steadyMs()) / this.#rate,
        readyMs() - this.world.nowMs,
      );
      if (leftMs <= 0) act();
      else if (leftMs < Infinity) this.world.after(Math.ceil(leftMs), look);
    };
    this.world.after(Math.ceil(Math.max(0, delayMs) / this.#rate), look);
    return () => {
      isOff = true;
    };
  }
}
