import { Passing } from "./passing.ts";

/** Refuses what is below `min` or above `max`: quality 2. */
export class Range extends Passing {
  readonly fault = 2;
  readonly #min: number;
  readonly #max: number;

  constructor(min: number, max: number) {
    super();
    this.#min = min;
    this.#max = max;
  }

  push(value: number): number {
    return value >= this.#min && value <= this.#max ? value : NaN;
  }
}
