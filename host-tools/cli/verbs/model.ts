/** `covey model`: models for boards, trained from a CSV or taken from scikit-learn, judged and looked at. */
import { basename } from "node:path";
import { Option } from "commander";
import type { Dataset } from "../../trainer/dataset.ts";
import type { TrainerKind, TrainerOptions } from "../../trainer/train.ts";
import { Failed, WrongInput } from "../failure.ts";
import { positiveNumber, wholeNumber } from "../option-values.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

const kinds = ["tree", "forest", "boosted", "logistic", "mlp", "bayes", "kmeans", "half-spaces"] as const;

interface ModelOptions {
  readonly target?: string;
  readonly features?: readonly string[];
  readonly kind?: TrainerKind;
  readonly out?: string;
  readonly holdOut?: number;
  readonly folds?: number;
  readonly seed?: number;
  readonly trees?: number;
  readonly depth?: number;
  readonly rounds?: number;
  readonly hidden?: readonly number[];
  readonly epochs?: number;
  readonly clusters?: number;
  readonly window?: number;
}

export const model: Verb<ModelOptions> = {
  usage: "model <action> <path> [data]",
  summary: "train a model for boards, judge it, look at it, or import one",
  details:
    "Actions: train DATA.csv --target COLUMN --out FILE.cvm (how good it is, is told by rows held out, and by folds), eval FILE.cvm DATA.csv --target COLUMN, info FILE.cvm, and " +
    "import DUMP.json --out FILE.cvm, of a scikit-learn estimator (docs/learning.md says how to write the dump). The model goes into swarm.ts by its name.",
  examples: [
    "covey model train bench/models/data/iris.csv --target class --kind forest --out iris.cvm",
    "covey model eval iris.cvm bench/models/data/iris.csv --target class",
    "covey model info iris.cvm",
    "covey model import dump.json --out iris.cvm",
  ],
  options: [
    new Option("--target <column>", "the column to be told from the others"),
    new Option(
      "--features <columns>",
      "the columns to tell it from, with commas; all others if not said",
    ).argParser((text) => text.split(",").map((name) => name.trim())),
    new Option("--kind <kind>", "what to train; forest if not said").choices(kinds),
    new Option("-o, --out <file>", "where to write the model"),
    new Option("--hold-out <share>", "the part of the rows to judge by; 0.25 if not said").argParser(
      positiveNumber,
    ),
    new Option(
      "--folds <count>",
      "times to train and judge on other rows; 5 if not said, 0 for none",
    ).argParser(wholeNumber(0, 20)),
    new Option("--seed <number>", "another chance; 1 if not said").argParser(wholeNumber(0, 2 ** 31)),
    new Option("--trees <count>", "of a forest, and of half-spaces").argParser(wholeNumber(1, 255)),
    new Option("--depth <count>", "decisions from root to leaf, of trees and half-spaces").argParser(
      wholeNumber(1, 16),
    ),
    new Option("--rounds <count>", "of boosted trees").argParser(wholeNumber(1, 255)),
    new Option("--hidden <neurons>", "of each hidden layer of an mlp, with commas").argParser((text) =>
      text.split(",").map((part) => wholeNumber(1, 64)(part.trim())),
    ),
    new Option("--epochs <count>", "times that an mlp sees all rows").argParser(wholeNumber(1, 10_000)),
    new Option("--clusters <count>", "of k-means").argParser(wholeNumber(1, 32)),
    new Option("--window <rows>", "of half-spaces").argParser(wholeNumber(10, 250)),
  ],
  async run(terminal, options, [action, path, data]) {
    const run = actions[action!];
    if (run === undefined) {
      throw new WrongInput(`There is no action ${action}; use train, eval, info or import.`);
    }
    if (data !== undefined && action !== "eval") {
      throw new WrongInput(`covey model ${action} takes one file; "${data}" is one too many.`);
    }
    await sound(() => run(terminal, options, path!, data));
    return 0;
  },
};

type Action = (
  terminal: Terminal,
  options: ModelOptions,
  path: string,
  data: string | undefined,
) => Promise<void>;
const actions: Readonly<Record<string, Action>> = Object.assign(Object.create(null), {
  train: trainModel,
  eval: evalModel,
  info: modelInfo,
  import: importModel,
});

