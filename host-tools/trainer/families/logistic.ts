/** Logistic regression: the weights that make what was seen likeliest, less what keeps them small (L2), by gradient descent with momentum. */
import { scoresOf } from "../../../protocols/model/boosted.ts";
import { packLogistic } from "../../../protocols/model/logistic.ts";
import type { Dataset } from "../dataset.ts";
import { type Scale, scaleOf, standardised } from "../scaling.ts";

export interface LogisticOptions {
  /** What weights' squares cost beside the likelihood of all rows; 1 is scikit-learn's default. */
  readonly regularisation: number;
  readonly iterations: number;
}

export function trainLogistic(data: Dataset, options: LogisticOptions): Uint8Array {
  const scale = scaleOf(data.rows);
  const rows = data.rows.map((row) => standardised(row, scale));
  const features = data.features.length;
  const classes = data.classes.length;
  const scores = scoresOf(classes);
  const width = features + 1;
  const weights = new Float64Array(scores * width);
  const velocity = new Float64Array(weights.length);
  const gradient = new Float64Array(weights.length);
  // The likelihood's second derivative is at most this, with standardised features: so steps never overshoot.
  const rate = 1 / (0.25 * width + options.regularisation / rows.length);
  for (let i = 0; i < options.iterations; i++) {
    const momentum = i / (i + 3);
    for (let at = 0; at < weights.length; at++) weights[at]! += momentum * velocity[at]!;
    gradient.fill(0);
    for (const [r, row] of rows.entries()) {
      const shares = sharesOf(weights, row, scores);
      for (let of = 0; of < scores; of++) {
        const isOfIt = data.labels[r] === (scores === 1 ? 1 : of) ? 1 : 0;
        const error = (shares[of]! - isOfIt) / rows.length;
        gradient[of * width]! += error;
        for (let j = 0; j < features; j++) gradient[of * width + 1 + j]! += error * row[j]!;
      }
    }
    for (let at = 0; at < weights.length; at++) {
      const pull = at % width === 0 ? 0 : (options.regularisation * weights[at]!) / rows.length;
      const step = -rate * (gradient[at]! + pull);
      velocity[at] = momentum * velocity[at]! + step;
      weights[at]! += step;
    }
  }
  return logisticOf(features, classes, weights, scale);
}

/** Packs weights for standardised features, as weights for features as they come. */
export function logisticOf(
  features: number,
  classes: number,
  weights: Float64Array,
  { means, deviations }: Scale,
): Uint8Array {
  const width = features + 1;
  const packed = new Float32Array(weights.length);
  for (let at = 0; at < weights.length; at += width) {
    let bias = weights[at]!;
    for (let j = 0; j < features; j++) {
      packed[at + 1 + j] = weights[at + 1 + j]! / deviations[j]!;
      bias -= packed[at + 1 + j]! * means[j]!;
    }
    packed[at] = bias;
  }
  return packLogistic(features, classes, packed);
}

function sharesOf(weights: Float64Array, row: Float64Array, scores: number): Float64Array {
  const width = row.length + 1;
  const sums = new Float64Array(scores);
  for (let of = 0; of < scores; of++) {
    let sum = weights[of * width]!;
    for (let j = 0; j < row.length; j++) sum += weights[of * width + 1 + j]! * row[j]!;
    sums[of] = sum;
  }
  if (scores === 1) return Float64Array.of(1 / (1 + Math.exp(-sums[0]!)));
  const highest = Math.max(...sums);
  const powers = sums.map((sum) => Math.exp(sum - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
