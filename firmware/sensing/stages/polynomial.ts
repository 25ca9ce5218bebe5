import { Passing } from "./passing.ts";

/** c0 + c1 x + c2 x² ..., by Horner's rule. */
export class Polynomial extends Passing {
  readonly #coefficients: readonly number[];

  constructor(coefficients: readonly number[]) {
    super();
    this.#coefficients = coefficients;
  }

  push(value: number): number {
    const coefficients = this.#coefficients;
    let sum = 0;
    for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * value + coefficients[i]!;
    return sum;
  }
}
