import { Bayes } from "./bayes.ts";
import { Boosted } from "./boosted.ts";
import { Clusters } from "./clusters.ts";
import { Forest } from "./forest.ts";
import { HalfSpaces } from "./half-spaces.ts";
import { Logistic } from "./logistic.ts";
import type { Model } from "./model.ts";
import { Network } from "./network.ts";
import { PackedReader } from "./packed.ts";

/**
 * The model that `bytes` hold, at most `modelLimits.bytesMax` of them. It goes on reading them, and half-spaces that learn write into them: they are the
 * model's from now on. Throws `ShapeError` or `CborError` for anything but one whole model.
 */
export function readModel(bytes: Uint8Array): Model {
  const reader = new PackedReader(bytes);
  const model = modelOf(reader);
  reader.end();
  return model;
}

function modelOf(reader: PackedReader): Model {
  switch (reader.kind) {
    case "forest":
      return new Forest(reader);
    case "boosted":
      return new Boosted(reader);
    case "logistic":
      return new Logistic(reader);
    case "network":
      return new Network(reader);
    case "bayes":
      return new Bayes(reader);
    case "clusters":
      return new Clusters(reader);
    case "half-spaces":
      return new HalfSpaces(reader);
  }
}
