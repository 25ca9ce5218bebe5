/**
 * A program between struct and CBOR value.
 *
 * ```
 * program   [1, [pipeline, ...], [use, ...], [output, ...], [rule, ...], [proposal, ...], [zone, ...], [scheduled, ...], sleep | null]
 * pipeline  [metric, sensor, everyMs, [stage, ...], [everyMs, within] | null, keepMs | null]
 * stage     [operator, parameter, ...]             `stage-codec.ts`
 * use       `model-use.ts`
 * output    [name, 0 digital | 1 pwm, pin, safeValue, setting | null]
 * rule      [condition, output, value]
 * proposal  [condition, register, value]
 * condition [metric, 0 above | 1 below, threshold, hysteresis, forMs, register that names who | null]
 * scheduled [schedule, output, value, forMs]       schedule, zone: `../time/schedule-codec.ts`
 * sleep     [awakeMs, everyMs]
 * ```
 *
 * Arrays are exactly this long: a board must not run half of a program that says more than it understands, so a program
 * that needs more gets another version, and is refused as a whole by boards that do not know it.
 */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { isStateKey } from "../state/codec.ts";
import { scheduleFromWire, scheduleToWire, zoneFromWire } from "../time/schedule-codec.ts";
import type { Zone } from "../time/zone.ts";
import { type ModelUse, modelUseFromWire, modelUseLimits, modelUseToWire } from "./model-use.ts";
import { durationMaxMs } from "./operators.ts";
import {
  type Batch,
  type Condition,
  type Output,
  type Pipeline,
  type Program,
  type Proposal,
  programLimits,
  type Rule,
  type ScheduledValue,
  type SleepPlan,
  type Stage,
} from "./program.ts";
import { stageFromWire, stageToWire } from "./stage-codec.ts";

export const programVersion = 1;

export function programToWire(program: Program): CborValue {
  const { sleep } = program;
  return [
    programVersion,
    program.pipelines.map(({ metric, sensor, everyMs, stages, batch, keepMs }) => [
      metric,
      sensor,
      everyMs,
      stages.map(stageToWire),
      batch === undefined ? null : [batch.everyMs, batch.within],
      keepMs ?? null,
    ]),
    (program.models ?? []).map((use, i, uses) =>
      modelUseToWire(use, [...program.pipelines, ...uses.slice(0, i)]),
    ),
    program.outputs.map(({ name, kind, pin, safeValue, setting }) => [
      name,
      kind === "digital" ? 0 : 1,
      pin,
      safeValue,
      setting ?? null,
    ]),
    program.rules.map((rule) => [conditionToWire(rule), rule.output, rule.value]),
    (program.proposals ?? []).map((one) => [conditionToWire(one), one.register, one.value]),
    ...schedulesToWire(program.schedules ?? []),
    sleep === undefined ? null : [sleep.awakeMs, sleep.everyMs],
  ];
}

/** Throws `ShapeError` for anything but a whole, valid program: within limits, names unique, and rules that name what is there. */
export function programFromWire(value: CborValue): Program {
  const items = new ItemReader(value, "program", "", 9);
  items.version(programVersion);
  const pipelines: Pipeline[] = [];
  for (const item of items.array("the pipelines", programLimits.pipelinesMax)) {
    const pipeline = pipelineFromWire(item, `pipeline ${pipelines.length}`);
    if (pipelines.some(({ metric }) => metric === pipeline.metric)) {
      throw new ShapeError(
        "program",
        `the metric of pipeline ${pipelines.length}`,
        "unique",
        pipeline.metric,
      );
    }
    pipelines.push(pipeline);
  }
  const models: ModelUse[] = [];
  for (const item of items.array("the models", modelUseLimits.usesMax)) {
    const named = [...pipelines, ...models];
    const use = modelUseFromWire(item, `model ${models.length}`, named, isProgramName);
    if (named.some(({ metric }) => metric === use.metric)) {
      throw new ShapeError("program", `the metric of model ${models.length}`, "unique", use.metric);
    }
    models.push(use);
  }
  const metrics = [...pipelines, ...models];
  const outputs: Output[] = [];
  for (const item of items.array("the outputs", programLimits.outputsMax)) {
    const output = outputFromWire(item, `output ${outputs.length}`);
    if (outputs.some(({ name }) => name === output.name)) {
      throw new ShapeError("program", `the name of output ${outputs.length}`, "unique", output.name);
    }
    outputs.push(output);
  }
  const rules: Rule[] = [];
  for (const item of items.array("the rules", programLimits.rulesMax)) {
    rules.push(ruleFromWire(item, `rule ${rules.length}`, metrics, outputs));
  }
  const proposals: Proposal[] = [];
  for (const item of items.array("the proposals", programLimits.proposalsMax)) {
    proposals.push(proposalFromWire(item, `proposal ${proposals.length}`, metrics));
  }
  const zones: Zone[] = [];
  for (const item of items.array("the zones", programLimits.schedulesMax)) {
    zones.push(zoneFromWire(item, "program", `zone ${zones.length}`));
  }
  const schedules: ScheduledValue[] = [];
  for (const item of items.array("the schedules", programLimits.schedulesMax)) {
    schedules.push(scheduledFromWire(item, `schedule ${schedules.length}`, zones, outputs));
  }
  const sleep = sleepFromWire(items.any());
  items.end();
  return {
    pipelines,
    ...(models.length === 0 ? {} : { models }),
    ...{ outputs, rules },
    ...(proposals.length === 0 ? {} : { proposals }),
    ...(schedules.length === 0 ? {} : { schedules }),
    sleep,
  };
}

