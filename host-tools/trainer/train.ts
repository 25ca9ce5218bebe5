/** Trains a model of any kind from data: one word for the kind, one set of options with what is usual for each. */
import { modelLimits } from "../../protocols/model/model.ts";
import type { Dataset } from "./dataset.ts";
import { trainBayes } from "./families/bayes.ts";
import { trainBoosted } from "./families/boosted.ts";
import { trainClusters } from "./families/clusters.ts";
import { trainForest } from "./families/forest.ts";
import { trainHalfSpaces } from "./families/half-spaces.ts";
import { trainLogistic } from "./families/logistic.ts";
import { trainNetwork } from "./families/network.ts";

export const trainerKinds = [
  "tree",
  "forest",
  "boosted",
  "logistic",
  "mlp",
  "bayes",
  "kmeans",
  "half-spaces",
] as const;

export type TrainerKind = (typeof trainerKinds)[number];

export interface TrainerOptions {
  readonly kind: TrainerKind;
  readonly seed: number;
  /** Of a forest, and of half-spaces. */
  readonly trees?: number | undefined;
  readonly depth?: number | undefined;
  /** Of boosted trees: trees for each score. */
  readonly rounds?: number | undefined;
  /** Of an mlp: neurons of each hidden layer. */
  readonly hidden?: readonly number[] | undefined;
  /** Of an mlp: times that it sees all rows. */
  readonly epochs?: number | undefined;
  readonly clusters?: number | undefined;
  /** Rows of a window of half-spaces. */
  readonly window?: number | undefined;
}

/** What cannot be trained as asked; the message says what to change. */
export class TrainingError extends Error {}

/** Whether a kind learns from labelled rows; the others look for what rows have in common. */
export function needsTarget(kind: TrainerKind): boolean {
  return kind !== "kmeans" && kind !== "half-spaces";
}

/** The bytes of the model. Throws `TrainingError` where the data are too few or the model too large, `TreeTooLarge` for too deep a tree. */
export function train(data: Dataset, options: TrainerOptions): Uint8Array {
  const bytes = trainKind(data, options);
  if (bytes.length > modelLimits.bytesMax) {
    throw new TrainingError(
      `The model takes ${bytes.length} bytes; ${modelLimits.bytesMax} are the most, so make it smaller: ${smallerBy[options.kind]}.`,
    );
  }
  return bytes;
}

function trainKind(data: Dataset, options: TrainerOptions): Uint8Array {
  const { kind, seed } = options;
  switch (kind) {
    case "tree":
      return trainForest(data, { trees: 1, depth: options.depth ?? 6, leafRows: 2, seed });
    case "forest":
      return trainForest(data, { trees: options.trees ?? 10, depth: options.depth ?? 6, leafRows: 1, seed });
    case "boosted":
      return trainBoosted(data, {
        rounds: options.rounds ?? 10,
        depth: options.depth ?? 3,
        rate: 0.3,
        leafRows: 2,
        seed,
      });
    case "logistic":
      return trainLogistic(data, { regularisation: 1, iterations: 500 });
    case "mlp":
      return trainNetwork(data, {
        hidden: options.hidden ?? [16],
        epochs: options.epochs ?? 100,
        rate: 0.01,
        decay: 1e-4,
        seed,
      });
    case "bayes":
      return trainBayes(data);
    case "kmeans": {
      const clusters = options.clusters ?? 3;
      if (clusters > data.rows.length)
        throw new TrainingError(`${clusters} clusters need as many rows; there are ${data.rows.length}.`);
      return trainClusters(data, { clusters, seed });
    }
    case "half-spaces": {
      const window = options.window ?? modelLimits.windowMax;
      if (data.rows.length < window) {
        throw new TrainingError(
          `Half-spaces learn from whole windows of ${window} rows, and there are ${data.rows.length}; take more data or a smaller --window.`,
        );
      }
      return trainHalfSpaces(data, { trees: options.trees ?? 15, depth: options.depth ?? 5, window, seed });
    }
  }
}

const smallerBy: Readonly<Record<TrainerKind, string>> = {
  tree: "a smaller --depth",
  forest: "fewer --trees or a smaller --depth",
  boosted: "fewer --rounds or a smaller --depth",
  logistic: "fewer --features",
  mlp: "fewer --hidden neurons",
  bayes: "fewer --features",
  kmeans: "fewer --clusters",
  "half-spaces": "fewer --trees or a smaller --depth",
};
