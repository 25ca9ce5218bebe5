import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { readDoubles, savedDoubles } from "../stages/doubles.ts";

/** How uncertain weights are before anything is learned, of a feature in its unit. */
const uncertaintyAtFirst = 1e4;
/** In a stream that says nothing new, forgetting makes all uncertain without end; beyond so much in all, nothing is forgotten. */
const uncertaintyMax = 1e8;
/** What a feature must move by to have a unit: less is nothing of which a square could be told from 0. */
const moveMin = 1e-30;

/**
 * A linear model, learned row by row: recursive least squares with exponential forgetting (Haykin, Adaptive Filter Theory, chapter 10). After n rows it
 * has the weights that a least squares fit of those rows has, the older ones weighed less by `1 - 1 / memory` a row.
 *
 * Features and target are taken from the first row's, so that what is large and hardly moves, such as a pressure, costs no digits. A feature's unit is
 * how far it first moves, so that a slope of thousandths is learned as soon as a pressure in pascals.
 */
export class RecursiveLeastSquares {
  readonly #size: number;
  readonly #forgetting: number;
  /** The first row, then its target. */
  readonly #origin: Float64Array;
  /** Of each feature, its unit; 0 of one that has not moved yet. */
  readonly #units: Float64Array;
  /** Of the features, then of 1. */
  readonly #weights: Float64Array;
  /** The inverse of the rows' correlations: how uncertain each weight is, and each two together. */
  readonly #uncertainty: Float64Array;
  readonly #row: Float64Array;
  readonly #gain: Float64Array;
  #rows = 0;

  /** @param memory rows after which a row weighs 1/e */
  constructor(features: number, memory: number) {
    const size = features + 1;
    this.#size = size;
    this.#forgetting = 1 - 1 / memory;
    this.#origin = new Float64Array(size);
    this.#units = new Float64Array(features);
    this.#weights = new Float64Array(size);
    this.#uncertainty = new Float64Array(size * size);
    this.#row = new Float64Array(size);
    this.#gain = new Float64Array(size);
    for (let i = 0; i < size; i++) this.#uncertainty[i * size + i] = uncertaintyAtFirst;
  }

  /** Whether it has seen enough rows for each weight to follow from them. */
  get isReady(): boolean {
    return this.#rows > this.#size;
  }

  /** What it takes the target of `features` to be; learns then that it is `target`. `features` may go on behind those of the model. */
  learn(features: Float64Array, target: number): number {
    const size = this.#size;
    const last = size - 1;
    const origin = this.#origin;
    const units = this.#units;
    const weights = this.#weights;
    const row = this.#row;
    if (this.#rows === 0) {
      for (let i = 0; i < last; i++) origin[i] = features[i]!;
      origin[last] = target;
    }
    this.#rows++;
    let predicted = weights[last]!;
    for (let i = 0; i < last; i++) {
      const moved = features[i]! - origin[i]!;
      if (units[i] === 0 && Number.isFinite(moved) && Math.abs(moved) > moveMin) units[i] = Math.abs(moved);
      const x = units[i] === 0 ? 0 : moved / units[i]!;
      row[i] = x;
      predicted += weights[i]! * x;
    }
    row[last] = 1;
    this.correct(target - origin[last]! - predicted);
    return predicted + origin[last]!;
  }

  /** [rows, the bytes of origin, weights, uncertainty and units], for a checkpoint. */
  save(): CborValue {
    const size = this.#size;
    const all = new Float64Array(this.savedLength);
    all.set(this.#origin);
    all.set(this.#weights, size);
    all.set(this.#uncertainty, 2 * size);
    all.set(this.#units, 2 * size + size * size);
    return [this.#rows, savedDoubles(all)];
  }

  /** Throws `ShapeError`, and has changed nothing, for anything but what a model of as many features saved. */
  restore(state: CborValue): void {
    const size = this.#size;
    const items = new ItemReader(state, "checkpoint", "regression", 2);
    const rows = items.integer("the rows", 0, Number.MAX_SAFE_INTEGER);
    const length = this.savedLength;
    const all = readDoubles(items.any(), "regression", length, length);
    for (let i = 0; i < length; i++) {
      if (!Number.isFinite(all[i]))
        throw new ShapeError("checkpoint", "a regression", "finite numbers", all[i]);
    }
    this.#rows = rows;
    this.#origin.set(all.subarray(0, size));
    this.#weights.set(all.subarray(size, 2 * size));
    this.#uncertainty.set(all.subarray(2 * size, 2 * size + size * size));
    this.#units.set(all.subarray(2 * size + size * size));
  }

  private get savedLength(): number {
    return 2 * this.#size + this.#size * this.#size + this.#units.length;
  }

  /** The prediction was short by `error`. */
  private correct(error: number): void {
    const size = this.#size;
    const row = this.#row;
    const gain = this.#gain;
    const uncertainty = this.#uncertainty;
    let trace = 0;
    let spread = 0;
    for (let i = 0, at = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += uncertainty[at++]! * row[j]!;
      gain[i] = sum;
      spread += sum * row[i]!;
      trace += uncertainty[i * size + i]!;
    }
    const forgetting = trace > uncertaintyMax ? 1 : this.#forgetting;
    const divisor = forgetting + spread;
    const step = error / divisor;
    // A row so far off that the numbers end teaches nothing.
    if (!Number.isFinite(step) || !Number.isFinite(divisor)) return;
    for (let i = 0; i < size; i++) {
      this.#weights[i]! += gain[i]! * step;
      // One half is worked out and the other a copy: so they can't drift apart.
      for (let j = i; j < size; j++) {
        const less = (uncertainty[i * size + j]! - gain[i]! * (gain[j]! / divisor)) / forgetting;
        uncertainty[i * size + j] = less;
        uncertainty[j * size + i] = less;
      }
    }
  }
}
