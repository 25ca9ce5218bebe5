/** Checks and compiles one board: its model, its program, and what the simulator feeds it. */
import { resolve } from "node:path";
import { keepingPartition } from "../../protocols/keeping/shelf.ts";
import { modelUseLimits } from "../../protocols/pipeline/model-use.ts";
import type { Output, Program, Proposal, Rule, ScheduledValue } from "../../protocols/pipeline/program.ts";
import { programLimits } from "../../protocols/pipeline/program.ts";
import { stateLimits } from "../../protocols/state/command.ts";
import type { BoardDescription } from "../boards/boards.ts";
import { ReplayFileError, readSeries } from "../recording/series.ts";
import { compileJoined } from "./compile-joined.ts";
import { type CompiledModel, compileModel } from "./compile-model.ts";
import { compileOutput, pinProblem } from "./compile-output.ts";
import { type CompiledPipeline, compilePipeline } from "./compile-pipeline.ts";
import { compilePlace } from "./compile-place.ts";
import { compileProposal, compileRule, type RuleSurroundings } from "./compile-rule.ts";
import { compileSchedule } from "./compile-schedule.ts";
import { compileSleep } from "./compile-sleep.ts";
import type {
  Agreed,
  BoardDefinition,
  KeptDefinition,
  RegisterDefinition,
  ReplayDefinition,
  SettingDefinition,
} from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, isPart, isRecord, shown } from "./given.ts";
import type {
  BoardPart,
  ModelPart,
  OutputPart,
  PipelinePart,
  ProposalPart,
  ReplayPart,
  RulePart,
  SchedulePart,
} from "./parts.ts";
import { programSizeBytes } from "./program-size.ts";
import { isSensor, sensorNames, sensors } from "./sensors.ts";
import { type Source, sourceOf } from "./source.ts";
import { boardStateBytesMax } from "./state-bytes.ts";
import { list, suggestion } from "./suggestion.ts";
import type { ZoneRules } from "./time-zone.ts";
import { isUnit, quantityOf, units } from "./units.ts";

/** What a board is checked against. */
export interface BoardSurroundings {
  readonly name: string;
  /** Absolute path of the swarm's file. */
  readonly file: string;
  readonly settings: Readonly<Record<string, SettingDefinition>>;
  readonly registers: Readonly<Record<string, RegisterDefinition>>;
  /** Names of tasks, by who holds them. */
  readonly boardTasks: readonly string[];
  readonly hostTasks: readonly string[];
  readonly models: ReadonlyMap<string, BoardDescription>;
  readonly zones: ZoneRules;
}

export function compileBoard(
  part: BoardPart,
  surroundings: BoardSurroundings,
  diagnostics: Diagnostics,
): BoardDefinition {
  return new BoardCompilation(part, surroundings, diagnostics).run();
}

class BoardCompilation {
  readonly #part: BoardPart;
  readonly #at: BoardSurroundings;
  readonly #diagnostics: Diagnostics;
  readonly #model: BoardDescription | undefined;

  constructor(part: BoardPart, surroundings: BoardSurroundings, diagnostics: Diagnostics) {
    this.#part = part;
    this.#at = surroundings;
    this.#diagnostics = diagnostics;
    this.#model = surroundings.models.get(part.model);
  }

