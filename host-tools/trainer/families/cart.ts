/**
 * Decision trees by recursive halving (CART; Breiman, Friedman, Olshen and Stone 1984), on rows of 16-bit integers: the very ones that the board
 * compares, so that a tree decides there as it was grown.
 */
import type { Random } from "../random.ts";

export type GrownTree<Leaf> =
  | { readonly leaf: Leaf }
  | {
      readonly feature: number;
      readonly threshold: number;
      readonly left: GrownTree<Leaf>;
      readonly right: GrownTree<Leaf>;
    };

export interface Growth<Leaf> {
  readonly rows: readonly Int16Array[];
  readonly depthMax: number;
  /** Rows of a leaf, at least. */
  readonly leafRowsMin: number;
  /** Features looked at for each decision, chosen by chance; undefined for all. */
  readonly featuresTried: number | undefined;
  readonly random: Random;
  /** What is to be made small, kept up to date while rows move from right to left. */
  readonly impurity: Impurity;
  leafOf(places: readonly number[]): Leaf;
}

/** The impurity of a set of rows, times their number: 0 when all are alike. */
export interface Impurity {
  /** Empty, and of the same kind. */
  fresh(): Impurity;
  add(row: number): void;
  remove(row: number): void;
  readonly total: number;
}

export function grow<Leaf>(growth: Growth<Leaf>, places: readonly number[], depth = 0): GrownTree<Leaf> {
  const split = depth < growth.depthMax ? bestSplit(growth, places) : undefined;
  if (split === undefined) return { leaf: growth.leafOf(places) };
  const { feature, threshold } = split;
  const isLeft = (place: number) => growth.rows[place]![feature]! <= threshold;
  return {
    feature,
    threshold,
    left: grow(growth, places.filter(isLeft), depth + 1),
    right: grow(
      growth,
      places.filter((place) => !isLeft(place)),
      depth + 1,
    ),
  };
}

interface Split {
  readonly feature: number;
  readonly threshold: number;
}

/** A split must take away at least such a part of the impurity. */
const gainMin = 1e-7;

function bestSplit<Leaf>(growth: Growth<Leaf>, places: readonly number[]): Split | undefined {
  const { rows, leafRowsMin, impurity, random } = growth;
  if (places.length < 2 * leafRowsMin) return undefined;
  const whole = impurity.fresh();
  for (const place of places) whole.add(place);
  if (whole.total <= 1e-12) return undefined;
  const order = Array.from(rows[0]!, (_, feature) => feature);
  const tried = growth.featuresTried ?? order.length;
  if (tried < order.length) random.shuffled(order);
  let best: Split | undefined;
  let least = whole.total * (1 - gainMin);
  // Beyond those to be tried only while none of them tells anything apart.
  for (let i = 0; i < order.length && (i < tried || best === undefined); i++) {
    const feature = order[i]!;
    const sorted = places.toSorted((a, b) => rows[a]![feature]! - rows[b]![feature]!);
    const [left, right] = [impurity.fresh(), impurity.fresh()];
    for (const place of sorted) right.add(place);
    for (let at = 0; at + 1 < sorted.length; at++) {
      left.add(sorted[at]!);
      right.remove(sorted[at]!);
      const [low, high] = [rows[sorted[at]!]![feature]!, rows[sorted[at + 1]!]![feature]!];
      if (low === high || at + 1 < leafRowsMin || sorted.length - at - 1 < leafRowsMin) continue;
      const total = left.total + right.total;
      if (total >= least) continue;
      least = total;
      best = { feature, threshold: Math.floor((low + high) / 2) };
    }
  }
  return best;
}

/** Gini's: how often two rows drawn from a set would be of different classes. */
export class Gini implements Impurity {
  readonly #labels: readonly number[];
  readonly #counts: Float64Array;
  #rows = 0;
  #squares = 0;

  constructor(labels: readonly number[], classes: number) {
    this.#labels = labels;
    this.#counts = new Float64Array(classes);
  }

  fresh(): Impurity {
    return new Gini(this.#labels, this.#counts.length);
  }

  add(row: number): void {
    this.#move(row, 1);
  }

  remove(row: number): void {
    this.#move(row, -1);
  }

  get total(): number {
    return this.#rows === 0 ? 0 : this.#rows - this.#squares / this.#rows;
  }

  #move(row: number, by: 1 | -1): void {
    const label = this.#labels[row]!;
    const count = this.#counts[label]!;
    this.#squares += by * 2 * count + 1;
    this.#counts[label] = count + by;
    this.#rows += by;
  }
}

/** The sum of squares about the mean, of numbers to be approached. */
export class SquaredError implements Impurity {
  readonly #targets: Float64Array;
  #rows = 0;
  #sum = 0;
  #squares = 0;

  constructor(targets: Float64Array) {
    this.#targets = targets;
  }

  fresh(): Impurity {
    return new SquaredError(this.#targets);
  }

  add(row: number): void {
    this.#move(row, 1);
  }

  remove(row: number): void {
    this.#move(row, -1);
  }

  get total(): number {
    return this.#rows === 0 ? 0 : Math.max(0, this.#squares - this.#sum ** 2 / this.#rows);
  }

  #move(row: number, by: 1 | -1): void {
    const target = this.#targets[row]!;
    this.#rows += by;
    this.#sum += by * target;
    this.#squares += by * target * target;
  }
}
