import { exponential, largest, softmaxAt } from "./exponential.ts";
import { type Model, modelLimits } from "./model.ts";
import { type PackedReader, packModel } from "./packed.ts";
import { int16Max, Quantiser } from "./quantiser.ts";
import { leafNumberMax, leafOf, type TreeNode, treeRoots, treeWords } from "./trees.ts";

/** What is taken from a leaf's number, so that it may be below 0. */
export const leafZero = 16_384;

/**
 * Gradient-boosted trees: what the leaves say adds up to a score. Of two classes there is one, above 0 for the second; of more there is one
 * for each, and tree `i` is of class `i` modulo their number.
 *
 * Head: features, classes, trees, words. Tables: quantiser; where each score begins, and the step of the leaves; words.
 */
export class Boosted implements Model {
  readonly kind = "boosted";
  readonly features: number;
  readonly classes: number;
  readonly #quantiser: Quantiser;
  readonly #bases: Float32Array;
  readonly #words: Int16Array;
  readonly #roots: Uint16Array;
  readonly #row: Int16Array;
  readonly #sums: Int32Array;
  readonly #scores: Float64Array;

  constructor(reader: PackedReader) {
    const features = reader.integer("features", 1, modelLimits.featuresMax);
    const classes = reader.integer("classes", 2, modelLimits.classesMax);
    const trees = reader.integer("trees", 1, modelLimits.treesMax);
    const words = reader.integer("words", trees, modelLimits.bytesMax / 2);
    const scores = scoresOf(classes);
    this.features = features;
    this.classes = classes;
    this.#quantiser = new Quantiser(reader.floats("quantiser", 2 * features), int16Max);
    this.#bases = reader.floats("bases", scores + 1);
    this.#words = reader.int16s("words", words);
    this.#roots = treeRoots(reader, this.#words, trees, features, leafNumberMax + 1);
    this.#row = new Int16Array(features);
    this.#sums = new Int32Array(scores);
    this.#scores = new Float64Array(scores);
  }

  decide(row: Float64Array): number {
    const words = this.#words;
    const roots = this.#roots;
    const sums = this.#sums;
    const scores = this.#scores;
    const bases = this.#bases;
    const quantised = this.#row;
    this.#quantiser.quantise(row, quantised);
    sums.fill(0);
    for (let tree = 0, of = 0; tree < roots.length; tree++) {
      sums[of]! += leafOf(words, roots[tree]!, quantised) - leafZero;
      if (++of === sums.length) of = 0;
    }
    const step = bases[sums.length]!;
    for (let i = 0; i < sums.length; i++) scores[i] = bases[i]! + sums[i]! * step;
    if (scores.length > 1) return largest(scores);
    return scores[0]! > 0 ? 1 : 0;
  }

  score(ofClass: number): number {
    const scores = this.#scores;
    if (scores.length > 1) return softmaxAt(scores, ofClass);
    return 1 / (1 + exponential(ofClass === 1 ? -scores[0]! : scores[0]!));
  }
}

/** Scores that tell so many classes apart. */
export function scoresOf(classes: number): number {
  return classes === 2 ? 1 : classes;
}

export interface BoostedParts {
  readonly quantiser: Float32Array;
  readonly classes: number;
  /** Leaves are numbers of steps, plus `leafZero`. */
  readonly trees: readonly TreeNode[];
  /** Where each score begins. */
  readonly bases: readonly number[];
  readonly step: number;
}

/** Throws `TreeTooLarge`. */
export function packBoosted({ quantiser, classes, trees, bases, step }: BoostedParts): Uint8Array {
  const words = Int16Array.from(trees.flatMap(treeWords));
  const head = [quantiser.length / 2, classes, trees.length, words.length];
  return packModel("boosted", head, [quantiser, Float32Array.of(...bases, step), words]);
}
