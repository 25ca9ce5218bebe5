import { ItemReader, ShapeError } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { Quality } from "../../protocols/messages/board-messages.ts";
import { type Pipeline, programLimits } from "../../protocols/pipeline/program.ts";
import type { Block } from "../../protocols/series/block.ts";
import type { Sensors } from "../platform/ports.ts";
import { BatchRun } from "./batch-run.ts";
import { isSameBatch } from "./same-definition.ts";
import { type Filter, filterFor } from "./stages/filter.ts";

/** Told of each reading that leaves a pipeline. */
export interface ReadingSink {
  /** `isPacked`: it is in a block, or will be, and is not to be reported by itself. */
  onReading(metric: string, takenMs: number, value: number, quality: Quality, isPacked: boolean): void;
  onBlock(metric: string, block: Block): void;
}

/** How often it is said of a sensor that it goes on giving nothing, or nothing good. */
export const faultEveryMs = 10_000;

/** A pipeline at work: samples its sensor on a steady grid of time and passes each value through its stages. */
export class PipelineRun {
  #definition: Pipeline;
  /** When `run` has something to do. Kept, not worked out, because every turn of the board asks for it. */
  dueMs: number;
  readonly #sensors: Sensors;
  readonly #sink: ReadingSink;
  #batch: BatchRun | undefined;
  #filters: readonly Filter[];
  #nextSampleMs: number;
  /** What is wrong with the samples; 0 while nothing is. */
  #fault: Quality = 0;
  /** When that may be reported again. */
  #faultDueMs = 0;
  /** Bit i: stage i has taken a value that came late since something last left it. */
  #late = 0;

  constructor(definition: Pipeline, sensors: Sensors, sink: ReadingSink, nowMs: number) {
    this.#definition = definition;
    this.#sensors = sensors;
    this.#sink = sink;
    this.#batch = batchOf(definition);
    this.#filters = definition.stages.map(filterFor);
    this.#nextSampleMs = nowMs;
    this.dueMs = nowMs;
  }

  get definition(): Pipeline {
    return this.#definition;
  }

  /** Goes on as `definition`, which is the same pipeline but for how it reports. */
  goOnAs(definition: Pipeline): void {
    const isSame = isSameBatch(this.#definition.batch, definition.batch);
    this.#definition = definition;
    if (isSame) return;
    this.flush();
    this.#batch = batchOf(definition);
    this.setDue();
  }

  /** Does what is due and gives the number of samples taken, 0 or 1. */
  run(nowMs: number): number {
    const samples = this.doDue(nowMs);
    this.setDue();
    return samples;
  }

  /** Lets go of the block that is being filled. */
  flush(): void {
    this.hand(this.#batch?.take());
  }

  /** What its filters hold, for a checkpoint, after which of them have taken a late value. */
  save(nowMs: number): CborValue {
    const states: CborValue[] = [this.#late];
    for (const filter of this.#filters) states.push(filter.save(nowMs));
    return states;
  }

  /** Takes up what a pipeline of the same definition saved; all of it or, when that is not what one saves, nothing. */
  restore(state: CborValue, nowMs: number): boolean {
    try {
      const items = new ItemReader(state, "checkpoint", "filters", this.#filters.length + 1);
      this.#late = items.integer("the late", 0, 2 ** programLimits.stagesMax - 1);
      for (const filter of this.#filters) filter.restore(items.any(), nowMs);
      return true;
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.#filters = this.definition.stages.map(filterFor);
      this.#late = 0;
      return false;
    } finally {
      this.setDue();
    }
  }

  private setDue(): void {
    let dueMs = this.#nextSampleMs;
    for (let i = 0; i < this.#filters.length; i++) dueMs = Math.min(dueMs, this.#filters[i]!.dueMs);
    if (this.#batch !== undefined) dueMs = Math.min(dueMs, this.#batch.dueMs);
    this.dueMs = dueMs;
  }

  private doDue(nowMs: number): number {
    for (let i = 0; i < this.#filters.length; i++) {
      const filter = this.#filters[i]!;
      const { dueMs } = filter;
      if (dueMs <= nowMs) this.leave(filter.advance(), dueMs, i);
    }
    if (this.#batch !== undefined && this.#batch.dueMs <= nowMs) this.flush();
    if (this.#nextSampleMs > nowMs) return 0;
    this.#nextSampleMs += this.definition.everyMs;
    const isLate = this.#nextSampleMs <= nowMs;
    if (isLate) {
      // Late by a period or more: the samples that were missed are gone, the grid stays.
      const { everyMs } = this.definition;
      this.#nextSampleMs += (Math.floor((nowMs - this.#nextSampleMs) / everyMs) + 1) * everyMs;
    }
    this.sample(nowMs, isLate);
    return 1;
  }

  private sample(nowMs: number, isLate: boolean): void {
    const value = this.#sensors.read(this.definition.sensor);
    if (!Number.isFinite(value)) this.refuse(NaN, nowMs, 1);
    else if (this.pass(value, nowMs, 0, isLate)) this.#fault = 0;
  }

  /** A filter lets go of `value`, or of nothing, and with it of the mark that it has taken a late one. */
  private leave(value: number, atMs: number, stage: number): void {
    if (Number.isNaN(value)) return;
    const mark = 1 << stage;
    const isLate = (this.#late & mark) !== 0;
    this.#late &= ~mark;
    this.pass(value, atMs, stage + 1, isLate);
  }

  /** False for a value that a stage has refused. */
  private pass(value: number, atMs: number, fromStage: number, isLate: boolean): boolean {
    let passing = value;
    let late = isLate;
    for (let i = fromStage; i < this.#filters.length; i++) {
      const filter = this.#filters[i]!;
      const mark = 1 << i;
      if (late) this.#late |= mark;
      const given = passing;
      passing = filter.push(given, atMs);
      if (Number.isNaN(passing)) {
        if (filter.fault === undefined) return true;
        this.refuse(given, atMs, filter.fault);
        return false;
      }
      late = (this.#late & mark) !== 0;
      this.#late &= ~mark;
    }
    if (Number.isFinite(passing)) this.emit(passing, atMs, late);
    else this.refuse(passing, atMs, 2);
    return Number.isFinite(passing);
  }

  /** A block says nothing of quality: what is not good goes by itself. */
  private emit(value: number, atMs: number, isLate: boolean): void {
    const isPacked = this.#batch !== undefined && !isLate;
    if (isPacked) this.hand(this.#batch!.push(atMs, value));
    this.#sink.onReading(this.definition.metric, atMs, value, isLate ? 4 : 0, isPacked);
  }

  private hand(block: Block | undefined): void {
    if (block !== undefined) this.#sink.onBlock(this.definition.metric, block);
  }

  /** What a filter must not see goes past those that follow, and is said now and, while it stays so, once in `faultEveryMs`. */
  private refuse(value: number, nowMs: number, fault: Quality): void {
    if (fault === this.#fault && nowMs < this.#faultDueMs) return;
    this.#fault = fault;
    this.#faultDueMs = nowMs + faultEveryMs;
    this.#sink.onReading(this.definition.metric, nowMs, value, fault, false);
  }
}

function batchOf({ batch, everyMs }: Pipeline): BatchRun | undefined {
  return batch === undefined ? undefined : new BatchRun(batch, everyMs);
}
