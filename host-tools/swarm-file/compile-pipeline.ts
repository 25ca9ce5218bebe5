/** Checks and compiles one pipeline. */
import type { Pipeline, Stage } from "../../protocols/pipeline/program.ts";
import { programLimits } from "../../protocols/pipeline/program.ts";
import { isProgramName } from "../../protocols/pipeline/program-codec.ts";
import type { CallSite } from "./call-site.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { parseDuration } from "./duration.ts";
import { isNumberWithin, programNameRule, shown } from "./given.ts";
import type { PipelinePart, StagePart } from "./parts.ts";
import { isSensor, sensorNames } from "./sensors.ts";
import { suggestion } from "./suggestion.ts";

/** The longest duration in a program; times on the board stay small integers. */
export const durationMsMax = 24 * 3_600_000;

export function compilePipeline(part: PipelinePart, diagnostics: Diagnostics): Pipeline {
  const { sensor, metric, site } = part;
  if (!isSensor(sensor)) {
    diagnostics.add(
      site,
      [String(sensor)],
      `${shown(sensor)} is not a sensor${suggestion(sensor, sensorNames)}`,
    );
  } else if (typeof metric !== "string" || !isProgramName(metric)) {
    const text = `${shown(metric)} cannot name a metric: ${programNameRule}.`;
    diagnostics.add(part.metricSite ?? site, [String(metric)], text);
  }
  const everyMs = periodMs(part, diagnostics);
  const { stagesMax } = programLimits;
  if (part.stages.length > stagesMax) {
    const text = `the pipeline ${shown(metric)} has ${part.stages.length} stages; at most ${stagesMax} are possible.`;
    diagnostics.add(part.stages[stagesMax]!.site, [], text);
  }
  const stages = part.stages.map((stage) => compileStage(stage, everyMs, diagnostics));
  return { metric, sensor, everyMs, stages };
}

/** Reads a duration of at least `minMs`; notes a mistake and gives `minMs` when it is none. */
export function compileDuration(
  given: unknown,
  minMs: number,
  name: string,
  site: CallSite | undefined,
  diagnostics: Diagnostics,
): number {
  const ms = parseDuration(given);
  if (ms !== undefined && ms >= minMs && ms <= durationMsMax) return ms;
  const text =
    ms === undefined
      ? `${shown(given)} is not a duration; write ${name} as "500ms", "5s", "2m" or "1h".`
      : `${name} is ${given}; it must be from ${minMs}ms to 24h.`;
  diagnostics.add(site, typeof given === "string" ? [given] : [name], text);
  return minMs;
}

function periodMs(part: PipelinePart, diagnostics: Diagnostics): number {
  const { everyMsMin } = programLimits;
  return compileDuration(part.every, everyMsMin, "every", part.site, diagnostics);
}

function compileStage(stage: StagePart, everyMs: number, diagnostics: Diagnostics): Stage {
  const { site } = stage;
  const wrong = (text: string) => diagnostics.add(site, [], text);
  switch (stage.op) {
    case "median": {
      const { count } = stage;
      const { medianCountMax } = programLimits;
      if (!isNumberWithin(count, 3, medianCountMax) || count % 2 !== 1) {
        wrong(
          `a median is taken of an odd number of samples from 3 to ${medianCountMax}, not of ${shown(count)}.`,
        );
      }
      return { op: "median", count: count as number };
    }
    case "mean": {
      const windowMs = compileDuration(stage.window, 1, "the window", site, diagnostics);
      if (parseDuration(stage.window) !== undefined && windowMs < everyMs) {
        wrong(
          `a window of ${stage.window} is shorter than the sampling period, ${everyMs}ms; most windows would be empty.`,
        );
      }
      return { op: "mean", windowMs };
    }
    case "deadband": {
      const { delta, atLeastEvery } = stage;
      if (!isNumberWithin(delta, 0, Number.MAX_VALUE))
        wrong(`a deadband is a number, 0 or more, not ${shown(delta)}.`);
      const silenceMs =
        atLeastEvery === undefined ? 0 : compileDuration(atLeastEvery, 1, "atLeastEvery", site, diagnostics);
      return { op: "deadband", delta: delta as number, silenceMs };
    }
  }
}
