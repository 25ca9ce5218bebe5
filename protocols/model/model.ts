/**
 * A trained model: what a host has learned from data, and a board decides with.
 *
 * It is bytes: a CBOR head and the tables of its family, packed for typed-array views, so that a board decides straight from what
 * came in the log. The code that decides is this folder on hosts and boards alike, of integers and of `+ - * /` and the square root of
 * doubles, which every engine rounds alike: what a host tells of a model's accuracy is what the board has.
 */
export type ModelKind = (typeof modelKinds)[number];

/** A kind's place is its number on the wire. */
export const modelKinds = Object.freeze([
  "forest",
  "boosted",
  "logistic",
  "network",
  "bayes",
  "clusters",
  "half-spaces",
] as const);

/** A model ready to decide. It allocates nothing from one row to the next. */
export interface Model {
  readonly kind: ModelKind;
  /** Numbers of a row. */
  readonly features: number;
  /** Classes, or clusters; 0 of a model that only scores. */
  readonly classes: number;
  /** The class of a row of finite numbers, from 0; 0 of a model that only scores. */
  decide(row: Float64Array): number;
  /**
   * Of the row that was decided last: what share of the model speaks for a class, 0 to 1; of clusters the distance to the nearest, in the
   * units that they were scaled to; of half-spaces how anomalous the row is, 0 to 1.
   */
  score(ofClass: number): number;
}

/** Limits that are part of the format. */
export const modelLimits = Object.freeze({
  /** Eight values of the agreed state. */
  bytesMax: 7_200,
  featuresMax: 64,
  classesMax: 32,
  treesMax: 255,
  /** Decisions from a tree's root to a leaf. */
  depthMax: 16,
  /** Layers between a network's input and its output, and neurons of one. */
  hiddenLayersMax: 3,
  neuronsMax: 64,
  /** Samples between two looks of half-spaces at what they have learned: so that counts are bytes. */
  windowMax: 250,
  halfSpaceDepthMax: 8,
});

/** Under which parts of models are kept in the agreed state. */
export const modelKeyPrefix = "model/";

/**
 * Where a part of a model is kept: `model/<name>-<crc>/<part>`, from part 0 on, each but the last as long as a value may be. `crc` is the CRC-32 of all its bytes, so a
 * model that is trained anew lies beside the one that boards still run.
 */
export function modelPartKey(name: string, crc: number, part: number): string {
  return `${modelKeyPrefix}${name}-${crc.toString(16)}/${part}`;
}
