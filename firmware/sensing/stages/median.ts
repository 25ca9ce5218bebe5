import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Passing } from "./passing.ts";
import { SortedRecent } from "./sorted-recent.ts";

/**
 * The median of the last `count` values. Until there are so many, of those there are; of an even number it is the mean
 * of the two in the middle.
 */
export class Median extends Passing {
  readonly #recent: SortedRecent;

  constructor(count: number) {
    super();
    this.#recent = new SortedRecent(count);
  }

  push(value: number): number {
    this.#recent.add(value);
    return this.#recent.median();
  }

  override save(): CborValue {
    return this.#recent.save();
  }

  override restore(state: CborValue): void {
    this.#recent.restore(state);
  }
}
