import { type Model, modelLimits } from "./model.ts";
import { type PackedReader, packModel } from "./packed.ts";

/**
 * The clusters of k-means: a row belongs to the centre that is nearest once every feature has been scaled.
 *
 * Head: features, clusters. Tables: of each feature what it is multiplied by; the centres, so multiplied.
 */
export class Clusters implements Model {
  readonly kind = "clusters";
  readonly features: number;
  readonly classes: number;
  readonly #gains: Float32Array;
  readonly #centres: Float32Array;
  readonly #row: Float64Array;
  #distance = 0;

  constructor(reader: PackedReader) {
    this.features = reader.integer("features", 1, modelLimits.featuresMax);
    this.classes = reader.integer("clusters", 1, modelLimits.classesMax);
    this.#gains = reader.floats("gains", this.features);
    this.#centres = reader.floats("centres", this.classes * this.features);
    this.#row = new Float64Array(this.features);
  }

  decide(row: Float64Array): number {
    const centres = this.#centres;
    const gains = this.#gains;
    const scaled = this.#row;
    for (let j = 0; j < scaled.length; j++) scaled[j] = row[j]! * gains[j]!;
    let best = 0;
    let nearest = Infinity;
    for (let i = 0, at = 0; i < this.classes; i++) {
      let sum = 0;
      for (let j = 0; j < scaled.length; j++) {
        const off = scaled[j]! - centres[at++]!;
        sum += off * off;
      }
      if (sum < nearest) {
        nearest = sum;
        best = i;
      }
    }
    this.#distance = nearest;
    return best;
  }

  score(_ofClass: number): number {
    return Math.sqrt(this.#distance);
  }
}

export function packClusters(clusters: number, gains: Float32Array, centres: Float32Array): Uint8Array {
  return packModel("clusters", [gains.length, clusters], [gains, centres]);
}
