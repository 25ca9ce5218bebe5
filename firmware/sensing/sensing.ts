/**
 * The interpreter of programs: samples sensors, runs pipelines, judges rules and proposals, keeps schedules, drives outputs. It has no timers of its own:
 * whoever owns it calls `run` when `dueMs` has come.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { ItemReader } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { OutputState, Quality } from "../../protocols/messages/board-messages.ts";
import type { Condition, Output, Pipeline, Program, Rule } from "../../protocols/pipeline/program.ts";
import type { BoardAnswer, BoardQuery } from "../../protocols/query/messages.ts";
import type { Block } from "../../protocols/series/block.ts";
import type { StateValue } from "../../protocols/state/command.ts";
import type { Actuators, Sensors } from "../platform/ports.ts";
import type { BlockQueue } from "./block-queue.ts";
import { ConditionRun, ProposalRun, type RuleRun } from "./condition-run.ts";
import { pipelineHash, proposalHash, ruleHash } from "./definition-hash.ts";
import { KeptMetric } from "./kept-metric.ts";
import { Models } from "./learning/models.ts";
import { OutputRun } from "./output-run.ts";
import { PipelineRun, type ReadingSink } from "./pipeline-run.ts";
import type { ReadingQueue } from "./reading-queue.ts";
import { isSameOutput, isSamePipeline, isSameProposal, isSameRule } from "./same-definition.ts";
import { ScheduleRun } from "./schedule-run.ts";

/** The committed settings, by key, and the registers that boards agree on, by name. */
export interface Settings {
  get(key: string): StateValue | undefined;
}

/** Actions at work, where the board takes part in any: they hold outputs, and look at readings. */
export interface Acting {
  /** At which an action holds the output; Infinity for its safe value, NaN where none does. */
  heldValue(output: string): number;
  /** A good reading. */
  onReading(metric: string, value: number, takenMs: number): void;
}

export interface SensingParts {
  /** The board's name. */
  readonly board: string;
  readonly sensors: Sensors;
  readonly actuators: Actuators;
  readonly settings: Settings;
  readonly queue: ReadingQueue;
  readonly blocks: BlockQueue;
  /** Unix milliseconds at a time of the board's clock; NaN while unknown. */
  wallMs(nowMs: number): number;
  /** An output of the program cannot be claimed; the rest of the program runs. */
  onOutputRefused(output: string, reason: string): void;
  /** A model of the program is not in the committed state; the rest of the program runs. */
  onModelRefused(metric: string, reason: string): void;
}

export class Sensing implements ReadingSink {
  /** When `run` has something to do; Infinity for never. Kept, not worked out, because every turn of the board asks for it: see `setDue`. */
  dueMs = Infinity;
  readonly #parts: SensingParts;
  #pipelines: readonly PipelineRun[] = [];
  readonly #models: Models;
  #rules: readonly RuleRun[] = [];
  #proposals: readonly ProposalRun[] = none;
  #schedules: readonly ScheduleRun[] = [];
  #outputs: readonly OutputRun[] = [];
  #kept: readonly KeptMetric[] = [];
  /** The settings that the program names, as last committed. */
  readonly #settings = new Map<string, StateValue | undefined>();
  /** A setting has changed, and those that changed with it are still to come. */
  #isUndecided = false;
  #samplesIn = 0;
  #outputChanges = 0;
  #acting: Acting | undefined;

  constructor(parts: SensingParts) {
    this.#parts = parts;
    this.#models = new Models(parts, this);
  }

  /** Samples taken since the board booted, missing ones included. */
  get samplesIn(): number {
    return this.#samplesIn;
  }

  /** Counts the changes of any output's value or cause, so that an owner can tell that there was one. */
  get outputChanges(): number {
    return this.#outputChanges;
  }

  /** What the program has the board propose, when that is active. */
  get proposals(): readonly ProposalRun[] {
    return this.#proposals;
  }

