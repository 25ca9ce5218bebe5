import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Passing } from "./passing.ts";

/** The change a second since the last value. The first value, and one of the same time, give nothing. */
export class Derivative extends Passing {
  #value = NaN;
  #atMs = -Infinity;

  push(value: number, atMs: number): number {
    const seconds = (atMs - this.#atMs) / 1000;
    if (seconds <= 0) return NaN;
    const change = (value - this.#value) / seconds;
    this.#value = value;
    this.#atMs = atMs;
    return change;
  }

  override save(nowMs: number): CborValue {
    return [this.#value, nowMs - this.#atMs];
  }

  override restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "derivative", 2);
    this.#value = items.anyNumber("the value");
    this.#atMs = nowMs - items.anyNumber("its age");
  }
}
