/** From a dump of a trained scikit-learn estimator to a model, and on how many of the dump's rows the two say the same. */
import { scoresOf } from "../../../protocols/model/boosted.ts";
import { packClusters } from "../../../protocols/model/clusters.ts";
import { readModel } from "../../../protocols/model/codec.ts";
import { modelLimits } from "../../../protocols/model/model.ts";
import { int16Max } from "../../../protocols/model/quantiser.ts";
import { bayesOf } from "../families/bayes.ts";
import { boostedOf } from "../families/boosted.ts";
import type { GrownTree } from "../families/cart.ts";
import { forestOf } from "../families/forest.ts";
import { logisticOf } from "../families/logistic.ts";
import { type Layer, quantisedNetwork } from "../families/network.ts";
import type { ModelFile } from "../model-file.ts";
import { quantisedRows, rangesOf, rangeTable, type Scale, scaleOf, standardised } from "../scaling.ts";
import { type Dump, DumpError, readDump } from "./dump.ts";

export interface Imported {
  readonly file: ModelFile;
  /** Rows of the dump, and those of them of which the model says what scikit-learn said. */
  readonly rows: number;
  readonly agreeing: number;
}

/** Throws `DumpError`, and `TreeTooLarge` for too deep a tree. */
export function importDump(path: string): Imported {
  const dump = readDump(path);
  const rows = dump.matrix("rows", dump.features.length).map((row) => Float64Array.from(row));
  if (rows.length === 0) dump.wrong("rows", "some of the data", []);
  const bytes = modelOf(dump, rows);
  if (bytes.length > modelLimits.bytesMax) {
    throw new DumpError(
      path,
      `the model takes ${bytes.length} bytes, and ${modelLimits.bytesMax} are the most; train a smaller one.`,
    );
  }
  const model = readModel(bytes.slice());
  const predictions = dump.numbers("predictions", rows.length);
  const agreeing = rows.filter((row, i) => model.decide(row) === predictions[i]).length;
  const classes = model.kind === "clusters" ? [] : dump.classes;
  const note = `scikit-learn ${dump.estimator}`;
  return { file: { features: dump.features, classes, note, bytes }, rows: rows.length, agreeing };
}

const known =
  "DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier, GradientBoostingClassifier, LogisticRegression, MLPClassifier, GaussianNB and KMeans";

function modelOf(dump: Dump, rows: readonly Float64Array[]): Uint8Array {
  const scaler = dump.scaler();
  const scale: Scale = scaler ?? {
    means: dump.features.map(() => 0),
    deviations: dump.features.map(() => 1),
  };
  switch (dump.estimator) {
    case "DecisionTreeClassifier":
    case "RandomForestClassifier":
    case "ExtraTreesClassifier":
      return forest(dump, rows, scale);
    case "GradientBoostingClassifier":
      return boosted(dump, rows, scale);
    case "LogisticRegression":
      return logistic(dump, scale);
    case "MLPClassifier":
      return network(dump, rows, scaler);
    case "GaussianNB":
      return bayes(dump, scale);
    case "KMeans":
    case "MiniBatchKMeans":
      return clusters(dump, scale);
    default:
      throw new DumpError(dump.file, `a ${dump.estimator} cannot be imported; what can: ${known}.`);
  }
}

function forest(dump: Dump, rows: readonly Float64Array[], scale: Scale): Uint8Array {
  const classes = dump.classes.length;
  const { table, trees } = treesOf(dump, rows, scale, classes);
  const shares = (values: readonly number[]) => {
    const sum = values.reduce((total, value) => total + value, 0) || 1;
    return values.map((value) => value / sum);
  };
  return forestOf(
    table,
    classes,
    trees.map((tree) => mapped(tree, shares)),
  );
}

