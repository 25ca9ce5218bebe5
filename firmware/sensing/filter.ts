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
