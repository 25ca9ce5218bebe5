/** Models: the bytes that a board puts together from the agreed state, and what a program says of them. */

import { join } from "node:path";
import { ModelRun } from "../../../firmware/sensing/learning/model-run.ts";
import { readModelFile } from "../../../host-tools/trainer/model-file.ts";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { ShapeError } from "../../../protocols/cbor/shape.ts";
import { readModel } from "../../../protocols/model/codec.ts";
import { HalfSpaces } from "../../../protocols/model/half-spaces.ts";
import { PackedReader } from "../../../protocols/model/packed.ts";
import { modelUseFromWire } from "../../../protocols/pipeline/model-use.ts";
import { isProgramName } from "../../../protocols/pipeline/program-codec.ts";
import { smallModels } from "../../protocols/model/small-models.ts";
import type { Target } from "../target.ts";

const examples = join(import.meta.dirname, "../../../examples/machine-room");
const pipelines = [{ metric: "a" }, { metric: "b" }, { metric: "c" }];
const errors = [CborError, ShapeError];

export const modelTargets: readonly Target[] = [
  {
    name: "model (board)",
    covers: ["protocols/model/codec.ts readModel"],
    seeds: [...smallModels(), readModelFile(join(examples, "machine.cvm")).bytes],
    errors,
    // What is read must also bear to be used.
    decode: (bytes) => {
      const model = readModel(bytes);
      const row = new Float64Array(model.features).fill(1.5);
      const decided = model.decide(row);
      if (model instanceof HalfSpaces) for (let i = 0; i < 3; i++) model.learn();
      return [decided, model.score(Math.max(0, model.classes - 1))];
    },
  },
  {
    name: "head of a model (board)",
    covers: ["protocols/model/packed.ts PackedReader"],
    seeds: smallModels(),
    errors,
    decode: (bytes) => new PackedReader(bytes).kind,
  },
  {
    name: "use of a model, or what is derived (board)",
    covers: [
      "protocols/pipeline/model-use.ts modelUseFromWire",
      "protocols/pipeline/joined-use.ts joinedFromWire",
    ],
    seeds: [
      encodeCbor(["busy", [0, 1], 1, 0, "door", 520, 0xffff_ffff, null, false]),
      encodeCbor(["beyond", [0], 3, 1, 2, 1000, 1]),
      encodeCbor(["sum", [0, 1, 2], 7, 2, 0, 1000]),
      encodeCbor(["dew", [0, 1], 3, 2, 7, 1000]),
      encodeCbor(["r", [1, 2], 3, 3, 10, 5, 1000]),
      encodeCbor(["g.open", [0, 1], 1, 4, 1, 60_000, 7, 95]),
    ],
    errors,
    decode: (bytes) => {
      const use = modelUseFromWire(decodeCbor(bytes), "it", pipelines, isProgramName);
      const run = new ModelRun(use, undefined);
      for (let atMs = 0; atMs < 30; atMs++)
        for (const { metric } of pipelines) run.take(metric, atMs, atMs, 0);
      return [use, run.save(30)];
    },
  },
];
