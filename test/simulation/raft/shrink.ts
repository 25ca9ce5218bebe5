/**
 * The shortest schedule that still fails: delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002)
 * leaves out steps, in halves, quarters and so on, as long as the run still fails in the same way; then the pauses between what is left are shortened.
 */
import type { Schedule, Step } from "./schedule.ts";

export interface Shrinking<S extends Schedule> {
  /** How this schedule fails, in a word that names the property; undefined when it does not. */
  readonly failure: (schedule: S) => string | undefined;
  /** Runs that may be tried. */
  readonly runsMax: number;
}

export function shrink<S extends Schedule>(schedule: S, { failure, runsMax }: Shrinking<S>): S {
  const wanted = failure(schedule);
  let runs = 0;
  const fails = (steps: readonly Step[]) => runs++ < runsMax && failure({ ...schedule, steps }) === wanted;
  const fewer = fewest(schedule.steps, fails);
  return { ...schedule, steps: shortestPauses(fewer, fails) };
}

type Fails = (steps: readonly Step[]) => boolean;

function fewest(steps: readonly Step[], fails: Fails): readonly Step[] {
  if (fails([])) return [];
  let parts = 2;
  let left = steps;
  while (left.length >= 2) {
    const size = Math.ceil(left.length / parts);
    let found: readonly Step[] | undefined;
    for (let from = 0; from < left.length && found === undefined; from += size) {
      const without = [...left.slice(0, from), ...left.slice(from + size)];
      if (fails(without)) found = without;
    }
    if (found !== undefined) {
      left = found;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) {
      break;
    } else {
      parts = Math.min(left.length, parts * 2);
    }
  }
  return left;
}

/** From the last pause to the first, each to nothing if that does, or to a half, again and again. */
function shortestPauses(steps: readonly Step[], fails: Fails): readonly Step[] {
  let left = steps;
  for (let at = left.length - 1; at >= 0; at--) {
    for (const share of [1, 0.5, 0.5, 0.5]) {
      const pauseMs = left[at]!.atMs - (left[at - 1]?.atMs ?? 0);
      const cutMs = Math.floor(pauseMs * share);
      if (cutMs === 0) break;
      const earlier = left.map((step, i) => (i < at ? step : { ...step, atMs: step.atMs - cutMs }));
      if (fails(earlier)) left = earlier;
    }
  }
  return left;
}
