/** One small model of each family, by hand: what tests read, and change. */
import { packBayes } from "../../../protocols/model/bayes.ts";
import { leafZero, packBoosted } from "../../../protocols/model/boosted.ts";
import { packClusters } from "../../../protocols/model/clusters.ts";
import { packForest } from "../../../protocols/model/forest.ts";
import { packHalfSpaces } from "../../../protocols/model/half-spaces.ts";
import { packLogistic } from "../../../protocols/model/logistic.ts";
import { packNetwork } from "../../../protocols/model/network.ts";
import type { TreeNode } from "../../../protocols/model/trees.ts";

/** Of two features, which are taken as they come. */
const quantiser = Float32Array.of(0, 1, 0, 1);

/** x at most 10: class 0; else y at most 5: leaf 2; else class 1. */
export const smallTree: TreeNode = {
  feature: 0,
  threshold: 10,
  left: { leaf: 0 },
  right: { feature: 1, threshold: 5, left: { leaf: 2 }, right: { leaf: 1 } },
};

/** In the order of `modelKinds`. */
export function smallModels(): Uint8Array[] {
  return [
    // Leaf 2 shares its vote 2 to 3.
    packForest({ quantiser, classes: 2, trees: [smallTree, { leaf: 1 }], leaves: Uint8Array.of(102, 153) }),
    packBoosted({
      quantiser,
      classes: 2,
      trees: [
        {
          feature: 0,
          threshold: 10,
          left: { leaf: leafZero - 8 },
          right: { leaf: leafZero + 4 },
        },
        { leaf: leafZero + 1 },
      ],
      bases: [0.5],
      step: 0.25,
    }),
    packLogistic(2, 3, Float32Array.of(0, 1, 0, 0, 0, 1, 4, 0, 0)),
    packNetwork({
      quantiser,
      classes: 2,
      hidden: [2],
      factors: Float32Array.of(0.5, 0.01),
      biases: Int32Array.of(0, 10, 3, 0),
      weights: Int8Array.of(1, -1, -1, 1, 2, 0, 0, 2),
    }),
    packBayes(2, 2, Float32Array.of(-1, 0, 0.5, 0, 0.5, -2, 4, 0.5, 4, 0.5)),
    packClusters(2, Float32Array.of(1, 0.5), Float32Array.of(0, 0, 3, 4)),
    packHalfSpaces({
      quantiser,
      trees: 1,
      depth: 1,
      window: 10,
      thresholds: Int16Array.of(10),
      featureOf: Uint8Array.of(0),
      masses: Uint8Array.of(10, 9, 1),
    }),
  ];
}
