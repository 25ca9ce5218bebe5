import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Passing } from "./passing.ts";

/** Passes a value that is another than the last passed, with the sample that shows that it has stayed the same for `forMs`. */
export class Debounce extends Passing {
  readonly #forMs: number;
  #passed = NaN;
  #waiting = NaN;
  #sinceMs = 0;

  constructor(forMs: number) {
    super();
    this.#forMs = forMs;
  }

  push(value: number, atMs: number): number {
    if (value !== this.#waiting) {
      this.#waiting = value;
      this.#sinceMs = atMs;
      return NaN;
    }
    if (value === this.#passed || atMs - this.#sinceMs < this.#forMs) return NaN;
    this.#passed = value;
    return value;
  }

  override save(nowMs: number): CborValue {
    return [this.#passed, this.#waiting, nowMs - this.#sinceMs];
  }

  override restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "debounce", 3);
    this.#passed = items.anyNumber("the value");
    this.#waiting = items.anyNumber("the next");
    this.#sinceMs = nowMs - items.anyNumber("its age");
  }
}
