import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Accumulator } from "./accumulator.ts";
import { readDoubles, savedDoubles } from "./doubles.ts";
import { quantileOf } from "./quantile.ts";

/** Markers of the algorithm. */
const markers = 5;

/**
 * A quantile by the P² algorithm (Jain and Chlamtac, CACM 28, 10, 1985): five markers, the least, the greatest, the quantile and one halfway
 * on each side of it, of which each keeps a height and how many values lie at or below it. A marker that has fallen a place
 * behind moves along the parabola through its neighbours. Up to five values the result is exact.
 */
export class P2 implements Accumulator {
  readonly #quantile: number;
  /** The heights, then the places, which count from 1. */
  readonly #markers = new Float64Array(2 * markers);
  #count = 0;

  constructor(quantile: number) {
    this.#quantile = quantile;
  }

  add(value: number): void {
    if (this.#count < markers) this.insert(value);
    else this.place(value);
  }

  result(): number {
    const heights = this.#markers;
    if (this.#count > markers) return heights[2]!;
    return quantileOf(heights, 0, this.#count, this.#quantile);
  }

  clear(): void {
    this.#count = 0;
  }

  save(): CborValue {
    const numbers = new Float64Array(2 * markers + 1);
    numbers.set(this.#markers, 1);
    numbers[0] = this.#count;
    return savedDoubles(numbers);
  }

  restore(state: CborValue): void {
    const numbers = readDoubles(state, "percentile", 2 * markers + 1, 2 * markers + 1);
    this.#count = numbers[0]!;
    this.#markers.set(numbers.subarray(1));
  }

  private insert(value: number): void {
    const heights = this.#markers;
    let at = this.#count++;
    for (; at > 0 && heights[at - 1]! > value; at--) heights[at] = heights[at - 1]!;
    heights[at] = value;
    heights[markers + this.#count - 1] = this.#count;
  }

  private place(value: number): void {
    const heights = this.#markers;
    if (value < heights[0]!) heights[0] = value;
    if (value > heights[markers - 1]!) heights[markers - 1] = value;
    for (let i = 1; i < markers - 1; i++) if (value < heights[i]!) heights[markers + i]!++;
    heights[2 * markers - 1] = ++this.#count;
    for (let i = 1; i < markers - 1; i++) this.adjust(i);
  }

  /** Moves a marker by one place where its own is a place or more from where it ought to be, and there is room. */
  private adjust(i: number): void {
    const all = this.#markers;
    const at = markers + i;
    const behind = this.desired(i) - all[at]!;
    const step =
      behind >= 1 && all[at + 1]! - all[at]! > 1 ? 1 : behind <= -1 && all[at - 1]! - all[at]! < -1 ? -1 : 0;
    if (step === 0) return;
    const height = this.parabolic(i, step);
    const isBetween = all[i - 1]! < height && height < all[i + 1]!;
    all[i] = isBetween ? height : this.linear(i, step);
    all[at]! += step;
  }

  private desired(i: number): number {
    const share = i === 2 ? this.#quantile : i === 1 ? this.#quantile / 2 : (1 + this.#quantile) / 2;
    return 1 + (this.#count - 1) * share;
  }

  private parabolic(i: number, step: number): number {
    const all = this.#markers;
    const at = markers + i;
    const left = all[at]! - all[at - 1]!;
    const right = all[at + 1]! - all[at]!;
    const up = ((left + step) * (all[i + 1]! - all[i]!)) / right;
    const down = ((right - step) * (all[i]! - all[i - 1]!)) / left;
    return all[i]! + (step / (left + right)) * (up + down);
  }

  private linear(i: number, step: number): number {
    const all = this.#markers;
    const at = markers + i;
    return all[i]! + (step * (all[i + step]! - all[i]!)) / (all[at + step]! - all[at]!);
  }
}
