import { scoresOf } from "./boosted.ts";
import { exponential, largest, softmaxAt } from "./exponential.ts";
import { type Model, modelLimits } from "./model.ts";
import { type PackedReader, packModel } from "./packed.ts";

/**
 * Logistic regression: a score is a weighted sum. One score for two classes, above 0 for the second; else one for each.
 *
 * Head: features, classes. Table: of each score, its bias and its weights, for features as they come.
 */
export class Logistic implements Model {
  readonly kind = "logistic";
  readonly features: number;
  readonly classes: number;
  readonly #weights: Float32Array;
  readonly #scores: Float64Array;

  constructor(reader: PackedReader) {
    this.features = reader.integer("features", 1, modelLimits.featuresMax);
    this.classes = reader.integer("classes", 2, modelLimits.classesMax);
    const scores = scoresOf(this.classes);
    this.#weights = reader.floats("weights", scores * (this.features + 1));
    this.#scores = new Float64Array(scores);
  }

  decide(row: Float64Array): number {
    const weights = this.#weights;
    const scores = this.#scores;
    for (let i = 0, at = 0; i < scores.length; i++) {
      let sum = weights[at++]!;
      for (let j = 0; j < row.length; j++) sum += weights[at++]! * row[j]!;
      scores[i] = sum;
    }
    if (scores.length > 1) return largest(scores);
    return scores[0]! > 0 ? 1 : 0;
  }

  score(ofClass: number): number {
    const scores = this.#scores;
    if (scores.length > 1) return softmaxAt(scores, ofClass);
    return 1 / (1 + exponential(ofClass === 1 ? -scores[0]! : scores[0]!));
  }
}

/** `weights`: of each score, its bias and a weight for each feature. */
export function packLogistic(features: number, classes: number, weights: Float32Array): Uint8Array {
  return packModel("logistic", [features, classes], [weights]);
}