  /** Whom to ask for what actions hold, from now on; undefined for nobody. To be called anew whenever that has changed. */
  set acting(acting: Acting | undefined) {
    this.#acting = acting;
    this.decide();
  }

  hasOutput(name: string): boolean {
    return this.#outputs.some(({ definition }) => definition.name === name);
  }

  outputs(): OutputState[] {
    const states: OutputState[] = [];
    for (const output of this.#outputs) states.push(output.state);
    return states;
  }

  /**
   * Runs `program` from now on. What it has in common with the one before goes on undisturbed: filters keep what they hold,
   * rules stay active, outputs keep their value.
   */
  load(program: Program, nowMs: number): void {
    this.loadSettings(program);
    // What goes is let go of before what comes is made: both at once would take twice the heap.
    this.#pipelines = this.#pipelines.filter((run) => {
      const stays = program.pipelines.some((definition) => isSamePipeline(run.definition, definition));
      if (!stays) {
        run.flush();
        this.#kept = this.#kept.filter(({ metric }) => metric !== run.definition.metric);
      }
      return stays;
    });
    this.#pipelines = program.pipelines.map((definition) => this.pipeline(definition, nowMs));
    this.loadKept(program, nowMs);
    this.#models.load(program.models ?? []);
    this.#rules = program.rules.map((definition) => this.rule(definition));
    this.loadProposals(program);
    this.#schedules = (program.schedules ?? []).map((definition) => new ScheduleRun(definition));
    this.loadOutputs(program.outputs);
    this.onTime(nowMs);
  }

  /** What pipelines, models and rules hold, one encoded part for each pipeline and model and one for all rules. */
  save(nowMs: number): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (const run of this.#pipelines) {
      parts.push(encodeCbor([pipelineHash(run.definition), run.save(nowMs)]));
    }
    this.#models.save(parts, nowMs);
    const rules: CborValue[] = [];
    for (const run of this.#rules) rules.push([ruleHash(run.definition), run.save(nowMs)]);
    for (const run of this.#proposals) rules.push([proposalHash(run.definition), run.save(nowMs)]);
    if (rules.length > 0) parts.push(encodeCbor([rulesPart, rules]));
    return parts;
  }

  /** Gives a saved part to the pipeline, the model or the rules of the same definition; gives the number that took it up. */
  restore(part: Uint8Array, nowMs: number): number {
    try {
      return this.takeUp(part, nowMs);
    } finally {
      this.settle();
    }
  }

  /** The wall's time is known anew: what schedules do follows from it. */
  onTime(nowMs: number): void {
    const wallMs = this.#parts.wallMs(nowMs);
    for (const schedule of this.#schedules) schedule.run(nowMs, wallMs);
    this.settle();
  }

  /** A committed entry has changed a setting. `isMore`: it changes others as well, so outputs wait for the last of them. */
  onSetting(key: string, value: StateValue | undefined, nowMs: number, isMore = false): void {
    this.#models.onStateChange(key);
    if (this.#settings.has(key)) {
      this.#settings.set(key, value);
      this.judgeAnew(this.#rules, key, nowMs);
      this.judgeAnew(this.#proposals, key, nowMs);
      this.#isUndecided = true;
      this.setDue();
    }
    if (isMore || !this.#isUndecided) return;
    this.#isUndecided = false;
    this.decide();
  }

  /** Any of the settings may have another value. */
  onSettings(nowMs: number): void {
    for (const key of [...this.#settings.keys()])
      this.onSetting(key, this.#parts.settings.get(key), nowMs, true);
    this.#isUndecided = false;
    this.decide();
  }

  run(nowMs: number): void {
    this.#models.run();
    this.#parts.sensors.startRound?.();
    for (let i = 0; i < this.#pipelines.length; i++) {
      const pipeline = this.#pipelines[i]!;
      if (pipeline.dueMs <= nowMs) this.#samplesIn += pipeline.run(nowMs);
    }
    for (let i = 0; i < this.#rules.length; i++) this.#rules[i]!.run(nowMs);
    for (let i = 0; i < this.#proposals.length; i++) this.#proposals[i]!.run(nowMs);
    for (let i = 0; i < this.#schedules.length; i++) {
      const schedule = this.#schedules[i]!;
      if (schedule.dueMs <= nowMs) schedule.run(nowMs, this.#parts.wallMs(nowMs));
    }
    this.settle();
  }

  answer({ id, metric, windowMs }: BoardQuery, nowMs: number): BoardAnswer {
    const kept = this.#kept.find((one) => one.metric === metric);
    if (kept === undefined) return { id, coveredMs: 0, summary: undefined };
    return { id, coveredMs: kept.coveredMs(windowMs, nowMs), summary: kept.summary(windowMs, nowMs) };
  }

  /** Lets go of all readings that wait for their block to be full. */
  flush(): void {
    for (let i = 0; i < this.#pipelines.length; i++) this.#pipelines[i]!.flush();
  }

  // For the pipelines, not for owners.

  onBlock(metric: string, block: Block): void {
    this.#parts.blocks.push(metric, block);
  }

  onReading(metric: string, takenMs: number, value: number, quality: Quality, isPacked: boolean): void {
    if (!isPacked) this.#parts.queue.push(metric, takenMs, value, quality);
    this.#models.take(metric, takenMs, value, quality);
    // Late is still good.
    if (quality !== 0 && quality !== 4) return;
    for (let i = 0; i < this.#kept.length; i++) {
      if (this.#kept[i]!.metric === metric) this.#kept[i]!.push(takenMs, value);
    }
    this.#acting?.onReading(metric, value, takenMs);
    tell(this.#rules, metric, value, takenMs);
    tell(this.#proposals, metric, value, takenMs);
  }

  private takeUp(part: Uint8Array, nowMs: number): number {
    const items = new ItemReader(decodeCbor(part), "checkpoint", "part", 2);
    const whose = items.any();
    const state = items.any();
    let restored = 0;
    if (whose !== rulesPart) {
      const run = this.#pipelines.find(({ definition }) => pipelineHash(definition) === whose);
      const isTaken =
        run === undefined ? this.#models.restore(whose, state, nowMs) : run.restore(state, nowMs);
      return isTaken ? 1 : 0;
    }
    for (const rule of state as readonly CborValue[]) {
      const ofRule = new ItemReader(rule, "checkpoint", "rule", 2);
      const hash = ofRule.any();
      const run: ConditionRun | undefined =
        this.#rules.find(({ definition }) => ruleHash(definition) === hash) ??
        this.#proposals.find(({ definition }) => proposalHash(definition) === hash);
      if (run === undefined) continue;
      run.restore(ofRule.any(), nowMs);
      restored++;
    }
    return restored;
  }

  /** What is kept of a metric goes on while its pipeline does. */
  private loadKept({ pipelines }: Program, nowMs: number): void {
    const kept: KeptMetric[] = [];
    for (const { metric, keepMs } of pipelines) {
      if (keepMs === undefined) continue;
      const same = this.#kept.find((one) => one.metric === metric && one.keepMs === keepMs);
      kept.push(same ?? new KeptMetric(metric, keepMs, nowMs));
    }
    this.#kept = kept;
  }

  private loadSettings(program: Program): void {
    this.#settings.clear();
    for (const { setting } of program.outputs) if (setting !== undefined) this.learn(setting);
    for (const rule of program.rules) this.learnFor(rule);
    for (const proposal of program.proposals ?? none) this.learnFor(proposal);
  }

  private learnFor({ threshold, as }: Condition): void {
    if (typeof threshold === "string") this.learn(threshold);
    if (as !== undefined) this.learn(as);
  }

  private learn(key: string): void {
    this.#settings.set(key, this.#parts.settings.get(key));
  }

  private pipeline(definition: Pipeline, nowMs: number): PipelineRun {
    const same = this.#pipelines.find((run) => isSamePipeline(run.definition, definition));
    same?.goOnAs(definition);
    return same ?? new PipelineRun(definition, this.#parts.sensors, this, nowMs);
  }

  private rule(definition: Rule): RuleRun {
    const same = this.#rules.find((run) => isSameRule(run.definition, definition));
    return same ?? new ConditionRun(definition, this.threshold(definition));
  }

  private loadProposals({ proposals }: Program): void {
    if (proposals === undefined && this.#proposals.length === 0) return;
    this.#proposals = (proposals ?? none).map((definition) => {
      const same = this.#proposals.find((run) => isSameProposal(run.definition, definition));
      return same ?? new ProposalRun(definition, this.threshold(definition));
    });
  }

  /** Of what the value of `key` is part. */
  private judgeAnew(runs: readonly ConditionRun[], key: string, nowMs: number): void {
    for (let i = 0; i < runs.length; i++) {
      const { definition } = runs[i]!;
      if (definition.threshold !== key && definition.as !== key) continue;
      runs[i]!.onThreshold(this.threshold(definition), nowMs);
    }
  }

  /** Gives back what the new program does not name before it claims what it does: a pin may have another name now. */
  private loadOutputs(definitions: readonly Output[]): void {
    const kept: OutputRun[] = [];
    for (const run of this.#outputs) {
      if (definitions.some((definition) => isSameOutput(run.definition, definition))) kept.push(run);
      else run.release();
    }
    const outputs: OutputRun[] = [];
    for (const definition of definitions) {
      const same = kept.find((run) => run.definition.name === definition.name);
      if (same !== undefined) outputs.push(same);
      else this.claim(definition, outputs);
    }
    this.#outputs = outputs;
    this.#outputChanges++;
  }

  private claim(definition: Output, into: OutputRun[]): void {
    try {
      into.push(new OutputRun(definition, this.#parts.actuators));
    } catch (error) {
      this.#parts.onOutputRefused(definition.name, error instanceof Error ? error.message : `${error}`);
    }
  }

  private settle(): void {
    this.decide();
    this.setDue();
  }

  /** To be called after pipelines, rules, proposals or schedules were made, run, restored or judged anew: nothing else changes their deadlines. */
  private setDue(): void {
    const sampleMs = earliest(this.#pipelines, Infinity);
    const judgeMs = earliest(this.#proposals, earliest(this.#rules, sampleMs));
    this.dueMs = earliest(this.#schedules, judgeMs);
  }

  private decide(): void {
    for (let i = 0; i < this.#outputs.length; i++) {
      const output = this.#outputs[i]!;
      const { setting } = output.definition;
      const value = setting === undefined ? undefined : this.#settings.get(setting);
      const held = this.#acting?.heldValue(output.definition.name) ?? NaN;
      if (output.decide(this.#rules, this.#schedules, value, held)) this.#outputChanges++;
    }
  }

  /** NaN for one that is to rest: it is unknown, or another board is named. */
  private threshold({ threshold, as }: Condition): number {
    if (as !== undefined && this.#settings.get(as) !== this.#parts.board) return NaN;
    if (typeof threshold === "number") return threshold;
    const value = this.#settings.get(threshold);
    return typeof value === "number" ? value : NaN;
  }
}

/** Stands where the hash of a pipeline stands in other parts of a checkpoint. */
const rulesPart = "rules";

const none: readonly never[] = Object.freeze([]);

function tell(runs: readonly ConditionRun[], metric: string, value: number, takenMs: number): void {
  for (let i = 0; i < runs.length; i++) {
    if (runs[i]!.definition.metric === metric) runs[i]!.onReading(value, takenMs);
  }
}

/** When the first of them has something to do, `byMs` at the latest. Without `for of`, here and wherever each turn passes: it takes 128 bytes. */
function earliest(runs: readonly { readonly dueMs: number }[], byMs: number): number {
  let earliestMs = byMs;
  for (let i = 0; i < runs.length; i++) {
    const { dueMs } = runs[i]!;
    if (dueMs < earliestMs) earliestMs = dueMs;
  }
  return earliestMs;
}
