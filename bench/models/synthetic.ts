/** Models of a stated shape, of chance: what deciding costs where every path is as long as it may be. */

import { Random } from "../../host-tools/trainer/random.ts";
import { packForest } from "../../protocols/model/forest.ts";
import { packNetwork } from "../../protocols/model/network.ts";
import type { TreeNode } from "../../protocols/model/trees.ts";

export function fullForest(features: number, classes: number, trees: number, depth: number): Uint8Array {
  const random = new Random(1);
  const grow = (left: number): TreeNode =>
    left === 0
      ? { leaf: random.below(classes) }
      : {
          feature: random.below(features),
          threshold: random.below(20_000) - 10_000,
          left: grow(left - 1),
          right: grow(left - 1),
        };
  return packForest({
    quantiser: plainQuantiser(features, 100),
    classes,
    trees: Array.from({ length: trees }, () => grow(depth)),
    leaves: new Uint8Array(0),
  });
}

export function network(features: number, hidden: readonly number[], classes: number): Uint8Array {
  const random = new Random(1);
  const widths = [features, ...hidden, classes];
  const weights = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i]!, 0);
  const neurons = widths.slice(1).reduce((sum, width) => sum + width, 0);
  return packNetwork({
    quantiser: plainQuantiser(features, 1),
    classes,
    hidden,
    factors: Float32Array.from(widths.slice(1), () => 0.01),
    biases: Int32Array.from({ length: neurons }, () => random.below(200) - 100),
    weights: Int8Array.from({ length: weights }, () => random.below(255) - 127),
  });
}

export function rowsOfChance(features: number): Float64Array[] {
  const random = new Random(2);
  return Array.from({ length: 100 }, () =>
    Float64Array.from({ length: features }, () => 200 * random.next() - 100),
  );
}

function plainQuantiser(features: number, gain: number): Float32Array {
  return Float32Array.from({ length: 2 * features }, (_, i) => (i % 2 === 0 ? 0 : gain));
}
