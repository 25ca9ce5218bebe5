import type { Light } from "../platform/ports.ts";

const halfMs = 250;
const blinks = 10;

/** The board's light goes on and off for five seconds, so that somebody sees which board it is. */
export class Blinking {
  readonly #light: Light;
  #left = 2 * blinks;
  #dueMs = 0;

  constructor(light: Light) {
    this.#light = light;
  }

  /** Infinity when it is over. */
  get dueMs(): number {
    return this.#left > 0 ? this.#dueMs : Infinity;
  }

  run(nowMs: number): void {
    if (nowMs < this.dueMs) return;
    this.#left--;
    this.#light.switch(this.#left % 2 === 1);
    this.#dueMs = nowMs + halfMs;
  }
}
