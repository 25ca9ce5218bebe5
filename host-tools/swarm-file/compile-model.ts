/** Checks and compiles what a board works out of several metrics together. */
import { basename, resolve } from "node:path";
import { crc32 } from "node:zlib";
import { HalfSpaces } from "../../protocols/model/half-spaces.ts";
import type { ModelUse } from "../../protocols/pipeline/model-use.ts";
import { modelUseLimits } from "../../protocols/pipeline/model-use.ts";
import { isProgramName } from "../../protocols/pipeline/program-codec.ts";
import { type ModelFile, ModelFileError, readModelFile } from "../trainer/model-file.ts";
import type { DeployedModel } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isNumberWithin, isRecord, programNameRule, shown } from "./given.ts";
import type { ModelPart } from "./parts.ts";
import { pace, type Source, waitsFor } from "./source.ts";
import { suggestion } from "./suggestion.ts";

export interface CompiledModel {
  readonly use: ModelUse;
  readonly unit: string;
  /** Between one reading and the next, and whether one comes each time. */
  readonly everyMs: number;
  readonly isSteady: boolean;
  /** What it takes on the board: of a trained one its bytes, and what it learns. */
  readonly stateBytes: number;
  /** What travels beside the program; undefined of a regression. */
  readonly deployed: DeployedModel | undefined;
}

/** Bytes of what half-spaces have learned and a checkpoint keeps, in one record of the flash. */
const learnedBytesMax = 1_800;

/** `file` is the swarm's. undefined where a mistake leaves nothing to compile. */
export function compileModel(
  part: ModelPart,
  sources: readonly Source[],
  file: string,
  diagnostics: Diagnostics,
): CompiledModel | undefined {
  const { metric } = part;
  if (typeof metric !== "string" || !isProgramName(metric)) {
    diagnostics.add(
      part.site,
      [String(metric)],
      `${shown(metric)} cannot name a metric: ${programNameRule}.`,
    );
  }
  const compilation = new ModelCompilation(part, sources, diagnostics);
  return part.type === "trained" ? compilation.trained(file) : compilation.regression();
}

class ModelCompilation {
  readonly #part: ModelPart;
  readonly #sources: readonly Source[];
  readonly #diagnostics: Diagnostics;

  constructor(part: ModelPart, sources: readonly Source[], diagnostics: Diagnostics) {
    this.#part = part;
    this.#sources = sources;
    this.#diagnostics = diagnostics;
  }

