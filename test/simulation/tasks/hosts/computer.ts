/** A computer: its two clocks, which are up to a tenth too fast or too slow, and what happens on it, in virtual time. It may sleep: then nothing happens there, and its steady clock stands. */
import type { HostWorld } from "../../../host-tools/leader/raft/host-world.ts";

export class Computer {
  readonly world: HostWorld;
  /** What has power has the number that this was when it was started. */
  life = 0;
  readonly #rate: number;
  #asleepUntilMs = 0;
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
    this.#asleepUntilMs = 0;
  }

  /**
   * So much later by its steady clock, when it is awake, and `isReady` where that is said; never after the power failed. What it returns calls it off.
   */
  after(delayMs: number, act: () => void, isReady: () => boolean = () => true): () => void {
    const { life } = this;
    const dueMs = this.steadyMs() + delayMs;
    let isOff = false;
    const look = () => {
      if (isOff || this.life !== life) return;
      const leftMs = (dueMs - this.steadyMs()) / this.#rate;
      if (this.isAsleep) this.world.after(this.#asleepUntilMs - this.world.nowMs, look);
      else if (leftMs > 0.01) this.world.after(leftMs, look);
      else if (!isReady()) this.world.after(10, look);
      else act();
    };
    this.world.after(Math.max(0, delayMs) / this.#rate, look);
    return () => {
      isOff = true;
    };
  }
}
