/** Gaussian naive Bayes: of each class and feature the mean and the variance. */
import { packBayes } from "../../../protocols/model/bayes.ts";
import type { Dataset } from "../dataset.ts";
import { rowsOf } from "../dataset.ts";
import { scaleOf } from "../scaling.ts";

/** Added to every variance, as a part of the largest feature's: a feature that never changes in a class would rule all others out. */
const smoothing = 1e-9;

export interface Normal {
  readonly prior: number;
  readonly means: readonly number[];
  readonly variances: readonly number[];
}

export function trainBayes(data: Dataset): Uint8Array {
  const added = smoothing * Math.max(...scaleOf(data.rows).deviations.map((deviation) => deviation ** 2));
  const normals = data.classes.map((_, of): Normal => {
    const places = data.labels.flatMap((label, row) => (label === of ? [row] : []));
    if (places.length === 0)
      return { prior: 0, means: data.features.map(() => 0), variances: data.features.map(() => 1) };
    const { rows } = rowsOf(data, places);
    const { means } = scaleOf(rows);
    const variances = means.map((mean, j) => {
      return rows.reduce((sum, row) => sum + (row[j]! - mean) ** 2, 0) / rows.length + added;
    });
    return { prior: places.length / data.rows.length, means, variances };
  });
  return bayesOf(data.features.length, normals);
}

export function bayesOf(features: number, normals: readonly Normal[]): Uint8Array {
  const table = normals.flatMap(({ prior, means, variances }) => {
    // As float32: what does not fit would be infinite.
    const parts = variances.map((variance) => Math.min(1e30, 1 / (2 * Math.max(variance, 1e-30))));
    const constant = parts.reduce(
      (sum, part) => sum + Math.log(part / Math.PI) / 2,
      Math.log(prior || 1e-30),
    );
    return [constant, ...means.flatMap((mean, j) => [mean, parts[j]!])];
  });
  return packBayes(features, normals.length, Float32Array.from(table));
}
