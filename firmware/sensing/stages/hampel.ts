import { SortedRecent } from "./sorted-recent.ts";

/** Of a normal distribution, the standard deviation is so many median absolute deviations: 1 / quantile(3/4). */
const deviationsOfMad = 1.4826;

/**
 * The Hampel identifier (Hampel 1974; Pearson 2002): a value that lies more than `threshold` estimated standard deviations from the
 * median of the last `count`, itself among them, is an outlier, and the median leaves in its place.
 */
export class Hampel extends SortedRecent {
  readonly #threshold: number;

  constructor(count: number, threshold: number) {
    super(count);
    this.#threshold = threshold;
  }

  push(value: number): number {
    this.add(value);
    const median = this.median();
    const isOutlier = Math.abs(value - median) > this.#threshold * deviationsOfMad * this.mad(median);
    return isOutlier ? median : value;
  }

  /**
   * The median of the distances from the median. The values are in order, so their distances grow outwards on both sides: taking the
   * nearer of the two next ones, half of them all, needs no second sorting.
   */
  private mad(median: number): number {
    const { count } = this;
    let above = count >> 1;
    let below = above - 1;
    let distance = 0;
    let before = 0;
    for (let taken = 0; taken <= count >> 1; taken++) {
      const up = above < count ? this.ranked(above) - median : Infinity;
      const down = below >= 0 ? median - this.ranked(below) : Infinity;
      before = distance;
      if (up <= down) {
        distance = up;
        above++;
      } else {
        distance = down;
        below--;
      }
    }
    return count % 2 === 1 ? distance : before / 2 + distance / 2;
  }
}
