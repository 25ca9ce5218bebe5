/**
 * `npm run bench:models`: how right models are on public data, what they take, and what deciding costs on the chip's instruction set, beside what emlearn publishes. With `--json` as
 * JSON. Accuracies repeat for the same seed, instructions to the last one.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildRv32Host } from "../../host-tools/simulator/xs-host/rv32.ts";
import { readDataset, rowsOf } from "../../host-tools/trainer/dataset.ts";
import { EngineProbe } from "../../host-tools/trainer/engine-probe.ts";
import { evaluate } from "../../host-tools/trainer/evaluate.ts";
import { folds } from "../../host-tools/trainer/split.ts";
import { type TrainerOptions, train } from "../../host-tools/trainer/train.ts";
import { readModel } from "../../protocols/model/codec.ts";
import { bytes, printTable } from "../table.ts";
import { fullForest, network, rowsOfChance } from "./synthetic.ts";

const dataNames = ["iris", "wine", "breast-cancer", "digits"] as const;

const trainers: readonly (readonly [name: string, options: Omit<TrainerOptions, "seed">])[] = [
  ["tree, depth 6", { kind: "tree" }],
  ["forest, 10 trees, depth 6", { kind: "forest" }],
  ["boosted, 10 rounds, depth 3", { kind: "boosted" }],
  ["logistic regression", { kind: "logistic" }],
  ["mlp, 16 hidden, int8", { kind: "mlp" }],
  ["naive Bayes", { kind: "bayes" }],
];

/** Of digits alone, beside emlearn's own example. */
const large: (typeof trainers)[number] = ["forest, 10 trees, depth 7", { kind: "forest", depth: 7 }];

interface Figures {
  readonly data: string;
  readonly model: string;
  /** Mean and standard deviation over five folds. */
  readonly accuracy: number;
  readonly deviation: number;
  readonly bytes: number;
  readonly instructions: number;
  readonly allocatedBytes: number;
}

const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const probe = await EngineProbe.start(await buildRv32Host());
const found: Figures[] = [];
for (const data of dataNames) {
  for (const trainer of data === "digits" ? [...trainers, large] : trainers)
    found.push(await figuresOf(data, trainer));
}
const shapes = [
  await shapeOf("forest, 10 full trees of depth 6, 16 features, 3 classes", fullForest(16, 3, 10, 6), 16),
  await shapeOf("mlp 16-16-3, int8", network(16, [16], 3), 16),
];
await probe.stop();

const published = [
  {
    what: "digits, forest, 10 trees, depth 10",
    figure: "0.90+",
    how: "emlearn's examples/digits.py, on the same data, a quarter held out; on an ESP8266 under 0.3 ms (its README)",
  },
  {
    what: "digits, forest, 40 trees, depth 20",
    figure: "0.95+",
    how: "the same example; here a model of that size is beyond what a board takes",
  },
  {
    what: "pen digits, decision tree and MLP",
    figure: "0.83, 0.90",
    how: "emlearn on a microcontroller, by L. Tsutsui and others, ICTAI 2019: a larger set of digits, by pen strokes",
  },
];

if (flags.json) console.log(JSON.stringify({ models: found, shapes, published }, null, 2));
else print();

async function figuresOf(name: string, [model, options]: (typeof trainers)[number]): Promise<Figures> {
  const file = fileURLToPath(new URL(`data/${name}.csv`, import.meta.url));
  const data = readDataset(file, { target: "class", features: undefined });
  const accuracies = folds(data, 5, 1).map(({ training, heldOut }) => {
    const judged = evaluate(
      readModel(train(rowsOf(data, training), { ...options, seed: 1 })),
      rowsOf(data, heldOut),
    );
    if (judged.of !== "classes") throw new Error(`${model} tells no classes.`);
    return judged.accuracy;
  });
  const accuracy = accuracies.reduce((sum, one) => sum + one, 0) / accuracies.length;
  const deviation = Math.sqrt(
    accuracies.reduce((sum, one) => sum + (one - accuracy) ** 2, 0) / accuracies.length,
  );
  const packed = train(data, { ...options, seed: 1 });
  await probe.load(packed, data.features.length);
  const cost = await probe.cost(data.rows.filter((_, i) => i % Math.ceil(data.rows.length / 100) === 0));
  return { data: name, model, accuracy, deviation, bytes: packed.length, ...cost };
}

async function shapeOf(model: string, packed: Uint8Array, features: number) {
  await probe.load(packed, features);
  return { model, bytes: packed.length, ...(await probe.cost(rowsOfChance(features))) };
}

function print(): void {
  for (const name of dataNames) {
    printTable(
      `${name}: right on rows not seen, five folds`,
      found
        .filter(({ data }) => data === name)
        .map(({ model, accuracy, deviation, bytes: size, instructions, allocatedBytes }) => ({
          what: model,
          figure: accuracy.toFixed(3),
          how: `± ${deviation.toFixed(3)}; ${bytes(size)}; ${count(instructions)} instructions, ${bytes(allocatedBytes)} allocated`,
        })),
    );
  }
  printTable(
    "An inference on rv32imac",
    shapes.map(({ model, bytes: size, instructions, allocatedBytes }) => ({
      what: model,
      figure: count(instructions),
      how: `instructions; ${bytes(size)}; ${bytes(allocatedBytes)} allocated`,
    })),
  );
  printTable("Published", published);
}

function count(figure: number): string {
  return figure.toLocaleString("en-US");
}