function boosted(dump: Dump, rows: readonly Float64Array[], scale: Scale): Uint8Array {
  const classes = dump.classes.length;
  const { table, trees } = treesOf(dump, rows, scale, 1);
  const rate = dump.number("rate");
  const priors = dump.numbers("priors", classes);
  if (trees.length % scoresOf(classes) !== 0) dump.wrong("trees", "whole rounds", trees.length);
  const bases = classes === 2 ? [Math.log(priors[1]! / priors[0]!)] : priors.map((prior) => Math.log(prior));
  return boostedOf(
    table,
    classes,
    trees.map((tree) => mapped(tree, ([value]) => rate * value!)),
    bases,
  );
}

function logistic(dump: Dump, scale: Scale): Uint8Array {
  const features = dump.features.length;
  const scores = scoresOf(dump.classes.length);
  const [layer] = dump.list("weights");
  const [bias] = dump.list("biases");
  const weights = checkedMatrix(dump, layer, scores, features);
  const biases = checkedMatrix(dump, [bias], 1, scores)[0]!;
  const flat = weights.flatMap((row, of) => [biases[of]!, ...row]);
  return logisticOf(features, dump.classes.length, Float64Array.from(flat), scale);
}

function network(dump: Dump, rows: readonly Float64Array[], scaler: Scale | undefined): Uint8Array {
  if (dump.text("activation") !== "relu") {
    throw new DumpError(
      dump.file,
      `an MLP with the activation ${dump.text("activation")} cannot be imported; train it with relu.`,
    );
  }
  const biases = dump.list("biases");
  let inputs = dump.features.length;
  const layers = dump.list("weights").map((weights, i): Layer => {
    const width = Array.isArray(biases[i]) ? biases[i].length : 0;
    const matrix = checkedMatrix(dump, weights, width, inputs);
    inputs = width;
    return {
      weights: Float64Array.from(matrix.flat()),
      biases: Float64Array.from(checkedMatrix(dump, [biases[i]], 1, width)[0]!),
    };
  });
  const { hiddenLayersMax, neuronsMax } = modelLimits;
  if (
    layers.length < 1 ||
    layers.length > hiddenLayersMax + 1 ||
    layers.some((layer) => layer.biases.length > neuronsMax)
  ) {
    throw new DumpError(
      dump.file,
      `a network may have ${hiddenLayersMax} hidden layers of ${neuronsMax} neurons each.`,
    );
  }
  // Of two classes scikit-learn has one sum, above 0 for the second: here the first has the sum 0.
  if (inputs === 1 && dump.classes.length === 2) {
    const { weights, biases: bias } = layers.at(-1)!;
    layers[layers.length - 1] = {
      weights: Float64Array.from([...weights.map(() => 0), ...weights]),
      biases: Float64Array.of(0, bias[0]!),
    };
  } else if (inputs !== dump.classes.length) dump.wrong("biases", "one for each class", inputs);
  if (scaler !== undefined)
    return quantisedNetwork(
      layers,
      scaler,
      rows.map((row) => standardised(row, scaler)),
    );
  const scale = scaleOf(rows);
  layers[0] = forStandardised(layers[0]!, scale);
  return quantisedNetwork(
    layers,
    scale,
    rows.map((row) => standardised(row, scale)),
  );
}

/** A first layer that gives of standardised features what it gave of features as they come. */
function forStandardised({ weights, biases }: Layer, { means, deviations }: Scale): Layer {
  const width = means.length;
  return {
    weights: weights.map((weight, at) => weight * deviations[at % width]!),
    biases: biases.map((bias, n) =>
      means.reduce((sum, mean, j) => sum + weights[n * width + j]! * mean, bias),
    ),
  };
}

function bayes(dump: Dump, { means, deviations }: Scale): Uint8Array {
  const [features, classes] = [dump.features.length, dump.classes.length];
  const priors = dump.numbers("priors", classes);
  const centres = dump.matrix("means", features, classes);
  const variances = dump.matrix("variances", features, classes);
  const normals = priors.map((prior, of) => ({
    prior,
    means: centres[of]!.map((mean, j) => mean * deviations[j]! + means[j]!),
    variances: variances[of]!.map((variance, j) => variance * deviations[j]! ** 2),
  }));
  return bayesOf(features, normals);
}

