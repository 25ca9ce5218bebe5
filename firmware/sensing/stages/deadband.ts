import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { Passing } from "./passing.ts";

/**
 * Passes a value that differs by more than `delta` from the last that passed, and any value that comes `silenceMs` or more
 * after it (0: none for that reason). The first value passes.
 */
export class Deadband extends Passing {
  readonly #delta: number;
  readonly #silenceMs: number;
  #passed = NaN;
  #passedMs = 0;

  constructor(delta: number, silenceMs: number) {
    super();
    this.#delta = delta;
    this.#silenceMs = silenceMs;
  }

  push(value: number, atMs: number): number {
    const isSilent = this.#silenceMs > 0 && atMs - this.#passedMs >= this.#silenceMs;
    // Written so that the NaN before the first value lets it pass.
    if (Math.abs(value - this.#passed) <= this.#delta && !isSilent) return NaN;
    this.#passed = value;
    this.#passedMs = atMs;
    return value;
  }

  override save(nowMs: number): CborValue {
    return [this.#passed, nowMs - this.#passedMs];
  }

  override restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "deadband", 2);
    this.#passed = items.anyNumber("the value");
    this.#passedMs = nowMs - items.anyNumber("its age");
  }
}
