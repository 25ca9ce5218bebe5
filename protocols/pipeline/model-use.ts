/**
 * What a board works out of several of its metrics together, a row of numbers at a time. A row is whole, and used, each time that every metric
 * which is to be waited for has come anew, with the latest of the others.
 *
 * ```
 * use       [metric, [pipeline, ...], waits, 0, name, bytes, crc, class | null, learns]       a trained model
 *           [metric, [pipeline, ...], waits, 1, pipeline, memory, 0 prediction | 1 residual]   a regression that the board learns itself
 *           [metric, [pipeline, ...], waits, 2 to 4, ...]             `joined-use.ts`
 * ```
 *
 * A pipeline stands for its metric by its place in the program, and a use by its own, behind all pipelines: it may be a feature of those after it.
 */
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { modelLimits } from "../model/model.ts";
import { isSameJoined, type JoinedUse, joinedFromWire, joinedToWire } from "./joined-use.ts";

export type ModelUse = TrainedUse | RegressionUse | JoinedUse;

interface Use {
  /** Unique on the board, pipelines' included. */
  readonly metric: string;
  /** Metrics of pipelines or of uses before this one, in the order of the model's features. */
  readonly features: readonly string[];
  /** Bit i: feature i must have come anew; of a regression the bit behind the last feature is the target's, always set. */
  readonly waits: number;
}

/** A model that a host has trained, and that came in the log. */
export interface TrainedUse extends Use {
  readonly kind: "trained";
  /** With `crc` where its bytes are: `modelPartKey`. */
  readonly name: string;
  readonly bytes: number;
  /** CRC-32 of its bytes. */
  readonly crc: number;
  /** The class whose share is told; undefined for the class that the row is of. Of what only scores, the score is told. */
  readonly ofClass: number | undefined;
  /** Half-spaces that go on learning. */
  readonly learns: boolean;
}

/** A linear model of one metric by others, learned on the board. */
export interface RegressionUse extends Use {
  readonly kind: "regression";
  readonly target: string;
  /** Rows after which what was learned weighs 1/e. */
  readonly memory: number;
  readonly gives: "prediction" | "residual";
}

export const modelUseLimits = Object.freeze({
  usesMax: 8,
  /** A metric may be several of them. */
  featuresMax: 24,
  regressionFeaturesMax: 8,
  memoryMin: 10,
  memoryMax: 1_000_000,
  /** Of a model in the state, lower-case letters, digits, `.` and `-`. */
  nameLengthMax: 24,
});

interface Named {
  readonly metric: string;
}

/** `named` are the pipelines, then the uses before this one. */
export function modelUseToWire(use: ModelUse, named: readonly Named[]): CborValue {
  const placeOf = (metric: string) => named.findIndex((one) => one.metric === metric);
  const head = [use.metric, use.features.map(placeOf), use.waits];
  if (use.kind === "trained") {
    return [...head, 0, use.name, use.bytes, use.crc, use.ofClass ?? null, use.learns];
  }
  if (use.kind !== "regression") return [...head, ...joinedToWire(use)];
  return [...head, 1, placeOf(use.target), use.memory, use.gives === "prediction" ? 0 : 1];
}

/** Throws `ShapeError`; `named` are the pipelines, then the uses before this one; `isName` says what may name a metric or a model. */
export function modelUseFromWire(
  value: CborValue,
  part: string,
  named: readonly Named[],
  isName: (text: string) => boolean,
): ModelUse {
  const items = new ItemReader(value, "program", part, 6);
  const nameFrom = (item: string, lengthMax: number) => {
    const name = items.text(item, lengthMax);
    if (isName(name)) return name;
    throw new ShapeError("program", `${item} of ${part}`, "lower-case letters, digits, . and -", name);
  };
  const metric = nameFrom("metric", metricLengthMax);
  const places = items.array("the features", modelUseLimits.featuresMax);
  const each = new ItemReader(places, "program", `the features of ${part}`, 1);
  const features = places.map(() => named[each.integer("feature", 0, named.length - 1)]!.metric);
  const all = 2 ** features.length;
  const waits = items.integer("waits", 0, 2 * all - 1);
  const kind = items.integer("the kind", 0, 4);
  if (kind !== 1 && waits >= all) throw new ShapeError("program", `waits of ${part}`, `below ${all}`, waits);
  if (kind > 1) return joinedFromWire(items, kind, { metric, features, waits }, part);
  if (kind === 0) {
    const name = nameFrom("the name", modelUseLimits.nameLengthMax);
    const bytes = items.integer("the bytes", 1, modelLimits.bytesMax);
    const crc = items.integer("the crc", 0, 0xffff_ffff);
    const ofClass = items.integerOrNone("the class", 0, modelLimits.classesMax - 1);
    const learns = items.boolean("whether it learns");
    items.end();
    return { kind: "trained", metric, features, waits, name, bytes, crc, ofClass, learns };
  }
  const target = named[items.integer("the target", 0, named.length - 1)]!.metric;
  const memory = items.integer("the memory", modelUseLimits.memoryMin, modelUseLimits.memoryMax);
  const gives = items.integer("what it gives", 0, 1) === 0 ? "prediction" : "residual";
  items.end();
  const { regressionFeaturesMax } = modelUseLimits;
  if (features.length > regressionFeaturesMax) {
    throw new ShapeError(
      "program",
      `the features of ${part}`,
      `at most ${regressionFeaturesMax}`,
      features.length,
    );
  }
  return { kind: "regression", metric, features, waits: waits | all, target, memory, gives };
}

export function isSameModelUse(a: ModelUse, b: ModelUse): boolean {
  if (a.metric !== b.metric || a.waits !== b.waits || a.features.length !== b.features.length) return false;
  for (let i = 0; i < a.features.length; i++) if (a.features[i] !== b.features[i]) return false;
  if (a.kind === "trained") {
    if (b.kind !== "trained" || a.name !== b.name || a.bytes !== b.bytes || a.crc !== b.crc) return false;
    return a.ofClass === b.ofClass && a.learns === b.learns;
  }
  if (a.kind !== "regression") {
    return b.kind !== "trained" && b.kind !== "regression" && isSameJoined(a, b);
  }
  return b.kind === "regression" && a.target === b.target && a.memory === b.memory && a.gives === b.gives;
}

const metricLengthMax = 32;
