/** Random forests (Breiman 2001): each tree grows from rows drawn with replacement, and each decision looks at a few features that chance chose. */
import { packForest, wholeVote } from "../../../protocols/model/forest.ts";
import { modelLimits } from "../../../protocols/model/model.ts";
import { int16Max } from "../../../protocols/model/quantiser.ts";
import type { TreeNode } from "../../../protocols/model/trees.ts";
import type { Dataset } from "../dataset.ts";
import { Random } from "../random.ts";
import { quantisedRows, rangesOf, rangeTable } from "../scaling.ts";
import { Gini, type GrownTree, grow } from "./cart.ts";

export interface ForestOptions {
  /** 1 is a decision tree, from all rows and all features. */
  readonly trees: number;
  readonly depth: number;
  readonly leafRows: number;
  readonly seed: number;
}

export function trainForest(data: Dataset, options: ForestOptions): Uint8Array {
  const { rows, labels, classes } = data;
  const quantiser = rangeTable(rangesOf(rows));
  const random = new Random(options.seed);
  const isForest = options.trees > 1;
  const growth = {
    rows: quantisedRows(rows, quantiser, int16Max),
    depthMax: options.depth,
    leafRowsMin: options.leafRows,
    featuresTried: isForest ? Math.max(1, Math.round(Math.sqrt(data.features.length))) : undefined,
    random,
    impurity: new Gini(labels, classes.length),
    leafOf: (places: readonly number[]) => sharesOf(places, labels, classes.length),
  };
  const trees: GrownTree<readonly number[]>[] = [];
  for (let tree = 0; tree < options.trees; tree++) {
    trees.push(
      grow(
        growth,
        rows.map((_, row) => (isForest ? random.below(rows.length) : row)),
      ),
    );
  }
  return forestOf(quantiser, classes.length, trees);
}

/**
 * Packs trees whose leaves are shares of classes, which add up to 1. Leaves that share alike are one row; shares are in steps of a 15th, and where
 * that makes too many rows for a model in coarser ones, at last whole votes.
 */
export function forestOf(
  quantiser: Float32Array,
  classes: number,
  trees: readonly GrownTree<readonly number[]>[],
): Uint8Array {
  let bytes = new Uint8Array(0);
  for (const steps of [15, 5, 3, 1]) {
    bytes = packedIn(steps, quantiser, classes, trees) as Uint8Array<ArrayBuffer>;
    if (bytes.length <= modelLimits.bytesMax) break;
  }
  return bytes;
}

function packedIn(
  steps: number,
  quantiser: Float32Array,
  classes: number,
  trees: readonly GrownTree<readonly number[]>[],
): Uint8Array {
  const rows = new Map<string, number>();
  const leaves: number[] = [];
  const numberOf = (shares: readonly number[]): number => {
    const votes = votesOf(shares, steps);
    const pure = votes.indexOf(wholeVote);
    if (pure >= 0) return pure;
    const key = votes.join();
    const known = rows.get(key);
    if (known !== undefined) return known;
    const number = classes + rows.size;
    rows.set(key, number);
    leaves.push(...votes);
    return number;
  };
  const packed = (node: GrownTree<readonly number[]>): TreeNode => {
    if ("leaf" in node) return { leaf: numberOf(node.leaf) };
    const [left, right] = [packed(node.left), packed(node.right)];
    // A decision between two leaves that say the same is none.
    if ("leaf" in left && "leaf" in right && left.leaf === right.leaf) return left;
    return { feature: node.feature, threshold: node.threshold, left, right };
  };
  const nodes = trees.map(packed);
  return packForest({ quantiser, classes, trees: nodes, leaves: Uint8Array.from(leaves) });
}

function sharesOf(places: readonly number[], labels: readonly number[], classes: number): number[] {
  const shares = new Array<number>(classes).fill(0);
  for (const place of places) shares[labels[place]!]! += 1 / places.length;
  return shares;
}

/** Shares in so many steps as votes that add up to `wholeVote`: what is left by rounding goes to the largest, which stays so. */
function votesOf(shares: readonly number[], steps: number): number[] {
  const votes = shares.map((share) => Math.floor(share * steps) * (wholeVote / steps));
  const left = wholeVote - votes.reduce((sum, vote) => sum + vote, 0);
  votes[shares.indexOf(Math.max(...shares))]! += left;
  return votes;
}