/** 1 to 32 lower-case letters, digits, `.` and `-`: a metric, a sensor or an output. */
export function isProgramName(text: string): boolean {
  if (text.length === 0 || text.length > programLimits.nameLengthMax) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isLetter = code >= 0x61 && code <= 0x7a;
    const isDigit = code >= 0x30 && code <= 0x39;
    if (!isLetter && !isDigit && code !== 0x2d && code !== 0x2e) return false;
  }
  return true;
}

/** The value range of an output: 0 and 1 for digital, 0 to 100 percent for PWM. */
export function outputMax(kind: Output["kind"]): number {
  return kind === "digital" ? 1 : 100;
}

const pinMax = 255;
const finiteMax = Number.MAX_VALUE;

function pipelineFromWire(value: CborValue, part: string): Pipeline {
  const items = new ItemReader(value, "program", part, 6);
  const metric = nameFrom(items, "metric", part);
  const sensor = nameFrom(items, "sensor", part);
  const everyMs = items.integer("everyMs", programLimits.everyMsMin, durationMaxMs);
  const stages: Stage[] = [];
  for (const stage of items.array("the stages", programLimits.stagesMax)) {
    stages.push(stageFromWire(stage, `stage ${stages.length} of ${part}`));
  }
  const batch = batchFromWire(items.any(), part);
  const keepMs = items.integerOrNone("keepMs", programLimits.keepMsMin, keepMsMost(everyMs));
  items.end();
  const pipeline: Pipeline = { metric, sensor, everyMs, stages };
  const reporting = batch === undefined ? pipeline : { ...pipeline, batch };
  return keepMs === undefined ? reporting : { ...reporting, keepMs };
}

/** The longest that a pipeline with this period may keep, in milliseconds. */
export function keepMsMost(everyMs: number): number {
  return Math.min(durationMaxMs, 12 * everyMs * programLimits.keptSamplesMax);
}

function batchFromWire(value: CborValue, part: string): Batch | undefined {
  if (value === null) return undefined;
  const items = new ItemReader(value, "program", `batch of ${part}`, 2);
  const everyMs = items.integer("everyMs", programLimits.batchMsMin, durationMaxMs);
  const within = items.number("within", 0, finiteMax);
  items.end();
  return { everyMs, within };
}

function outputFromWire(value: CborValue, part: string): Output {
  const items = new ItemReader(value, "program", part, 5);
  const name = nameFrom(items, "name", part);
  const kind = items.integer("kind", 0, 1) === 0 ? "digital" : "pwm";
  const pin = items.integer("pin", 0, pinMax);
  const safeValue = items.number("safeValue", 0, outputMax(kind));
  const setting = items.any();
  if (setting !== null && (typeof setting !== "string" || !isStateKey(setting))) {
    throw new ShapeError("program", `setting of ${part}`, "the key of a setting, or null", setting);
  }
  items.end();
  return { name, kind, pin, safeValue, setting: setting ?? undefined };
}

function ruleFromWire(
  value: CborValue,
  part: string,
  metrics: readonly { readonly metric: string }[],
  outputs: readonly Output[],
): Rule {
  const items = new ItemReader(value, "program", part, 3);
  const condition = conditionFromWire(items.any(), part, metrics);
  const output = outputFrom(items, part, outputs);
  const driven = items.number("value", 0, outputMax(output.kind));
  items.end();
  return { ...condition, output: output.name, value: driven };
}

