import { largest, softmaxAt } from "./exponential.ts";
import { type Model, modelLimits } from "./model.ts";
import { type PackedReader, packModel } from "./packed.ts";

/**
 * Naive Bayes with normal distributions: the logarithm of a class's likelihood is a constant less a weighted square for each feature.
 *
 * Head: features, classes. Table: of each class, its constant (ln prior - sum of ln(sigma sqrt(2 pi))), then of each feature mean and 1 / (2 sigma²).
 */
export class Bayes implements Model {
  readonly kind = "bayes";
  readonly features: number;
  readonly classes: number;
  readonly #table: Float32Array;
  readonly #scores: Float64Array;

  constructor(reader: PackedReader) {
    this.features = reader.integer("features", 1, modelLimits.featuresMax);
    this.classes = reader.integer("classes", 2, modelLimits.classesMax);
    this.#table = reader.floats("distributions", this.classes * (1 + 2 * this.features));
    this.#scores = new Float64Array(this.classes);
  }

  decide(row: Float64Array): number {
    const table = this.#table;
    const scores = this.#scores;
    for (let i = 0, at = 0; i < scores.length; i++) {
      let sum = table[at++]!;
      for (let j = 0; j < row.length; j++) {
        const off = row[j]! - table[at++]!;
        sum -= off * off * table[at++]!;
      }
      scores[i] = sum;
    }
    return largest(scores);
  }

  score(ofClass: number): number {
    return softmaxAt(this.#scores, ofClass);
  }
}

/** `table` as the class has it. */
export function packBayes(features: number, classes: number, table: Float32Array): Uint8Array {
  return packModel("bayes", [features, classes], [table]);
}