function clusters(dump: Dump, { means, deviations }: Scale): Uint8Array {
  const centres = dump.matrix("centers", dump.features.length);
  const gains = deviations.map((deviation) => 1 / deviation);
  const moved = centres.flatMap((centre) => centre.map((at, j) => at + means[j]! * gains[j]!));
  return packClusters(centres.length, Float32Array.from(gains), Float32Array.from(moved));
}

/** The dump's trees with thresholds in 16 bits, over the range of each feature's thresholds and rows. */
function treesOf(dump: Dump, rows: readonly Float64Array[], { means, deviations }: Scale, values: number) {
  const features = dump.features.length;
  const listed = dump.list("trees").map((tree) => new DumpedTree(dump, tree, values));
  const ranges = rangesOf(rows);
  for (const tree of listed) {
    tree.eachDecision((feature, threshold) => {
      const range = ranges[feature];
      if (range === undefined) dump.wrong("feature", `below ${features}`, feature);
      const raw = threshold * deviations[feature]! + means[feature]!;
      range[0] = Math.min(range[0], raw);
      range[1] = Math.max(range[1], raw);
    });
  }
  const table = rangeTable(ranges);
  const quantised = (feature: number, threshold: number) => {
    const row = new Float64Array(features);
    row[feature] = threshold * deviations[feature]! + means[feature]!;
    return quantisedRows([row], table, int16Max)[0]![feature]!;
  };
  return { table, trees: listed.map((tree) => tree.grown(quantised)) };
}

/** A tree as scikit-learn has it: columns, a node each; node 0 is the root, and a leaf has -1 for its halves. */
class DumpedTree {
  readonly #dump: Dump;
  readonly #left: number[];
  readonly #right: number[];
  readonly #feature: number[];
  readonly #threshold: number[];
  readonly #values: number[][];

  constructor(dump: Dump, tree: unknown, values: number) {
    const columns = (tree ?? {}) as Readonly<Record<string, unknown>>;
    const count = Array.isArray(columns.left) ? columns.left.length : 0;
    if (count === 0) dump.wrong("trees", "trees with nodes", tree);
    const column = (name: string) => checkedMatrix(dump, [columns[name]], 1, count)[0]!;
    this.#dump = dump;
    this.#left = column("left");
    this.#right = column("right");
    this.#feature = column("feature");
    this.#threshold = column("threshold");
    this.#values = checkedMatrix(dump, columns.value, count, values);
  }

  eachDecision(told: (feature: number, threshold: number) => void): void {
    this.#left.forEach((left, node) => {
      if (left >= 0) told(this.#feature[node]!, this.#threshold[node]!);
    });
  }

  grown(quantised: (feature: number, threshold: number) => number, node = 0): GrownTree<readonly number[]> {
    const [left, right] = [this.#left[node]!, this.#right[node]!];
    if (left < 0) return { leaf: this.#values[node]! };
    // Children come after their parents, so this ends.
    if (left <= node || right <= node || right >= this.#left.length)
      this.#dump.wrong("trees", "trees", { left, right });
    const feature = this.#feature[node]!;
    return {
      feature,
      threshold: quantised(feature, this.#threshold[node]!),
      left: this.grown(quantised, left),
      right: this.grown(quantised, right),
    };
  }
}

function mapped<From, To>(tree: GrownTree<From>, leaf: (from: From) => To): GrownTree<To> {
  if ("leaf" in tree) return { leaf: leaf(tree.leaf) };
  return { ...tree, left: mapped(tree.left, leaf), right: mapped(tree.right, leaf) };
}

function checkedMatrix(dump: Dump, value: unknown, rows: number, width: number): number[][] {
  const isMatrix =
    Array.isArray(value) &&
    value.length === rows &&
    value.every((row) => Array.isArray(row) && row.length === width && row.every(Number.isFinite));
  if (!isMatrix) dump.wrong("a table", `${rows} rows of ${width} numbers`, value);
  return value as number[][];
}