async function trainModel(terminal: Terminal, options: ModelOptions, path: string): Promise<void> {
  const { readDataset, rowsOf } = await import("../../trainer/dataset.ts");
  const { needsTarget, train } = await import("../../trainer/train.ts");
  const { evaluate } = await import("../../trainer/evaluate.ts");
  const { writeModelFile } = await import("../../trainer/model-file.ts");
  const { holdOut, folds } = await import("../../trainer/split.ts");
  const { readModel } = await import("../../../protocols/model/codec.ts");
  const { evaluationLines, sizeLine, costLine, summary, percent } = await import("../model-lines.ts");
  const { kind = "forest", out, seed = 1, folds: foldCount = 5, holdOut: share = 0.25 } = options;
  if (out === undefined) throw new WrongInput("Say where the model goes: --out FILE.cvm.");
  if (needsTarget(kind) && options.target === undefined) {
    throw new WrongInput(`Say which column a ${kind} is to tell: --target COLUMN.`);
  }
  if (share >= 1) throw new WrongInput("--hold-out is a part of the rows, below 1.");
  const data = readDataset(path, { target: options.target, features: options.features });
  terminal.line(`${path}: ${told(data)}.`);
  const split = holdOut(data, share, seed);
  if (split.heldOut.length === 0) throw new WrongInput(`${path} has too few rows to hold any out.`);
  const trainer: TrainerOptions = { ...options, kind, seed };
  terminal.progress(`Training a ${kind} on ${split.training.length} rows ...`);
  const bytes = train(rowsOf(data, split.training), trainer);
  const judged = evaluate(readModel(bytes.slice()), rowsOf(data, split.heldOut));
  const accuracies: number[] = [];
  if (judged.of === "classes" && foldCount > 1) {
    for (const [i, fold] of folds(data, foldCount, seed).entries()) {
      terminal.progress(`Fold ${i + 1} ...`);
      const found = evaluate(
        readModel(train(rowsOf(data, fold.training), trainer)),
        rowsOf(data, fold.heldOut),
      );
      if (found.of === "classes") accuracies.push(found.accuracy);
    }
  }
  terminal.progress("Counting what it costs a board ...");
  const cost = await costOf(bytes, data.rows);
  const classes = needsTarget(kind) ? data.classes : [];
  const note = `${kind} from ${basename(path)}, seed ${seed}`;
  await saved(out, () => writeModelFile(out, { features: data.features, classes, note, bytes }));
  terminal.line();
  for (const line of evaluationLines(judged)) terminal.line(line);
  terminal.line();
  terminal.line(`held out: ${summary(judged)}`);
  const spread = deviationOf(accuracies);
  if (accuracies.length > 0) {
    terminal.line(
      `${accuracies.length} folds: ${percent(meanOf(accuracies))} right, give or take ${percent(spread)}`,
    );
  }
  terminal.line(`${out}: ${sizeLine(bytes.length)}`);
  terminal.line(costLine(cost));
  terminal.result({
    file: out,
    kind,
    features: data.features,
    classes,
    bytes: bytes.length,
    heldOut: judged,
    folds: accuracies.length === 0 ? null : { accuracies, mean: meanOf(accuracies), deviation: spread },
    ...cost,
  });
}

async function evalModel(
  terminal: Terminal,
  options: ModelOptions,
  path: string,
  dataFile: string | undefined,
): Promise<void> {
  const { readDataset } = await import("../../trainer/dataset.ts");
  const { evaluate } = await import("../../trainer/evaluate.ts");
  const { readModelFile } = await import("../../trainer/model-file.ts");
  const { evaluationLines, summary } = await import("../model-lines.ts");
  if (dataFile === undefined)
    throw new WrongInput("Say what to judge it by: covey model eval FILE.cvm DATA.csv.");
  const file = readModelFile(path);
  if (file.classes.length > 0 && options.target === undefined) {
    throw new WrongInput("Say which column has the right answers: --target COLUMN.");
  }
  const read = readDataset(dataFile, { target: options.target, features: file.features });
  const data = file.classes.length === 0 ? read : relabelled(read, file.classes, dataFile);
  const judged = evaluate(file.model, data);
  for (const line of evaluationLines(judged)) terminal.line(line);
  terminal.line();
  terminal.line(summary(judged));
  terminal.result({ file: path, data: dataFile, ...judged });
}