  run(): BoardDefinition {
    const { model } = this.#part;
    if (this.#model === undefined) {
      const known = [...this.#at.models.keys()];
      this.#wrong([model], `${shown(model)} is not a board model${suggestion(model, known)}`);
    }
    if (!isRecord(this.#part.given))
      this.#wrong([], 'a board needs its parts: board("...", { sense: [...] }).');
    const given: Record<string, unknown> = isRecord(this.#part.given) ? this.#part.given : { sense: [] };
    this.#checkKeys(given);
    const compiled = this.#pipelines(given.sense);
    const pipelines = compiled.map(({ pipeline }) => pipeline);
    const models = this.#models(given.models, given.derived, compiled);
    this.#checkState(compiled, models);
    const units = unitsOf(compiled, models);
    const outputs = this.#outputs(given.outputs);
    const { rules, proposals } = this.#rules(given.rules, compiled, units, outputs);
    const simulate = this.#simulate(given.simulate, compiled);
    const schedules = this.#schedules(given.schedules, outputs);
    const sleep = compileSleep(this.#part, given.sleep, this.#diagnostics);
    const kept = pipelines.find(({ keepMs }) => keepMs !== undefined);
    if (sleep !== undefined && kept !== undefined) {
      this.#wrong(
        ["sleep"],
        `${this.#who} sleeps, and what ${shown(kept.metric)} keeps for queries is lost each time; take keep away, or its sleep.`,
      );
    }
    const program: Program = {
      pipelines,
      ...(models.length > 0 ? { models: models.map(({ use }) => use) } : {}),
      outputs,
      rules,
      ...(proposals.length > 0 ? { proposals } : {}),
      ...(schedules.length > 0 ? { schedules } : {}),
      ...(sleep === undefined ? {} : { sleep }),
    };
    this.#checkSize(program);
    const deployed = models.flatMap((one) => one.deployed ?? []);
    const place = compilePlace(this.#part, given.place, this.#diagnostics);
    if (place?.keeps === true) this.#checkKeeper(program);
    const others = this.#kept(compiled);
    return {
      model,
      program,
      ...(place === undefined ? {} : { place }),
      ...(others === undefined ? {} : { kept: others }),
      ...(deployed.length > 0 ? { models: deployed } : {}),
      units,
      simulate,
    };
  }

  #checkKeeper({ sleep }: Program): void {
    const path = ["place", "keeps"];
    if (sleep !== undefined) {
      this.#wrong(path, `${this.#who} sleeps, so it can't keep readings; take keeps away, or its sleep.`);
    } else if (this.#model?.partitions.some(({ name }) => name === keepingPartition) === false) {
      const text = `the flash of ${shown(this.#part.model)} has no room to keep readings; take keeps away, or another model.`;
      this.#wrong(path, text);
    }
  }

  /** All that is kept of one board lies together. */
  #kept(compiled: readonly CompiledPipeline[]): KeptDefinition | undefined {
    const kept = compiled.filter(({ copies }) => copies !== undefined);
    const [first] = kept;
    if (first === undefined) return undefined;
    const other = kept.find(({ copies }) => copies !== first.copies);
    if (other !== undefined) {
      const [one, two] = [first, other].map(
        ({ pipeline, copies }) => `${shown(pipeline.metric)} ${copies} copies`,
      );
      this.#wrong(
        ["sense"],
        `${this.#who} asks of ${one} and of ${two}; what is kept of a board lies together, so ask for as many of both.`,
      );
    }
    return { copies: first.copies!, metrics: kept.map(({ pipeline }) => pipeline.metric) };
  }

  #pipelines(given: unknown): CompiledPipeline[] {
    const pipelines: CompiledPipeline[] = [];
    for (const part of this.#list<PipelinePart>(
      "sense",
      given,
      "pipeline",
      'sense("temperature", { every: "1s" })',
    )) {
      for (const compiled of compilePipeline(part, this.#diagnostics)) {
        const { metric } = compiled.pipeline;
        if (pipelines.some(({ pipeline }) => pipeline.metric === metric)) {
          const place = part.metricSite ?? part.site;
          this.#diagnostics.add(
            place,
            [metric],
            `${this.#who} has two pipelines for ${shown(metric)}; name one of them with .as("...").`,
          );
        }
        pipelines.push(compiled);
      }
    }
    this.#checkCount("sense", pipelines.length, programLimits.pipelinesMax, "pipelines");
    return pipelines;
  }

