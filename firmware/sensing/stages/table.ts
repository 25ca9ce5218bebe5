import { Passing } from "./passing.ts";

/** Straight lines between points whose x ascend; beyond the first and the last, that one's y. */
export class Table extends Passing {
  readonly #xs: readonly number[];
  readonly #ys: readonly number[];

  constructor(xs: readonly number[], ys: readonly number[]) {
    super();
    this.#xs = xs;
    this.#ys = ys;
  }

  push(value: number): number {
    const xs = this.#xs;
    const ys = this.#ys;
    const last = xs.length - 1;
    if (value <= xs[0]!) return ys[0]!;
    if (value >= xs[last]!) return ys[last]!;
    let right = 1;
    while (xs[right]! < value) right++;
    const share = (value - xs[right - 1]!) / (xs[right]! - xs[right - 1]!);
    return ys[right - 1]! * (1 - share) + ys[right]! * share;
  }
}
