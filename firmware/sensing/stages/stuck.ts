import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Passing } from "./passing.ts";

/** Refuses, as quality 3, values that have been within `delta` of one and the same for `forMs`: a sensor that hangs. */
export class Stuck extends Passing {
  readonly fault = 3;
  readonly #forMs: number;
  readonly #delta: number;
  #value = NaN;
  #sinceMs = 0;

  constructor(forMs: number, delta: number) {
    super();
    this.#forMs = forMs;
    this.#delta = delta;
  }

  push(value: number, atMs: number): number {
    if (Math.abs(value - this.#value) <= this.#delta) {
      return atMs - this.#sinceMs >= this.#forMs ? NaN : value;
    }
    this.#value = value;
    this.#sinceMs = atMs;
    return value;
  }

  override save(nowMs: number): CborValue {
    return [this.#value, nowMs - this.#sinceMs];
  }

  override restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "stuck", 2);
    this.#value = items.anyNumber("the value");
    this.#sinceMs = nowMs - items.anyNumber("its age");
  }
}
