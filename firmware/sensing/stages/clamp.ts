import { Passing } from "./passing.ts";

/** The nearest value from `min` to `max`. */
export class Clamp extends Passing {
  readonly #min: number;
  readonly #max: number;

  constructor(min: number, max: number) {
    super();
    this.#min = min;
    this.#max = max;
  }

  push(value: number): number {
    return Math.min(this.#max, Math.max(this.#min, value));
  }
}
