import { largest } from "./exponential.ts";
import { type Model, modelLimits } from "./model.ts";
import { type PackedReader, packModel } from "./packed.ts";
import { int16Max, Quantiser } from "./quantiser.ts";
import { leafNumberMax, leafOf, type TreeNode, treeRoots, treeWords } from "./trees.ts";

/**
 * A decision tree, or several that vote. A leaf below the number of classes is that class; a further one is a row of the table of leaves, which shares
 * its vote among the classes.
 *
 * Head: features, classes, trees, words, rows of leaves. Tables: quantiser; words; leaves, a byte a class.
 */
export class Forest implements Model {
  readonly kind = "forest";
  readonly features: number;
  readonly classes: number;
  readonly #quantiser: Quantiser;
  readonly #words: Int16Array;
  readonly #leaves: Uint8Array;
  readonly #roots: Uint16Array;
  readonly #row: Int16Array;
  readonly #votes: Int32Array;

  constructor(reader: PackedReader) {
    const features = reader.integer("features", 1, modelLimits.featuresMax);
    const classes = reader.integer("classes", 2, modelLimits.classesMax);
    const trees = reader.integer("trees", 1, modelLimits.treesMax);
    const words = reader.integer("words", trees, modelLimits.bytesMax / 2);
    const rows = reader.integer("rows of leaves", 0, leafNumberMax - classes);
    this.features = features;
    this.classes = classes;
    this.#quantiser = new Quantiser(reader.floats("quantiser", 2 * features), int16Max);
    this.#words = reader.int16s("words", words);
    this.#leaves = reader.uint8s("leaves", rows * classes);
    this.#roots = treeRoots(reader, this.#words, trees, features, classes + rows);
    this.#row = new Int16Array(features);
    this.#votes = new Int32Array(classes);
  }

  decide(row: Float64Array): number {
    const votes = this.#votes;
    const words = this.#words;
    const roots = this.#roots;
    const quantised = this.#row;
    this.#quantiser.quantise(row, quantised);
    votes.fill(0);
    for (let tree = 0; tree < roots.length; tree++) {
      const leaf = leafOf(words, roots[tree]!, quantised);
      if (leaf < votes.length) votes[leaf]! += wholeVote;
      else this.share(leaf - votes.length);
    }
    return largest(votes);
  }

  score(ofClass: number): number {
    return this.#votes[ofClass]! / (wholeVote * this.#roots.length);
  }

  private share(row: number): void {
    const votes = this.#votes;
    const leaves = this.#leaves;
    for (let i = 0, at = row * votes.length; i < votes.length; i++) votes[i]! += leaves[at++]!;
  }
}

/** What the votes of a leaf add up to. */
export const wholeVote = 255;

export interface ForestParts {
  readonly quantiser: Float32Array;
  readonly classes: number;
  readonly trees: readonly TreeNode[];
  /** `classes` bytes a row, which add up to `wholeVote`. */
  readonly leaves: Uint8Array;
}

/** Throws `TreeTooLarge`. */
export function packForest({ quantiser, classes, trees, leaves }: ForestParts): Uint8Array {
  const words = Int16Array.from(trees.flatMap(treeWords));
  const head = [quantiser.length / 2, classes, trees.length, words.length, leaves.length / classes];
  return packModel("forest", head, [quantiser, words, leaves]);
}