  trained(swarmFile: string): CompiledModel | undefined {
    const { metric, given } = this.#part;
    const path = resolve(swarmFile, "..", String(given.file));
    const read = this.#read(path);
    if (read === undefined) return undefined;
    const { model, bytes } = read;
    const { featuresMax } = modelUseLimits;
    if (model.features > featuresMax) {
      this.#wrong(
        [String(given.file)],
        `${shown(given.file)} takes ${model.features} features, and a board gathers ${featuresMax} at most; train it on fewer with --features.`,
      );
      return undefined;
    }
    const features = this.#features(read, given.from);
    const crc = crc32(bytes);
    const isHalfSpaces = model instanceof HalfSpaces;
    const learns = given.learn === true;
    if (learns && !isHalfSpaces) {
      this.#wrong(
        ["learn"],
        `only half-spaces go on learning on a board, and ${shown(given.file)} is a ${model.kind}.`,
      );
    }
    const learned = learns && isHalfSpaces ? 2 * model.nodes : 0;
    if (learned > learnedBytesMax) {
      this.#wrong(
        ["learn"],
        `${shown(given.file)} would learn ${learned} bytes, and ${learnedBytesMax} are the most; make it with fewer --trees or a smaller --depth.`,
      );
    }
    const use: ModelUse = {
      kind: "trained",
      metric,
      features,
      waits: waitsFor(features, this.#sources),
      name: nameOf(path),
      bytes: bytes.length,
      crc,
      ofClass: this.#classTold(read),
      learns,
    };
    const deployed = { name: use.name, crc, bytes: Buffer.from(bytes).toString("base64") };
    return {
      use,
      unit: "",
      ...pace(features, this.#sources),
      stateBytes: bytes.length + learned + 8 * features.length,
      deployed,
    };
  }

  regression(): CompiledModel {
    const { metric, given } = this.#part;
    const { of, from, memory = 1_000, gives = "residual" } = given;
    const { regressionFeaturesMax, memoryMin, memoryMax } = modelUseLimits;
    const target = this.#metric(of);
    const named = Array.isArray(from) ? from : [];
    if (named.length < 1 || named.length > regressionFeaturesMax) {
      this.#wrong(
        ["from"],
        `from must be a list of 1 to ${regressionFeaturesMax} metrics, not ${shown(from)}.`,
      );
    }
    const features = named.map((each) => this.#metric(each));
    if (features.includes(target)) {
      this.#wrong(["from"], `${shown(of)} is what is to be told; it cannot be told from itself.`);
    }
    if (!isNumberWithin(memory, memoryMin, memoryMax) || !Number.isInteger(memory)) {
      this.#wrong(
        ["memory"],
        `memory must be a whole number from ${memoryMin} to ${memoryMax}, not ${shown(memory)}.`,
      );
    }
    if (gives !== "prediction" && gives !== "residual") {
      this.#wrong(["gives"], `gives must be "prediction" or "residual", not ${shown(gives)}.`);
    }
    // The target's bit is always set: a row without it would teach nothing.
    const waits = waitsFor(features, this.#sources) | (2 ** features.length);
    const size = features.length + 1;
    return {
      use: {
        kind: "regression",
        metric,
        features,
        waits,
        target,
        memory: memory as number,
        gives: gives as "prediction" | "residual",
      },
      unit: this.#sources.find((source) => source.metric === target)?.unit ?? "",
      ...pace([...features, target], this.#sources),
      stateBytes: 8 * (size * size + 6 * size - 1),
      deployed: undefined,
    };
  }

  #read(path: string): ReturnType<typeof readModelFile> | undefined {
    try {
      return readModelFile(path);
    } catch (error) {
      if (!(error instanceof ModelFileError)) throw error;
      this.#wrong([String(this.#part.given.file)], error.message);
      return undefined;
    }
  }

  /** The metric of each feature, by `from` or by its own name. */
  #features(read: ModelFile, from: unknown): string[] {
    if (from !== undefined && !isRecord(from)) {
      this.#wrong(["from"], 'from must say which metric is which feature: { mean: "temperature.mean" }.');
    }
    const given = isRecord(from) ? from : {};
    for (const name of Object.keys(given)) {
      if (!read.features.includes(name)) {
        this.#wrong(
          ["from", name],
          `the model has no feature ${shown(name)}${suggestion(name, read.features)}`,
        );
      }
    }
    return read.features.map((feature) => {
      const metric = Object.hasOwn(given, feature) ? given[feature] : feature;
      return this.#metric(metric, `the model's feature ${shown(feature)} needs a metric; say which in from`);
    });
  }

  #metric(metric: unknown, unlessThere = ""): string {
    const known = this.#sources.map((source) => source.metric);
    if (typeof metric === "string" && known.includes(metric)) return metric;
    const text = `the board has no metric ${shown(metric)}${suggestion(metric, known)}`;
    this.#wrong([String(metric)], unlessThere === "" ? text : `${text} (${unlessThere}.)`);
    return String(metric);
  }

  #classTold({ model, classes }: ReturnType<typeof readModelFile>): number | undefined {
    const { share, distance } = this.#part.given;
    if (distance !== undefined && model.kind !== "clusters") {
      this.#wrong(["distance"], `distance is for k-means, and this model is a ${model.kind}.`);
    }
    if (share === undefined) return distance === true ? 0 : undefined;
    const at = classes.indexOf(String(share));
    if (at < 0) this.#wrong(["share"], `the model has no class ${shown(share)}${suggestion(share, classes)}`);
    return Math.max(0, at);
  }

  #wrong(path: readonly string[], text: string): void {
    this.#diagnostics.add(this.#part.site, path, text);
  }
}

/** What the state calls it: the file's name, as far as a name goes. */
function nameOf(path: string): string {
  const name = basename(path)
    .replace(/\.[^.]*$/, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, "-");
  return name.slice(0, modelUseLimits.nameLengthMax) || "model";
}
