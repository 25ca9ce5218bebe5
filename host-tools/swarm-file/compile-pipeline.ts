/** Checks and compiles one pipeline. */
import { shelfLimits } from "../../protocols/keeping/shelf.ts";
import type { Batch, Pipeline } from "../../protocols/pipeline/program.ts";
import { programLimits } from "../../protocols/pipeline/program.ts";
import { isProgramName, keepMsMost } from "../../protocols/pipeline/program-codec.ts";
import type { Stage } from "../../protocols/pipeline/stage.ts";
import { compileDuration } from "./compile-duration.ts";
import { compileStage } from "./compile-stage.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { durationText } from "./duration.ts";
import { isNumberWithin, programNameRule, shown } from "./given.ts";
import type { PipelinePart, StagePart } from "./parts.ts";
import { isSensor, sensorNames, sensors } from "./sensors.ts";
import type { Signal } from "./stage-reader.ts";
import { batchStateBytes, keptStateBytes, pipelineStateBytesMax, stageStateBytes } from "./state-bytes.ts";
import { suggestion } from "./suggestion.ts";

export interface CompiledPipeline {
  readonly pipeline: Pipeline;
  /** Of what it reports. */
  readonly unit: string;
  /** Whether it reports a value each so often, but for faults. */
  readonly isSteady: boolean;
  /** Between one reading and the next; the least there can be where it is not steady. */
  readonly everyMs: number;
  /** What the numbers that its stages hold take on the board. */
  readonly stateBytes: number;
  /** Boards that are to keep what it reports; undefined for none. */
  readonly copies: number | undefined;
}

/** One pipeline, and where `stats` asks for several statistics, one for each of them. */
export function compilePipeline(part: PipelinePart, diagnostics: Diagnostics): CompiledPipeline[] {
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
  const everyMs = compileDuration(part.every, programLimits.everyMsMin, "every", site, diagnostics);
  const { stagesMax } = programLimits;
  if (part.stages.length > stagesMax) {
    const text = `the pipeline ${shown(metric)} has ${part.stages.length} stages; at most ${stagesMax} are possible.`;
    diagnostics.add(part.stages[stagesMax]!.site, [], text);
  }
  checkNaming(part, diagnostics);
  const batch = compileBatch(part.reporting, diagnostics);
  const copies = compileCopies(part.reporting, diagnostics);
  const keepMs = compileKeep(part.keeping, everyMs, diagnostics);
  const branches = branchesOf(part.stages);
  return branches.map((branch) => ({
    ...compileBranch(part, branch, everyMs, { batch, keepMs }, diagnostics),
    copies,
  }));
}

/** A way through the stages: for each of several statistics there is one. */
interface Branch {
  /** What the statistics on the way add to the metric: `.mean`. */
  readonly suffix: string;
  readonly stages: readonly StagePart[];
}

function branchesOf(stages: readonly StagePart[]): Branch[] {
  let branches: Branch[] = [{ suffix: "", stages: [] }];
  for (const stage of stages) {
    const ways = statisticsOf(stage);
    branches = branches.flatMap(({ suffix, stages: before }) =>
      ways.map((statistic) => ({
        suffix: stage.given.statistics === undefined ? suffix : `${suffix}.${statistic}`,
        stages: [...before, { ...stage, given: { ...stage.given, statistic } }],
      })),
    );
  }
  return branches;
}

function statisticsOf({ given }: StagePart): unknown[] {
  const { statistics } = given;
  return Array.isArray(statistics) && statistics.length > 0 ? statistics : [given.statistic];
}

