/** A metric of a board, as what is worked out of it sees it. */
import type { CompiledPipeline } from "./compile-pipeline.ts";

export interface Source {
  readonly metric: string;
  readonly unit: string;
  /** Between one value and the next; the least there can be where it is not steady. */
  readonly everyMs: number;
  /** Whether a value comes each `everyMs`, but for faults. */
  readonly isSteady: boolean;
}

export function sourceOf({ pipeline, unit, everyMs, isSteady }: CompiledPipeline): Source {
  return { metric: pipeline.metric, unit, everyMs, isSteady };
}

/**
 * Which of these metrics a row waits for, a bit each: those that come at a steady rate; of the others the latest holds. Where none is steady,
 * each new value makes a row.
 */
export function waitsFor(features: readonly string[], sources: readonly Source[]): number {
  return features.reduce((bits, metric, i) => {
    const isSteady = sources.find((one) => one.metric === metric)?.isSteady === true;
    return isSteady ? bits | (1 << i) : bits;
  }, 0);
}

/** How often rows of these metrics come. */
export function pace(
  features: readonly string[],
  sources: readonly Source[],
): Pick<Source, "everyMs" | "isSteady"> {
  const known = sources.filter(({ metric }) => features.includes(metric));
  const steady = known.filter(({ isSteady }) => isSteady);
  if (steady.length > 0)
    return { everyMs: Math.max(...steady.map(({ everyMs }) => everyMs)), isSteady: true };
  return { everyMs: Math.min(...known.map(({ everyMs }) => everyMs)), isSteady: false };
}