function proposalFromWire(
  wire: CborValue,
  part: string,
  metrics: readonly { readonly metric: string }[],
): Proposal {
  const items = new ItemReader(wire, "program", part, 3);
  const condition = conditionFromWire(items.any(), part, metrics);
  const register = registerFrom(items.any(), part);
  const value = items.any();
  items.end();
  const isScalar = typeof value === "boolean" || typeof value === "number" || typeof value === "string";
  if (!isScalar) throw new ShapeError("program", `value of ${part}`, "a boolean, a number or a text", value);
  return { ...condition, register, value };
}

function conditionToWire({ metric, when, threshold, hysteresis, forMs, as }: Condition): CborValue {
  return [metric, when === "above" ? 0 : 1, threshold, hysteresis, forMs, as ?? null];
}

function conditionFromWire(
  wire: CborValue,
  part: string,
  metrics: readonly { readonly metric: string }[],
): Condition {
  const items = new ItemReader(wire, "program", `condition of ${part}`, 6);
  const metric = items.text("metric", programLimits.nameLengthMax);
  if (!metrics.some((one) => one.metric === metric)) {
    throw new ShapeError("program", `metric of ${part}`, "that of a pipeline or a model", metric);
  }
  const when = items.integer("when", 0, 1) === 0 ? "above" : "below";
  const threshold = thresholdFrom(items.any(), part);
  const hysteresis = items.number("hysteresis", 0, finiteMax);
  const forMs = items.integer("forMs", 0, durationMaxMs);
  const as = items.any();
  items.end();
  const condition: Condition = { metric, when, threshold, hysteresis, forMs };
  return as === null ? condition : { ...condition, as: registerFrom(as, part) };
}

/** The zones in the order of their first use, then the schedules. */
function schedulesToWire(schedules: readonly ScheduledValue[]): CborValue[] {
  const zones: CborValue[] = [];
  const values = schedules.map(({ schedule, output, value, forMs }) => [
    scheduleToWire(schedule, zones),
    output,
    value,
    forMs,
  ]);
  return [zones, values];
}

function scheduledFromWire(
  value: CborValue,
  part: string,
  zones: readonly Zone[],
  outputs: readonly Output[],
): ScheduledValue {
  const items = new ItemReader(value, "program", part, 4);
  const schedule = scheduleFromWire(items.any(), zones, "program", part);
  const output = outputFrom(items, part, outputs);
  const driven = items.number("value", 0, outputMax(output.kind));
  const forMs = items.integer("forMs", 0, durationMaxMs);
  items.end();
  return { schedule, output: output.name, value: driven, forMs };
}

function sleepFromWire(value: CborValue): SleepPlan | undefined {
  if (value === null) return undefined;
  const items = new ItemReader(value, "program", "the sleep", 2);
  const awakeMs = items.integer("awakeMs", programLimits.awakeMsMin, durationMaxMs);
  const everyMs = items.integer("everyMs", awakeMs + programLimits.sleepMsMin, durationMaxMs);
  items.end();
  return { awakeMs, everyMs };
}

function outputFrom(items: ItemReader, part: string, outputs: readonly Output[]): Output {
  const name = items.text("output", programLimits.nameLengthMax);
  const output = outputs.find((candidate) => candidate.name === name);
  if (output !== undefined) return output;
  throw new ShapeError("program", `output of ${part}`, "one of the program's outputs", name);
}

function thresholdFrom(value: CborValue, part: string): number | string {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "string" && isStateKey(value)) return value;
  throw new ShapeError("program", `threshold of ${part}`, "a number or the key of a setting", value);
}

/** Which registers there are, and of what kind, the program does not know: another entry says it. */
function registerFrom(value: CborValue, part: string): string {
  const isName = typeof value === "string" && value.length <= programLimits.nameLengthMax;
  if (isName && isStateKey(value)) return value;
  throw new ShapeError("program", `register of ${part}`, "the name of a register", value);
}

function nameFrom(items: ItemReader, item: string, part: string): string {
  const name = items.text(item, programLimits.nameLengthMax);
  if (isProgramName(name)) return name;
  throw new ShapeError("program", `${item} of ${part}`, "lower-case letters, digits, . and -", name);
}
