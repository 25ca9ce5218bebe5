/**
 * Streaming half-space trees (Tan, Ting and Liu, Fast Anomaly Detection for Streaming Data, IJCAI 2011).
 *
 * Each tree halves the space of the features again and again, each time along one of them, where chance said before any data were seen. How many of the last
 * window's rows came by each node is its mass; a row that soon comes to where few have been is anomalous. To learn is to count: rows of the window under way
 * are counted beside the masses, and take their place when it ends. So what is learned has a fixed size, and what is old is forgotten.
 */
import { ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { type Model, modelLimits } from "./model.ts";
import { type PackedReader, packModel } from "./packed.ts";
import { int16Max, Quantiser } from "./quantiser.ts";

/** A node through which no more than such a part of the window came is not looked into further: the paper's size limit. */
const sizeLimitParts = 10;

/**
 * Head: features, trees, depth, samples of a window. Tables: quantiser; the threshold of each node that is no leaf, tree by tree, level by level; its feature; the mass
 * of every node, leaves too. All masses are 0 in one that has learned nothing yet.
 */
export class HalfSpaces implements Model {
  readonly kind = "half-spaces";
  readonly features: number;
  readonly classes = 0;
  /** Samples of a window. */
  readonly window: number;
  readonly #trees: number;
  readonly #depth: number;
  readonly #quantiser: Quantiser;
  readonly #thresholds: Int16Array;
  readonly #featureOf: Uint8Array;
  readonly #masses: Uint8Array;
  readonly #row: Int16Array;
  #score = 0;
  /** The masses of the window under way; undefined before anything is learned. */
  #latest: Uint8Array | undefined;
  #learned = 0;

  constructor(reader: PackedReader) {
    const features = reader.integer("features", 1, modelLimits.featuresMax);
    const trees = reader.integer("trees", 1, modelLimits.treesMax);
    const depth = reader.integer("depth", 1, modelLimits.halfSpaceDepthMax);
    const inner = trees * ((1 << depth) - 1);
    this.features = features;
    this.#trees = trees;
    this.#depth = depth;
    this.window = reader.integer("window", 10, modelLimits.windowMax);
    this.#quantiser = new Quantiser(reader.floats("quantiser", 2 * features), int16Max);
    this.#thresholds = reader.int16s("thresholds", inner);
    this.#featureOf = reader.uint8s("features of nodes", inner);
    this.#masses = reader.uint8s("masses", 2 * inner + trees);
    for (let i = 0; i < inner; i++) {
      if (this.#featureOf[i]! >= features) reader.fail("a feature", `below ${features}`, this.#featureOf[i]!);
    }
    this.#row = new Int16Array(features);
  }

  /** Nodes of all trees, leaves too: bytes of the masses of a window. */
  get nodes(): number {
    return this.#masses.length;
  }

  /** Whether a window has been learned, here or before: without one, every score is 1. */
  get isReady(): boolean {
    return this.#masses[0]! > 0;
  }

  decide(row: Float64Array): number {
    const masses = this.#masses;
    const limit = this.window / sizeLimitParts;
    const inner = (1 << this.#depth) - 1;
    this.#quantiser.quantise(row, this.#row);
    let sum = 0;
    for (let tree = 0; tree < this.#trees; tree++) {
      const mass = tree * (2 * inner + 1);
      let node = 0;
      let weight = 1;
      while (node < inner && masses[mass + node]! > limit) {
        node = this.next(tree * inner, node);
        weight *= 2;
      }
      sum += masses[mass + node]! * weight;
    }
    // Where rows are spread evenly each tree gives the window; so 0.5 is what chance would have.
    this.#score = this.window / (this.window + sum / this.#trees);
    return 0;
  }

  score(_ofClass: number): number {
    return this.#score;
  }

  /** Counts the row that was decided last. */
  learn(): void {
    this.#latest ??= new Uint8Array(this.#masses.length);
    const latest = this.#latest;
    const inner = (1 << this.#depth) - 1;
    for (let tree = 0; tree < this.#trees; tree++) {
      const mass = tree * (2 * inner + 1);
      let node = 0;
      latest[mass]!++;
      while (node < inner) {
        node = this.next(tree * inner, node);
        latest[mass + node]!++;
      }
    }
    if (++this.#learned < this.window) return;
    this.#masses.set(latest);
    latest.fill(0);
    this.#learned = 0;
  }

  /** [rows of the window under way, their masses, the masses of the last], for a checkpoint. */
  save(): CborValue {
    return [this.#learned, (this.#latest ?? new Uint8Array(0)).slice(), this.#masses.slice()];
  }

  /** Throws `ShapeError` for anything but what half-spaces of this very shape saved. */
  restore(state: CborValue): void {
    const [learned, latest, masses] = Array.isArray(state) ? (state as readonly CborValue[]) : [];
    const { length } = this.#masses;
    const isOfThis =
      typeof learned === "number" &&
      learned >= 0 &&
      learned < this.window &&
      latest instanceof Uint8Array &&
      (latest.length === length || (latest.length === 0 && learned === 0)) &&
      masses instanceof Uint8Array &&
      masses.length === length;
    if (!isOfThis) throw new ShapeError("checkpoint", "half-spaces", "what such save", state);
    this.#learned = learned;
    this.#latest = latest.length === 0 ? undefined : latest;
    this.#masses.set(masses);
  }

  /** The half of `node` that the row is in, in the tree whose decisions begin at `first`. */
  private next(first: number, node: number): number {
    const isRight = this.#row[this.#featureOf[first + node]!]! > this.#thresholds[first + node]!;
    return 2 * node + (isRight ? 2 : 1);
  }
}

export interface HalfSpacesParts {
  readonly quantiser: Float32Array;
  readonly trees: number;
  readonly depth: number;
  readonly window: number;
  readonly thresholds: Int16Array;
  readonly featureOf: Uint8Array;
  readonly masses: Uint8Array;
}

export function packHalfSpaces(parts: HalfSpacesParts): Uint8Array {
  const { quantiser, trees, depth, window, thresholds, featureOf, masses } = parts;
  const head = [quantiser.length / 2, trees, depth, window];
  return packModel("half-spaces", head, [quantiser, thresholds, featureOf, masses]);
}
