/** Half-space trees: made by chance from the ranges of the features alone; the rows then fill them, in their order, as a board's would. */
import { HalfSpaces, packHalfSpaces } from "../../../protocols/model/half-spaces.ts";
import { PackedReader } from "../../../protocols/model/packed.ts";
import { int16Max, Quantiser } from "../../../protocols/model/quantiser.ts";
import type { Dataset } from "../dataset.ts";
import { Random } from "../random.ts";
import { rangesOf, rangeTable } from "../scaling.ts";

export interface HalfSpacesOptions {
  readonly trees: number;
  readonly depth: number;
  /** Rows of a window. */
  readonly window: number;
  readonly seed: number;
}

export function trainHalfSpaces(data: Dataset, options: HalfSpacesOptions): Uint8Array {
  const { trees, depth, window, seed } = options;
  const random = new Random(seed);
  // Half as much again on either side: what is anomalous may lie beyond what was seen.
  const ranges = rangesOf(data.rows).map(([low, high]) => {
    const beyond = (high - low) / 2 || 1;
    return [low - beyond, high + beyond] as const;
  });
  const quantiser = rangeTable(ranges);
  const inner = 2 ** depth - 1;
  const thresholds = new Int16Array(trees * inner);
  const featureOf = new Uint8Array(trees * inner);
  for (let tree = 0; tree < trees; tree++) {
    halve(data, random, quantiser, tree * inner, inner, thresholds, featureOf);
  }
  const masses = new Uint8Array(trees * (2 * inner + 1));
  const packed = packHalfSpaces({ quantiser, trees, depth, window, thresholds, featureOf, masses });
  const reader = new PackedReader(packed);
  const learner = new HalfSpaces(reader);
  for (const row of data.rows) {
    learner.decide(row);
    learner.learn();
  }
  // What it has learned it has written into its bytes.
  return packed;
}

/** The work space of the paper: about a centre that chance chose, wide enough for every value seen; each node halves it along a feature that chance chose. */
function halve(
  data: Dataset,
  random: Random,
  table: Float32Array,
  first: number,
  inner: number,
  thresholds: Int16Array,
  featureOf: Uint8Array,
): void {
  const space = rangesOf(data.rows).map(([low, high]) => {
    const width = high - low || 1;
    const centre = random.next();
    const reach = 2 * Math.max(centre, 1 - centre);
    return [low + (centre - reach) * width, low + (centre + reach) * width] as const;
  });
  const quantiser = new Quantiser(table, int16Max);
  const point = new Float64Array(data.features.length);
  const quantised = new Int16Array(data.features.length);
  const visit = (node: number, within: readonly (readonly [number, number])[]) => {
    if (node >= inner) return;
    const feature = random.below(within.length);
    const [low, high] = within[feature]!;
    const middle = (low + high) / 2;
    point[feature] = middle;
    quantiser.quantise(point, quantised);
    thresholds[first + node] = quantised[feature]!;
    featureOf[first + node] = feature;
    const half = (range: readonly [number, number]) =>
      within.map((each, j) => (j === feature ? range : each));
    visit(2 * node + 1, half([low, middle]));
    visit(2 * node + 2, half([middle, high]));
  };
  visit(0, space);
}
