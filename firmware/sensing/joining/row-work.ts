import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { JoinedUse } from "../../../protocols/pipeline/joined-use.ts";
import { Correlation } from "./correlation.ts";
import { Grouping } from "./grouping.ts";
import { Join } from "./join.ts";

/** What is worked out of rows of values as they come. */
export interface RowWork {
  /** What it says when this row comes; NaN for nothing. */
  take(row: Float64Array, atMs: number): number;
  save(nowMs: number): CborValue;
  /** Throws `ShapeError`, and has changed nothing, for what no work of the same definition saved. */
  restore(state: CborValue, nowMs: number): void;
}

export function workFor(use: JoinedUse): RowWork {
  switch (use.kind) {
    case "join":
      return new Join(use.operation);
    case "correlation":
      return new Correlation(use.rows, use.every);
    case "group":
      return new Grouping(use);
  }
}
