import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { Quality } from "../../../protocols/messages/board-messages.ts";
import { HalfSpaces } from "../../../protocols/model/half-spaces.ts";
import type { Model } from "../../../protocols/model/model.ts";
import type { ModelUse, RegressionUse } from "../../../protocols/pipeline/model-use.ts";
import { FeatureRow } from "./feature-row.ts";
import { RecursiveLeastSquares } from "./recursive-least-squares.ts";

/** A model at work: readings come, and of each whole row something is said. */
export class ModelRun {
  readonly definition: ModelUse;
  /** What it says of the last whole row; NaN for nothing. */
  value = NaN;
  readonly #row: FeatureRow;
  /** undefined of a trained one while the state does not hold it. */
  #model: Model | RecursiveLeastSquares | undefined;

  /** Of a regression `model` is not asked for. */
  constructor(definition: ModelUse, model: Model | undefined) {
    this.definition = definition;
    const { features, waits } = definition;
    if (definition.kind === "trained") {
      this.#row = new FeatureRow(features, waits);
      this.#model = model;
    } else {
      this.#row = new FeatureRow([...features, definition.target], waits);
      this.#model = new RecursiveLeastSquares(features.length, definition.memory);
    }
  }

  get isMissing(): boolean {
    return this.#model === undefined;
  }

  /** What it says is of values of which one came late. */
  get isLate(): boolean {
    return this.#row.isLate;
  }

  install(model: Model): void {
    this.#model = model;
  }

  /** Takes a reading, of whatever metric; true when it has something to say. */
  take(metric: string, value: number, quality: Quality): boolean {
    if (!this.#row.take(metric, value, quality)) return false;
    const { definition } = this;
    const model = this.#model;
    if (model === undefined) return false;
    if (model instanceof RecursiveLeastSquares) this.value = this.regress(model, definition as RegressionUse);
    else this.value = this.judge(model);
    return !Number.isNaN(this.value);
  }

  /** [row, what it has learned or null], for a checkpoint. */
  save(): CborValue {
    const model = this.#model;
    return [this.#row.save(), this.isLearning(model) ? model.save() : null];
  }

  /** Takes up what a model of the same definition saved; all of it or, when that is not what one saves, nothing. */
  restore(state: CborValue): boolean {
    try {
      const items = new ItemReader(state, "checkpoint", "model", 2);
      const row = items.any();
      const learned = items.any();
      const model = this.#model;
      if (this.isLearning(model)) model.restore(learned);
      this.#row.restore(row);
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
