import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Quality } from "../../../protocols/messages/board-messages.ts";
import { HalfSpaces } from "../../../protocols/model/half-spaces.ts";
import type { Model } from "../../../protocols/model/model.ts";
import type { ModelUse, RegressionUse } from "../../../protocols/pipeline/model-use.ts";
import { type RowWork, workFor } from "../joining/row-work.ts";
import { FeatureRow } from "./feature-row.ts";
import { RecursiveLeastSquares } from "./recursive-least-squares.ts";

/** A model at work: readings come, and of each whole row something is said. */
export class ModelRun {
  readonly definition: ModelUse;
  /** What it says of the last whole row; NaN for nothing. */
  value = NaN;
  readonly #row: FeatureRow;
  /** Of what is not learned; undefined of models. */
  readonly #work: RowWork | undefined;
  /** undefined of a trained one while the state does not hold it. */
  #model: Model | RecursiveLeastSquares | undefined;

  /** Of a regression `model` is not asked for. */
  constructor(definition: ModelUse, model: Model | undefined) {
    this.definition = definition;
    const { features, waits } = definition;
    if (definition.kind === "trained") {
      this.#row = new FeatureRow(features, waits);
      this.#model = model;
    } else if (definition.kind === "regression") {
      this.#row = new FeatureRow([...features, definition.target], waits);
      this.#model = new RecursiveLeastSquares(features.length, definition.memory);
    } else {
      this.#row = new FeatureRow(
        features,
        waits,
        definition.kind === "group" ? Infinity : definition.withinMs,
      );
      this.#work = workFor(definition);
    }
  }

  get isMissing(): boolean {
    return this.#model === undefined && this.#work === undefined;
  }

  /** What it says is of values of which one came late. */
  get isLate(): boolean {
    return this.#row.isLate;
  }

  install(model: Model): void {
    this.#model = model;
  }

  /** Takes a reading, of whatever metric; true when it has something to say. */
  take(metric: string, atMs: number, value: number, quality: Quality): boolean {
    if (!this.#row.take(metric, atMs, value, quality)) return false;
    const { definition } = this;
    const model = this.#model;
    if (this.#work !== undefined) this.value = this.#work.take(this.#row.values, atMs);
    else if (model === undefined) return false;
    else if (model instanceof RecursiveLeastSquares)
      this.value = this.regress(model, definition as RegressionUse);
    else this.value = this.judge(model);
    return !Number.isNaN(this.value);
  }

  /** [row, what it has learned or holds, or null], for a checkpoint. */
  save(nowMs: number): CborValue {
    const model = this.#model;
    const held = this.isLearning(model) ? model.save() : (this.#work?.save(nowMs) ?? null);
    return [this.#row.save(nowMs), held];
  }

  /** Takes up what a model of the same definition saved; all of it or, when that is not what one saves, nothing. */
  restore(state: CborValue, nowMs: number): boolean {
    try {
      const items = new ItemReader(state, "checkpoint", "model", 2);
      const row = items.any();
      const learned = items.any();
      const model = this.#model;
      if (this.isLearning(model)) model.restore(learned);
      this.#work?.restore(learned, nowMs);
      this.#row.restore(row, nowMs);
      return true;
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      return false;
    }
  }

  private judge(model: Model): number {
    const { definition } = this;
    if (definition.kind !== "trained") return NaN;
    const decided = model.decide(this.#row.values);
    if (!(model instanceof HalfSpaces)) {
      return definition.ofClass === undefined ? decided : model.score(definition.ofClass);
    }
    // Before its first window is full, it would take all for anomalous.
    const score = model.isReady ? model.score(0) : NaN;
    if (definition.learns) model.learn();
    return score;
  }

  private regress(model: RecursiveLeastSquares, { features, gives }: RegressionUse): number {
    const { values } = this.#row;
    const target = values[features.length]!;
    const { isReady } = model;
    const predicted = model.learn(values, target);
    if (!isReady) return NaN;
    return gives === "prediction" ? predicted : target - predicted;
  }

  private isLearning(
    model: Model | RecursiveLeastSquares | undefined,
  ): model is RecursiveLeastSquares | HalfSpaces {
    if (model instanceof RecursiveLeastSquares) return true;
    const { definition } = this;
    return definition.kind === "trained" && definition.learns && model instanceof HalfSpaces;
  }
}
