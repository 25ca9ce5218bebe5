import { SortedRecent } from "./sorted-recent.ts";

/**
 * The median of the last `count` values. Until there are so many, of those there are; of an even number it is the mean
 * of the two in the middle.
 */
export class Median extends SortedRecent {
  push(value: number): number {
    this.add(value);
    return this.median();
  }
}
