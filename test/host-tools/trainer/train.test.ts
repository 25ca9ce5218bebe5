import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DatasetError, readDataset, rowsOf } from "../../../host-tools/trainer/dataset.ts";
import { aucOf, evaluate } from "../../../host-tools/trainer/evaluate.ts";
import { estimateInstructions } from "../../../host-tools/trainer/inference-cost.ts";
import { ModelFileError, readModelFile, writeModelFile } from "../../../host-tools/trainer/model-file.ts";
import { folds, holdOut } from "../../../host-tools/trainer/split.ts";
import { type TrainerKind, TrainingError, train, trainerKinds } from "../../../host-tools/trainer/train.ts";
import { readModel } from "../../../protocols/model/codec.ts";
import { modelLimits } from "../../../protocols/model/model.ts";
import { dataset } from "./data.ts";

const folder = mkdtempSync(join(tmpdir(), "covey-train-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** The mean over five folds. */
function accuracy(name: "iris" | "wine" | "breast-cancer", kind: TrainerKind): number {
  const data = dataset(name);
  const found = folds(data, 5, 1).map(({ training, heldOut }) => {
    const judged = evaluate(
      readModel(train(rowsOf(data, training), { kind, seed: 1 })),
      rowsOf(data, heldOut),
    );
    return judged.of === "classes" ? judged.accuracy : Number.NaN;
  });
  return found.reduce((sum, one) => sum + one, 0) / found.length;
}

describe("on rows that they have not seen, trained models are right", () => {
  test.each<["iris" | "wine" | "breast-cancer", TrainerKind, number]>([
    ["iris", "tree", 0.92],
    ["iris", "forest", 0.93],
    ["iris", "boosted", 0.92],
    ["iris", "logistic", 0.93],
    ["iris", "mlp", 0.93],
    ["iris", "bayes", 0.93],
    ["wine", "forest", 0.95],
    ["wine", "boosted", 0.92],
    ["wine", "logistic", 0.96],
    ["wine", "mlp", 0.95],
    ["wine", "bayes", 0.95],
    ["breast-cancer", "forest", 0.93],
    ["breast-cancer", "logistic", 0.96],
    ["breast-cancer", "mlp", 0.95],
  ])("%s, %s: at least %d", { timeout: 60_000 }, (name, kind, least) => {
    expect(accuracy(name, kind)).toBeGreaterThanOrEqual(least);
  });

  test("k-means finds the three kinds of wine without being told", () => {
    const data = dataset("wine");
    const model = readModel(train(data, { kind: "kmeans", seed: 1, clusters: 3 }));
    const table = [0, 1, 2].map(() => [0, 0, 0]);
    for (const [i, row] of data.rows.entries()) table[model.decide(row)]![data.labels[i]!]!++;
    const right = table.reduce((sum, row) => sum + Math.max(...row), 0);
    expect(right / data.rows.length).toBeGreaterThan(0.93);
  });

  test("half-spaces, told of benign tumours alone, score malign ones higher", () => {
    const data = dataset("breast-cancer");
    const benign = data.rows.flatMap((_, i) => (data.classes[data.labels[i]!] === "benign" ? [i] : []));
    const bytes = train(rowsOf(data, benign), { kind: "half-spaces", seed: 1 });
    const judged = evaluate(readModel(bytes), data);
    expect(judged.of === "scores" && judged.auc).toBeGreaterThan(0.93);
  });
});

test("the same data and seed make the same bytes, another seed others", () => {
  const data = dataset("iris");
  for (const kind of trainerKinds) {
    const make = (seed: number) => train(data, { kind, seed, window: 100, epochs: 5 });
    expect(make(7), kind).toEqual(make(7));
    if (["forest", "mlp", "half-spaces"].includes(kind)) expect(make(8), kind).not.toEqual(make(7));
  }
});

test("estimates are within half of what is counted", () => {
  // Counted on rv32imac, as bench/models.ts does, on wine.
  const counted: Partial<Record<TrainerKind, number>> = {
    tree: 98_802,
    forest: 222_691,
    boosted: 453_816,
    logistic: 122_285,
    mlp: 620_074,
    bayes: 176_415,
    kmeans: 163_584,
    "half-spaces": 469_094,
  };
  for (const kind of trainerKinds) {
    const estimate = estimateInstructions(train(dataset("wine"), { kind, seed: 1, window: 100, epochs: 5 }));
    expect(estimate / counted[kind]!, kind).toBeGreaterThan(0.67);
    expect(estimate / counted[kind]!, kind).toBeLessThan(1.5);
  }
});

describe("splits", () => {
  const data = dataset("iris");

  test("hold out a share of every class, and nothing twice", () => {
    const { training, heldOut } = holdOut(data, 0.2, 3);
    expect([...training, ...heldOut].sort((a, b) => a - b)).toEqual(data.rows.map((_, i) => i));
    for (const of of [0, 1, 2]) expect(heldOut.filter((i) => data.labels[i] === of)).toHaveLength(10);
  });

  test("into folds hold each row out once", () => {
    const parts = folds(data, 5, 3);
    expect(parts.flatMap(({ heldOut }) => heldOut).sort((a, b) => a - b)).toEqual(data.rows.map((_, i) => i));
    for (const { training, heldOut } of parts) expect(training.length + heldOut.length).toBe(150);
  });
});

test("the area under the ROC curve is how often the rare one scores higher, ties counting half", () => {
  expect(aucOf([0.1, 0.2, 0.9], [0, 0, 1])).toBe(1);
  expect(aucOf([0.9, 0.2, 0.1], [0, 0, 1])).toBe(0);
  expect(aucOf([0.5, 0.5, 0.5], [0, 0, 1])).toBe(0.5);
  expect(aucOf([1, 2, 3, 4, 5], [1, 1, 0, 1, 0])).toBeCloseTo(5 / 6, 12);
});

describe("a CSV that nothing can be learned from is told with its line", () => {
  test.each<[string, string, string | undefined, string[] | undefined, RegExp]>([
    ["no such file", "", "y", undefined, /there is no such file/],
    ["no rows", "a,y\n", "y", undefined, /no rows/],
    ["no such target", "a,y\n1,2\n", "z", undefined, /:1: there is no column "z"; /],
    ["no such feature", "a,y\n1,2\n", "y", ["b"], /:1: there is no column "b"/],
    ["the target as a feature", "a,y\n1,2\n", "y", ["a", "y"], /cannot be a feature too/],
    ["text among numbers", "a,y\n1,x\nfoo,z\n", "y", undefined, /:3: "foo" in "a" is no number/],
    ["a hole", "a,y\n1,x\n,z\n", "y", undefined, /:3: "" in "a" is no number/],
    ["a label missing", "a,y\n1,x\n2,\n", "y", undefined, /:3: "y" is empty/],
    ["two columns of one name", "a,a,y\n1,2,x\n", "y", undefined, /:1: two columns are called "a"/],
    ["one class", "a,y\n1,x\n2,x\n", "y", undefined, /"y" has 1 different values/],
    ["rows of several lengths", "a,y\n1,x\n2\n", "y", undefined, /it is no CSV/],
  ])("%s", (what, text, target, features, sentence) => {
    const file = text === "" ? join(folder, "none.csv") : write(`${what}.csv`, text);
    expect(() => readDataset(file, { target, features })).toThrow(DatasetError);
    expect(() => readDataset(file, { target, features })).toThrow(sentence);
  });

  test("labels that are numbers ascend as numbers", () => {
    const file = write("numbers.csv", "a,y\n1,10\n2,9\n3,100\n");
    expect(readDataset(file, { target: "y", features: undefined }).classes).toEqual(["9", "10", "100"]);
  });
});

test("what is too large, or has too few rows, is told with what to change", () => {
  const digits = dataset("digits");
  const large = () => train(digits, { kind: "forest", seed: 1, trees: 20, depth: 8 });
  expect(large).toThrow(TrainingError);
  expect(large).toThrow(/7200 are the most, so make it smaller: fewer --trees/);
  expect(() => train(dataset("iris"), { kind: "half-spaces", seed: 1 })).toThrow(
    /windows of 250 rows, and there are 150/,
  );
});

describe("a model file", () => {
  const path = join(folder, "iris.cvm");
  const data = dataset("iris");
  const bytes = train(data, { kind: "forest", seed: 1 });

  test("comes back as it was written", () => {
    writeModelFile(path, { features: data.features, classes: data.classes, note: "a forest", bytes });
    const read = readModelFile(path);
    expect(read).toMatchObject({ features: data.features, classes: data.classes, note: "a forest", bytes });
    expect(read.model.decide(data.rows[0]!)).toBe(0);
    expect(bytes.length).toBeLessThan(modelLimits.bytesMax);
  });

  test("that is none is told by its name", () => {
    const broken = write("broken.cvm", "not a model");
    expect(() => readModelFile(broken)).toThrow(ModelFileError);
    expect(() => readModelFile(broken)).toThrow(/broken\.cvm: it holds no model/);
    expect(() => readModelFile(join(folder, "none.cvm"))).toThrow(/make one with covey model train/);
    writeModelFile(path, { features: ["a"], classes: [], note: "", bytes });
    expect(() => readModelFile(path)).toThrow(/other features/);
  });
});
