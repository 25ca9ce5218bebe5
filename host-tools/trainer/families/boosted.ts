/** Gradient boosting (Friedman 2001): each round's trees approach what the scores so far leave unexplained, and add a part of it. */
import { leafZero, packBoosted, scoresOf } from "../../../protocols/model/boosted.ts";
import { int16Max } from "../../../protocols/model/quantiser.ts";
import type { TreeNode } from "../../../protocols/model/trees.ts";
import type { Dataset } from "../dataset.ts";
import { Random } from "../random.ts";
import { quantisedRows, rangesOf, rangeTable } from "../scaling.ts";
import { type GrownTree, grow, SquaredError } from "./cart.ts";

export interface BoostedOptions {
  /** Trees for each score. */
  readonly rounds: number;
  readonly depth: number;
  /** The part that a tree adds of what it found. */
  readonly rate: number;
  readonly leafRows: number;
  readonly seed: number;
}

export function trainBoosted(data: Dataset, options: BoostedOptions): Uint8Array {
  const { rows, labels, classes } = data;
  const scores = scoresOf(classes.length);
  const quantiser = rangeTable(rangesOf(rows));
  const quantised = quantisedRows(rows, quantiser, int16Max);
  const bases = basesOf(labels, classes.length);
  const reached = rows.map(() => Float64Array.from(bases));
  const everyRow = rows.map((_, row) => row);
  const random = new Random(options.seed);
  const trees: GrownTree<number>[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const shares = reached.map(sharesOf);
    for (let of = 0; of < scores; of++) {
      const isOfIt = (row: number) => (labels[row] === (scores === 1 ? 1 : of) ? 1 : 0);
      const residuals = Float64Array.from(everyRow, (row) => isOfIt(row) - shares[row]![of]!);
      const tree = grow<number>(
        {
          rows: quantised,
          depthMax: options.depth,
          leafRowsMin: options.leafRows,
          featuresTried: undefined,
          random,
          impurity: new SquaredError(residuals),
          leafOf: (places) => options.rate * newtonStep(places, residuals, shares, of, scores),
        },
        everyRow,
      );
      trees.push(tree);
      for (const row of everyRow) reached[row]![of]! += leafFor(tree, quantised[row]!);
    }
  }
  return boostedOf(quantiser, classes.length, trees, bases);
}

/** Packs trees whose leaves are added to a score. */
export function boostedOf(
  quantiser: Float32Array,
  classes: number,
  trees: readonly GrownTree<number>[],
  bases: readonly number[],
): Uint8Array {
  const most = Math.max(...trees.flatMap(leavesOf).map(Math.abs), Number.MIN_VALUE);
  const step = Math.fround(most / (leafZero - 1)) || 1;
  const packed = (node: GrownTree<number>): TreeNode =>
    "leaf" in node
      ? { leaf: Math.max(0, Math.min(2 * leafZero - 1, Math.round(node.leaf / step) + leafZero)) }
      : { ...node, left: packed(node.left), right: packed(node.right) };
  return packBoosted({ quantiser, classes, trees: trees.map(packed), bases, step });
}

function leavesOf(node: GrownTree<number>): number[] {
  return "leaf" in node ? [node.leaf] : [...leavesOf(node.left), ...leavesOf(node.right)];
}

function leafFor(tree: GrownTree<number>, row: Int16Array): number {
  let node = tree;
  while (!("leaf" in node)) node = row[node.feature]! <= node.threshold ? node.left : node.right;
  return node.leaf;
}

/** Where scores begin: at the logarithms of the classes' shares. */
function basesOf(labels: readonly number[], classes: number): number[] {
  const shares = new Array<number>(classes).fill(0);
  for (const label of labels) shares[label]! += 1 / labels.length;
  if (classes === 2) return [Math.log(shares[1]! / shares[0]!)];
  return shares.map((share) => Math.log(Math.max(share, 1e-9)));
}

/** The probability of the second class, or of each. */
function sharesOf(scores: Float64Array): Float64Array {
  if (scores.length === 1) return Float64Array.of(1 / (1 + Math.exp(-scores[0]!)));
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function newtonStep(
  places: readonly number[],
  residuals: Float64Array,
  shares: readonly Float64Array[],
  of: number,
  scores: number,
): number {
  let [slope, curve] = [0, 0];
  for (const row of places) {
    slope += residuals[row]!;
    curve += shares[row]![of]! * (1 - shares[row]![of]!);
  }
  const step = curve < 1e-12 ? 0 : slope / curve;
  const damped = scores === 1 ? step : ((scores - 1) / scores) * step;
  // A leaf of rows that are all but certain would leap.
  return Math.max(-leapMax, Math.min(leapMax, damped));
}

const leapMax = 8;
