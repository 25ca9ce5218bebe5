import { ItemReader, ShapeError } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import type { Quality } from "../../protocols/messages/board-messages.ts";
import type { Pipeline } from "../../protocols/pipeline/program.ts";
import type { Sensors } from "../platform/ports.ts";
import { type Filter, filterFor } from "./filter.ts";

/** Told of each reading that leaves a pipeline. */
export interface ReadingSink {
  onReading(metric: string, takenMs: number, value: number, quality: Quality): void;
}

/** How often a sensor that goes on giving nothing is reported. */
export const missingEveryMs = 10_000;

/** A pipeline at work: samples its sensor on a steady grid of time and passes each value through its stages. */
export class PipelineRun {
  readonly definition: Pipeline;
  /** When `run` has something to do. Kept, not worked out, because every turn of the board asks for it. */
  dueMs: number;
  readonly #sensors: Sensors;
  readonly #sink: ReadingSink;
  #filters: readonly Filter[];
  #nextSampleMs: number;
  /** When the sensor's silence may be reported; -Infinity while it speaks. */
  #missingDueMs = -Infinity;

  constructor(definition: Pipeline, sensors: Sensors, sink: ReadingSink, nowMs: number) {
    this.definition = definition;
    this.#sensors = sensors;
    this.#sink = sink;
    this.#filters = definition.stages.map(filterFor);
    this.#nextSampleMs = nowMs;
    this.dueMs = nowMs;
  }

  /** Does what is due and gives the number of samples taken, 0 or 1. */
  run(nowMs: number): number {
    const samples = this.doDue(nowMs);
    this.setDue();
    return samples;
  }

  /** What its filters hold, for a checkpoint. */
  save(nowMs: number): CborValue {
    const states: CborValue[] = [];
    for (const filter of this.#filters) states.push(filter.save(nowMs));
    return states;
  }

  /** Takes up what a pipeline of the same definition saved; all of it or, when that is not what one saves, nothing. */
  restore(state: CborValue, nowMs: number): boolean {
    try {
      const items = new ItemReader(state, "checkpoint", "filters", this.#filters.length);
      for (const filter of this.#filters) filter.restore(items.any(), nowMs);
      return true;
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.#filters = this.definition.stages.map(filterFor);
      return false;
    } finally {
      this.setDue();
    }
  }

  private setDue(): void {
    let dueMs = this.#nextSampleMs;
    for (let i = 0; i < this.#filters.length; i++) dueMs = Math.min(dueMs, this.#filters[i]!.dueMs);
    this.dueMs = dueMs;
  }

  private doDue(nowMs: number): number {
    for (let i = 0; i < this.#filters.length; i++) {
      const filter = this.#filters[i]!;
      const { dueMs } = filter;
      if (dueMs <= nowMs) this.pass(filter.advance(), dueMs, i + 1);
    }
    if (this.#nextSampleMs > nowMs) return 0;
    this.#nextSampleMs += this.definition.everyMs;
    if (this.#nextSampleMs <= nowMs) {
      // Late by a period or more: the samples that were missed are gone, the grid stays.
      const { everyMs } = this.definition;
      this.#nextSampleMs += (Math.floor((nowMs - this.#nextSampleMs) / everyMs) + 1) * everyMs;
    }
    this.sample(nowMs);
    return 1;
  }

  private sample(nowMs: number): void {
    const value = this.#sensors.read(this.definition.sensor);
    if (!Number.isNaN(value)) {
      this.#missingDueMs = -Infinity;
      this.pass(value, nowMs, 0);
    } else if (nowMs >= this.#missingDueMs) {
      // Filters see only values; that there is none goes past them.
      this.#missingDueMs = nowMs + missingEveryMs;
      this.#sink.onReading(this.definition.metric, nowMs, NaN, 1);
    }
  }

  private pass(value: number, atMs: number, fromStage: number): void {
    let passing = value;
    for (let i = fromStage; i < this.#filters.length; i++) {
      if (Number.isNaN(passing)) return;
      passing = this.#filters[i]!.push(passing, atMs);
    }
    if (!Number.isNaN(passing)) this.#sink.onReading(this.definition.metric, atMs, passing, 0);
  }
}