function compileBranch(
  part: PipelinePart,
  { suffix, stages: parts }: Branch,
  everyMs: number,
  { batch, keepMs }: Pick<Pipeline, "batch" | "keepMs">,
  diagnostics: Diagnostics,
): Omit<CompiledPipeline, "copies"> {
  const { sensor } = part;
  const metric = `${part.metric}${suffix}`;
  let signal: Signal = { unit: isSensor(sensor) ? sensors[sensor].unit : "", everyMs, isSteady: true };
  const stages: Stage[] = [];
  let stateBytes = batch === undefined ? 0 : batchStateBytes;
  for (const stagePart of parts) {
    const compiled = compileStage(stagePart, signal, diagnostics);
    if (compiled === undefined) continue;
    signal = compiled.signal;
    stages.push(compiled.stage);
    stateBytes += stageStateBytes(compiled.stage);
  }
  if (suffix !== "" && isProgramName(part.metric) && !isProgramName(metric)) {
    const text = `${shown(metric)} cannot name a metric: ${programNameRule}.`;
    diagnostics.add(part.metricSite ?? part.site, [], text);
  }
  if (stateBytes > pipelineStateBytesMax) {
    const text = `the pipeline ${shown(metric)} holds ${stateBytes} bytes of state; at most ${pipelineStateBytesMax} are possible, so take shorter windows or fewer of them.`;
    diagnostics.add(part.site, [], text);
  }
  // Beside the pipeline's own: what is kept is of one size, whatever the stages are.
  if (keepMs !== undefined) stateBytes += keptStateBytes;
  const pipeline = {
    ...{ metric, sensor, everyMs, stages },
    ...(batch === undefined ? {} : { batch }),
    ...(keepMs === undefined ? {} : { keepMs }),
  };
  const { unit, isSteady } = signal;
  return { pipeline, unit, isSteady, everyMs: signal.everyMs, stateBytes };
}

function compileKeep(
  part: StagePart | undefined,
  everyMs: number,
  diagnostics: Diagnostics,
): number | undefined {
  if (part === undefined) return undefined;
  const { duration } = part.given;
  const keepMs = compileDuration(duration, programLimits.keepMsMin, "keep", part.site, diagnostics);
  const mostMs = keepMsMost(everyMs);
  if (keepMs <= mostMs) return keepMs;
  const most = Math.floor(mostMs / 60_000);
  const text = `of a sample each ${durationText(everyMs)} at most ${most}m can be kept; keep less, or sample less often.`;
  diagnostics.add(part.site, [String(duration)], text);
  return mostMs;
}

function compileCopies(part: StagePart | undefined, diagnostics: Diagnostics): number | undefined {
  const { copies, batch } = part?.given ?? {};
  if (copies === undefined) return undefined;
  const wrong = (text: string) => diagnostics.add(part!.site, ["copies"], text);
  if (batch === undefined) {
    wrong('copies are of blocks, so they take a batch; write report({ batch: "1m", copies: 2 }).');
  } else if (
    !(Number.isInteger(copies) && isNumberWithin(copies, shelfLimits.copiesMin, shelfLimits.copiesMax))
  ) {
    wrong(`copies must be 2, 3 or 4, not ${shown(copies)}.`);
  } else return copies as number;
  return undefined;
}

function compileBatch(part: StagePart | undefined, diagnostics: Diagnostics): Batch | undefined {
  if (part === undefined || Object.keys(part.given).length === 0) return undefined;
  const { batch, within = 0 } = part.given;
  // What is wrong with copies without a batch, `compileCopies` says.
  if (batch === undefined && part.given.copies !== undefined) return undefined;
  const everyMs = compileDuration(batch, programLimits.batchMsMin, "batch", part.site, diagnostics);
  if (!isNumberWithin(within, 0, Number.MAX_VALUE)) {
    const text = `${shown(within)} is no bound; write within as a number from 0 on, in the unit of what is reported.`;
    diagnostics.add(part.site, ["within"], text);
    return { everyMs, within: 0 };
  }
  return { everyMs, within };
}

/** The metrics after `stats` are called after the pipeline, so that it needs its name before. */
function checkNaming(part: PipelinePart, diagnostics: Diagnostics): void {
  const isBranched = part.stages
    .slice(0, part.metricAfter)
    .some(({ given }) => given.statistics !== undefined);
  if (!isBranched) return;
  diagnostics.add(
    part.metricSite,
    [],
    `name the pipeline with .as(${shown(part.metric)}) before .stats(...).`,
  );
}