  /** Models and what is derived, each behind those whose metrics it takes. */
  #models(given: unknown, derived: unknown, pipelines: readonly CompiledPipeline[]): CompiledModel[] {
    const example = 'join("gradient", "difference", ["top", "bottom"])';
    const waiting = [
      ...this.#list<ModelPart>("derived", derived ?? [], "model", example),
      ...this.#list<ModelPart>("models", given ?? [], "model", 'model("occupied", "occupied.cvm")'),
    ];
    const sources = pipelines.map(sourceOf);
    const compiled: CompiledModel[] = [];
    while (waiting.length > 0) {
      const ready = Math.max(
        0,
        waiting.findIndex((part) => isReady(part, sources)),
      );
      // Where none is ready a metric is missing, which the first one then tells, or each waits for another.
      if (this.#isCircle(waiting, waiting[ready]!, sources)) break;
      for (const one of this.#worked(waiting.splice(ready, 1)[0]!, sources)) {
        compiled.push(one);
        sources.push({ ...one, metric: one.use.metric });
      }
    }
    this.#checkCount(
      derived === undefined ? "models" : "derived",
      compiled.length,
      modelUseLimits.usesMax,
      derived === undefined ? "models" : "models and derived metrics",
    );
    return compiled;
  }

  /** Whether nothing is missing but what follows from `first` itself; notes it. */
  #isCircle(waiting: readonly ModelPart[], first: ModelPart, sources: readonly Source[]): boolean {
    const needed = new Set<unknown>();
    const needs = [first];
    for (const part of needs) {
      for (const name of missing(part, sources)) {
        const parts = waiting.filter(({ metric }) => metric === name);
        if (parts.length === 0) return false;
        if (needed.has(name)) continue;
        needed.add(name);
        needs.push(...parts);
      }
    }
    if (!needed.has(first.metric)) return false;
    const others = [...needed].filter((name) => name !== first.metric).map(String);
    const way = others.length === 0 ? "" : `, by way of ${list(others)}`;
    const text = `${shown(first.metric)} follows from itself${way}; take it from something else.`;
    this.#diagnostics.add(first.site, [String(first.metric)], text);
    return true;
  }

  #worked(part: ModelPart, sources: readonly Source[]): CompiledModel[] {
    const isLearned = part.type === "trained" || part.type === "regression";
    const compiled = isLearned
      ? [compileModel(part, sources, this.#at.file, this.#diagnostics) ?? []].flat()
      : compileJoined(part, sources, this.#diagnostics);
    for (const { use } of compiled) {
      if (!sources.some(({ metric }) => metric === use.metric)) continue;
      const text = `${this.#who} has ${shown(use.metric)} already; give the ${isLearned ? "model's" : "derived"} metric another name.`;
      this.#diagnostics.add(part.site, [use.metric], text);
    }
    return compiled;
  }

  #outputs(given: unknown): Output[] {
    if (given !== undefined && !isRecord(given))
      this.#wrong(["outputs"], "outputs must be an object of output.pwm({...}) and output.digital({...}).");
    const outputs: Output[] = [];
    for (const [name, part] of Object.entries(isRecord(given) ? given : {})) {
      if (!isPart<OutputPart>(part, "output")) {
        this.#wrong(
          ["outputs", name],
          `${shown(name)} is no output; write output.pwm({...}) or output.digital({...}).`,
        );
        continue;
      }
      const output = compileOutput(name, part, this.#agreed, this.#diagnostics);
      const twin = outputs.find(({ pin }) => pin === output.pin);
      const problem = this.#model && pinProblem(this.#model, output.pin);
      if (twin)
        this.#diagnostics.add(part.site, ["pin"], `pin ${output.pin} already drives ${shown(twin.name)}.`);
      else if (problem) this.#diagnostics.add(part.site, ["pin"], problem);
      outputs.push(output);
    }
    this.#checkCount("outputs", outputs.length, programLimits.outputsMax, "outputs");
    return outputs;
  }

  #rules(
    given: unknown,
    pipelines: readonly CompiledPipeline[],
    metrics: Readonly<Record<string, string>>,
    outputs: readonly Output[],
  ): { rules: Rule[]; proposals: Proposal[] } {
    const example = 'when("temperature").above(28).set("fan", 80)';
    const isProposal = (one: unknown) => isPart<ProposalPart>(one, "proposal");
    const all: readonly unknown[] = Array.isArray(given) ? given : [];
    const driving = Array.isArray(given) ? given.filter((one) => !isProposal(one)) : (given ?? []);
    const parts = this.#list<RulePart>("rules", driving, "rule", example);
    const proposing = all.filter(isProposal) as ProposalPart[];
    const board: RuleSurroundings = {
      metrics,
      metricsKnown: pipelines.every(({ pipeline }) => isSensor(pipeline.sensor)),
      outputs,
      agreed: this.#agreed,
      registers: this.#at.registers,
      boardTasks: this.#at.boardTasks,
      hostTasks: this.#at.hostTasks,
    };
    this.#checkCount("rules", parts.length, programLimits.rulesMax, "rules");
    this.#checkCount("rules", proposing.length, programLimits.proposalsMax, "rules that propose");
    return {
      rules: parts.map((part) => compileRule(part, board, this.#diagnostics)),
      proposals: proposing.map((part) => compileProposal(part, board, this.#diagnostics)),
    };
  }

  /** What outputs follow and rules compare with. */
  get #agreed(): Agreed {
    return { ...this.#at.settings, ...this.#at.registers };
  }

  #schedules(given: unknown, outputs: readonly Output[]): ScheduledValue[] {
    const parts = this.#list<SchedulePart>(
      "schedules",
      given ?? [],
      "schedule",
      'every.day("06:00", { zone: "Europe/Berlin" }).set("lamp", true, { for: "2h" })',
    );
    this.#checkCount("schedules", parts.length, programLimits.schedulesMax, "schedules");
    const board = { outputs, zones: this.#at.zones };
    return parts.map((part) => compileSchedule(part, board, this.#diagnostics));
  }

  #simulate(given: unknown, pipelines: readonly CompiledPipeline[]): Record<string, ReplayDefinition> {
    if (given !== undefined && !isRecord(given))
      this.#wrong(
        ["simulate"],
        'simulate must be an object such as { temperature: replay("data/series.csv") }.',
      );
    const simulate: Record<string, ReplayDefinition> = {};
    const sensed = [...new Set(pipelines.map(({ pipeline }) => pipeline.sensor))];
    for (const [sensor, part] of Object.entries(isRecord(given) ? given : {})) {
      if (!isSensor(sensor))
        this.#wrong(
          ["simulate", sensor],
          `${shown(sensor)} is not a sensor${suggestion(sensor, sensorNames)}`,
        );
      else if (!sensed.includes(sensor))
        this.#wrong(
          ["simulate", sensor],
          `${this.#who} does not sense ${shown(sensor)}; sense it or remove it from simulate.`,
        );
      else if (!isPart<ReplayPart>(part, "replay"))
        this.#wrong(["simulate", sensor], `what stands in for ${shown(sensor)} must be replay("FILE.csv").`);
      else simulate[sensor] = this.#replay(sensor, part);
    }
    return simulate;
  }

  #replay(sensor: keyof typeof sensors, part: ReplayPart): ReplayDefinition {
    const wrong = (path: readonly string[], text: string) => this.#diagnostics.add(part.site, path, text);
    const { unit: own } = sensors[sensor];
    const { speed, unit = own } = part;
    if (!isNumberWithin(speed, Number.MIN_VALUE, 1e6))
      wrong(["speed"], `speed must be above 0 and at most 1000000, not ${shown(speed)}.`);
    if (!isUnit(unit)) wrong(["unit"], `${shown(unit)} is not a unit${suggestion(unit, units)}`);
    else if (quantityOf(unit) !== quantityOf(own))
      wrong(["unit"], `a series in ${unit} cannot stand in for ${sensor}, which is in ${own}.`);
    const file = resolve(this.#at.file, "..", String(part.file));
    try {
      readSeries(file);
    } catch (error) {
      if (!(error instanceof ReplayFileError)) throw error;
      wrong([String(part.file)], error.message);
    }
    return { file, speed: speed as number, unit: unit as string };
  }

  #list<P extends PipelinePart | ModelPart | RulePart | SchedulePart>(
    key: string,
    given: unknown,
    kind: P["kind"],
    example: string,
  ): P[] {
    if (!Array.isArray(given)) {
      this.#wrong([key], `${key} must be a list: ${key}: [${example}].`);
      return [];
    }
    const parts = given.filter((item): item is P => isPart<P>(item, kind));
    if (parts.length < given.length)
      this.#wrong([key], `each item of ${key} must be a ${kind} such as ${example}.`);
    return parts;
  }

  #checkKeys(given: object): void {
    const known = [
      "sense",
      "derived",
      "models",
      "outputs",
      "rules",
      "schedules",
      "sleep",
      "place",
      "simulate",
    ];
    for (const key of Object.keys(given)) {
      if (!known.includes(key)) this.#wrong([key], `a board has no ${shown(key)}${suggestion(key, known)}`);
    }
  }

  #checkCount(key: string, count: number, max: number, what: string): void {
    if (count > max) this.#wrong([key], `${this.#who} has ${count} ${what}; a board holds at most ${max}.`);
  }

  #checkState(pipelines: readonly CompiledPipeline[], models: readonly CompiledModel[]): void {
    const all = [
      ...pipelines.map(({ pipeline, stateBytes }) => ({ metric: pipeline.metric, stateBytes })),
      ...models.map(({ use, stateBytes }) => ({ metric: use.metric, stateBytes })),
    ];
    const bytes = all.reduce((sum, { stateBytes }) => sum + stateBytes, 0);
    // NaN where a mistake is known already.
    if (!(bytes > boardStateBytesMax)) return;
    const { metric, stateBytes } = all.reduce((a, b) => (b.stateBytes > a.stateBytes ? b : a));
    const what = models.length > 0 ? "pipelines, models and derived metrics" : "pipelines";
    this.#wrong(
      ["sense"],
      `the ${what} of ${this.#who} hold ${bytes} bytes of state; a board has ${boardStateBytesMax}, and ${shown(metric)} takes most, ${stateBytes}.`,
    );
  }

  #checkSize(program: Program): void {
    const bytes = programSizeBytes(program);
    if (bytes > stateLimits.valueBytesMax) {
      this.#wrong(
        [],
        `the program of ${this.#who} takes ${bytes} bytes; at most ${stateLimits.valueBytesMax} fit in an entry, so use fewer stages or shorter names.`,
      );
    }
  }

  get #who(): string {
    return shown(this.#at.name);
  }

  #wrong(path: readonly string[], text: string): void {
    this.#diagnostics.add(this.#part.site, path, text);
  }
}

/** Whether there is all that it names: the features of a model that go by their own names it does not. */
function isReady(part: ModelPart, sources: readonly Source[]): boolean {
  return missing(part, sources).length === 0;
}

function missing({ given }: ModelPart, sources: readonly Source[]): unknown[] {
  const { from, joins = [], of } = given;
  const named = [...(isRecord(from) || Array.isArray(from) ? Object.values(from) : []), ...joins, of];
  return named.filter((name) => name !== undefined && !sources.some(({ metric }) => metric === name));
}

function unitsOf(
  pipelines: readonly CompiledPipeline[],
  models: readonly CompiledModel[],
): Record<string, string> {
  return Object.fromEntries([
    ...pipelines.map(({ pipeline, unit }) => [pipeline.metric, unit]),
    ...models.map(({ use, unit }) => [use.metric, unit]),
  ]);
}
