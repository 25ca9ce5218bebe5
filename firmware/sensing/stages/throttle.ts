import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Passing } from "./passing.ts";

/** Passes a value unless one has passed less than `everyMs` ago. */
export class Throttle extends Passing {
  readonly #everyMs: number;
  #passedMs = -Infinity;

  constructor(everyMs: number) {
    super();
    this.#everyMs = everyMs;
  }

  push(value: number, atMs: number): number {
    if (atMs - this.#passedMs < this.#everyMs) return NaN;
    this.#passedMs = atMs;
    return value;
  }

  override save(nowMs: number): CborValue {
    return [nowMs - this.#passedMs];
  }

  override restore(state: CborValue, nowMs: number): void {
    this.#passedMs = nowMs - new ItemReader(state, "checkpoint", "throttle", 1).anyNumber("the age");
  }
}
