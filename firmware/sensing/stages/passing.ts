import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Filter } from "./filter.ts";

/** A filter that answers each value at once and waits for nothing; as it is, one that holds nothing either. */
export abstract class Passing implements Filter {
  abstract push(value: number, atMs: number): number;

  get dueMs(): number {
    return Infinity;
  }

  advance(): number {
    return NaN;
  }

  save(_nowMs: number): CborValue {
    return null;
  }

  restore(_state: CborValue, _nowMs: number): void {}
}
