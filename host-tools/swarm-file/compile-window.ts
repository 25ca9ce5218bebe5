/** Compiles `window(...).stat(...)`: tumbling, hopping or sliding, by time or by count; and `session(...).stat(...)`. */
import { statistics } from "../../protocols/pipeline/operators.ts";
import type { Statistic } from "../../protocols/pipeline/stage.ts";
import { durationText, parseDuration } from "./duration.ts";
import { shown } from "./given.ts";
import type { CompiledStage, StageReader } from "./stage-reader.ts";
import { list } from "./suggestion.ts";
import { perSecond } from "./units.ts";

/** Samples that a sliding window can hold: `samples` in `protocols/pipeline/operators.ts`. */
const samplesMax = 256;

export function compileWindow(stage: StageReader): CompiledStage {
  const { given, signal } = stage;
  const found = statisticNamed(given.statistic);
  if (found === undefined) stage.wrong(`${shown(given.statistic)} is no statistic; use ${statisticNames}.`);
  const { statistic, percent } = found ?? { statistic: "mean", percent: 0 };
  const by = typeof given.length === "number" ? "count" : "time";
  const length = by === "count" ? count(stage, "length") : stage.duration("length");
  const hop =
    given.every === undefined ? length : by === "count" ? count(stage, "every") : stage.duration("every");
  if (hop > length) stage.wrong(`a window of ${given.length} every ${given.every} would leave values out.`);
  const hopMs = by === "count" ? hop * signal.everyMs : hop;
  if (by === "time") checkLength(stage, given.length, length);
  const after = {
    unit: unitOf(statistic, signal.unit),
    everyMs: hopMs,
    // A window of time that has no values emits nothing.
    isSteady: signal.isSteady,
  };
  if (hop === length) return { stage: { op: "tumbling", by, length, statistic, percent }, signal: after };
  // One more than there are in time, for samples that come a little late or early.
  let samples = by === "count" ? length : Math.ceil(length / signal.everyMs) + 1;
  if (samples > samplesMax) {
    stage.wrong(
      `a window that slides holds its values, at most ${samplesMax} of them, not ${samples}; take means before it.`,
    );
    samples = 1;
  }
  return { stage: { op: "sliding", by, length, hop, samples, statistic, percent }, signal: after };
}

export function compileSession(stage: StageReader): CompiledStage {
  const { given, signal } = stage;
  const found = given.statistic === "duration" ? duration : statisticNamed(given.statistic);
  if (found === undefined) {
    stage.wrong(`${shown(given.statistic)} is no statistic; use "duration", ${statisticNames}.`);
  }
  const { statistic, percent } = found ?? duration;
  const gapMs = stage.duration("gap");
  if (gapMs <= signal.everyMs) {
    stage.wrong(
      `values come every ${durationText(signal.everyMs)}, so with a gap of ${given.gap} each is a session; make it longer.`,
    );
  }
  if (given.above === undefined && signal.isSteady) {
    stage.wrong(
      "a session of values at a steady rate never ends; say above, or put a stage that leaves some out before it.",
    );
  }
  const above = given.above === undefined ? -Number.MAX_VALUE : stage.number("session", "above");
  const unit = statistic === "duration" ? "s" : unitOf(statistic, signal.unit);
  return {
    stage: { op: "session", gapMs, above, statistic, percent },
    signal: { unit, everyMs: gapMs, isSteady: false },
  };
}

const duration = { statistic: "duration", percent: 0 } as const;

/** Notes a window of time in which there is often no value. */
export function checkLength(stage: StageReader, given: unknown, lengthMs: number): void {
  const { everyMs } = stage.signal;
  if (parseDuration(given) === undefined || lengthMs >= everyMs) return;
  stage.wrong(
    `a window of ${given} is shorter than the sampling period, ${durationText(everyMs)}; most windows would be empty.`,
  );
}

/** A number of values; of `every` the same kind as of the window's length. */
function count(stage: StageReader, name: "length" | "every"): number {
  const value = stage.given[name];
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1e6) return value as number;
  stage.wrong(`a window of values is a whole number of them, and so is its every, not ${shown(value)}.`);
  return 1;
}

export function unitOf(statistic: Statistic, unit: string): string {
  if (statistic === "count") return "";
  if (statistic === "slope") return perSecond(unit);
  return statistic === "variance" && unit !== "" ? `${unit}²` : unit;
}

/** `p95` is a percentile; undefined for what is no statistic. */
export function statisticNamed(name: unknown): { statistic: Statistic; percent: number } | undefined {
  const [, digits] = typeof name === "string" ? (/^p(\d{1,2}(?:\.\d)?|100)$/.exec(name) ?? []) : [];
  if (digits !== undefined) return { statistic: "percentile", percent: Number(digits) };
  const statistic = statistics.find((each) => each === name && each !== "percentile");
  return statistic && { statistic, percent: 0 };
}

/** Completes `is no statistic; use `. */
export const statisticNames = `${list(statistics.filter((each) => each !== "percentile"))} or "p95" for a percentile`;
