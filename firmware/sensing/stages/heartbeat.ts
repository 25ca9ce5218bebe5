import { ItemReader } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Filter } from "./filter.ts";

/** Passes every value, and the last again whenever none has come for `everyMs`. */
export class Heartbeat implements Filter {
  dueMs = Infinity;
  readonly #everyMs: number;
  #value = NaN;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  push(value: number, atMs: number): number {
    this.#value = value;
    this.dueMs = atMs + this.#everyMs;
    return value;
  }

  advance(): number {
    this.dueMs += this.#everyMs;
    return this.#value;
  }

  save(nowMs: number): CborValue {
    return [this.#value, Number.isNaN(this.#value) ? 0 : this.dueMs - nowMs];
  }

  restore(state: CborValue, nowMs: number): void {
    const items = new ItemReader(state, "checkpoint", "heartbeat", 2);
    const value = items.anyNumber("the value");
    const waitMs = items.number("the wait", -Number.MAX_SAFE_INTEGER, this.#everyMs);
    this.#value = value;
    this.dueMs = Number.isNaN(value) ? Infinity : nowMs + Math.max(0, waitMs);
  }
}
