import type { CborValue } from "../../protocols/cbor/value.ts";
import type { Stage } from "../../protocols/pipeline/program.ts";
import { Deadband } from "./deadband.ts";
import { MeanWindow } from "./mean-window.ts";
import { Median } from "./median.ts";

/** A stage at work. Values are never NaN on the way in; NaN on the way out means that nothing leaves. */
export interface Filter {
  /** Takes a value and gives what leaves because of it. */
  push(value: number, atMs: number): number;
  /** When `advance` is next needed; Infinity for never. */
  readonly dueMs: number;
  /** Time has passed `dueMs`: gives what leaves because of that. */
  advance(): number;
  /** What it holds, for a checkpoint: times as ages, for the clock starts anywhere. */
  save(nowMs: number): CborValue;
  /** Takes up what a filter of the same stage saved, as if no time had passed. Throws `ShapeError` for anything else. */
  restore(state: CborValue, nowMs: number): void;
}

export function filterFor(stage: Stage): Filter {
  switch (stage.op) {
    case "median":
      return new Median(stage.count);
    case "mean":
      return new MeanWindow(stage.windowMs);
    case "deadband":
      return new Deadband(stage.delta, stage.silenceMs);
  }
}