async function modelInfo(terminal: Terminal, _options: ModelOptions, path: string): Promise<void> {
  const { readModelFile } = await import("../../trainer/model-file.ts");
  const { sizeLine, costLine } = await import("../model-lines.ts");
  const { features, classes, note, bytes, model: read } = readModelFile(path);
  terminal.progress("Counting what it costs a board ...");
  const cost = await costOf(bytes);
  terminal.line(`${path}: ${read.kind} (${note})`);
  terminal.line(`features: ${features.join(", ")}`);
  if (classes.length > 0)
    terminal.line(`classes: ${classes.map((label, at) => `${at} ${label}`).join(", ")}`);
  terminal.line(sizeLine(bytes.length));
  terminal.line(costLine(cost));
  terminal.result({ file: path, kind: read.kind, note, features, classes, bytes: bytes.length, ...cost });
}

async function importModel(terminal: Terminal, { out }: ModelOptions, path: string): Promise<void> {
  const { importDump } = await import("../../trainer/scikit-learn/import.ts");
  const { writeModelFile } = await import("../../trainer/model-file.ts");
  const { sizeLine } = await import("../model-lines.ts");
  if (out === undefined) throw new WrongInput("Say where the model goes: --out FILE.cvm.");
  const { file, rows, agreeing } = importDump(path);
  await saved(out, () => writeModelFile(out, file));
  terminal.line(`${out}: ${file.note}, ${sizeLine(file.bytes.length)}`);
  terminal.line(`It says what scikit-learn says of ${agreeing} of the dump's ${rows} rows.`);
  const { features, classes, note, bytes } = file;
  terminal.result({ file: out, note, features, classes, bytes: bytes.length, rows, agreeing });
}

async function costOf(bytes: Uint8Array, rows?: readonly Float64Array[]) {
  const { inferenceCost } = await import("../../trainer/inference-cost.ts");
  return rows === undefined ? inferenceCost(bytes) : inferenceCost(bytes, rows);
}

function told({ rows, features, classes }: Dataset): string {
  const of = classes.length > 0 ? `, ${classes.length} classes` : "";
  return `${rows.length.toLocaleString("en-US")} rows, ${features.length} features${of}`;
}

/** The same with the model's classes, whichever of them occur. */
function relabelled(data: Dataset, classes: readonly string[], file: string): Dataset {
  const stranger = data.classes.find((label) => !classes.includes(label));
  if (stranger !== undefined) {
    throw new WrongInput(
      `"${stranger}" in ${file} is no class of the model; it knows ${classes.join(", ")}.`,
    );
  }
  return { ...data, classes, labels: data.labels.map((label) => classes.indexOf(data.classes[label]!)) };
}

/** What is wrong with a file that the user named is no fault of Covey's. */
async function sound(work: () => Promise<void>): Promise<void> {
  const { DatasetError } = await import("../../trainer/dataset.ts");
  const { ModelFileError } = await import("../../trainer/model-file.ts");
  const { DumpError } = await import("../../trainer/scikit-learn/dump.ts");
  const { TrainingError } = await import("../../trainer/train.ts");
  const { TreeTooLarge } = await import("../../../protocols/model/trees.ts");
  try {
    await work();
  } catch (error) {
    const isOfUser = [DatasetError, ModelFileError, DumpError, TrainingError, TreeTooLarge].some(
      (kind) => error instanceof kind,
    );
    throw isOfUser ? new WrongInput((error as Error).message) : error;
  }
}

async function saved(path: string, write: () => void): Promise<void> {
  try {
    write();
  } catch (error) {
    throw new Failed(`${path} can't be written (${(error as NodeJS.ErrnoException).code}).`, "file");
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
}

function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
}
