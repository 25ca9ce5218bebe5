/** Which rows are learned from and which are kept to judge by, so that each class has its share of both. */
import type { Dataset } from "./dataset.ts";
import { Random } from "./random.ts";

export interface Split {
  readonly training: readonly number[];
  readonly heldOut: readonly number[];
}

/** Holds out a `share` of the rows, of each class alike. */
export function holdOut(data: Dataset, share: number, seed: number): Split {
  const [training, heldOut]: [number[], number[]] = [[], []];
  for (const group of groupsOf(data, seed)) {
    const count = Math.round(group.length * share);
    heldOut.push(...group.slice(0, count));
    training.push(...group.slice(count));
  }
  return { training: training.sort(ascending), heldOut: heldOut.sort(ascending) };
}

/** `count` splits, each row held out once; of fewer rows than that, one split a row. */
export function folds(data: Dataset, count: number, seed: number): Split[] {
  const parts: number[][] = Array.from({ length: Math.min(count, data.rows.length) }, () => []);
  let next = 0;
  for (const group of groupsOf(data, seed)) for (const row of group) parts[next++ % parts.length]!.push(row);
  return parts.map((heldOut) => ({
    training: parts
      .filter((part) => part !== heldOut)
      .flat()
      .sort(ascending),
    heldOut: heldOut.toSorted(ascending),
  }));
}

/** The rows of each class, shuffled; all in one group where there are none. */
function groupsOf({ rows, classes, labels }: Dataset, seed: number): number[][] {
  const random = new Random(seed);
  const groups: number[][] = Array.from({ length: Math.max(1, classes.length) }, () => []);
  for (let row = 0; row < rows.length; row++) groups[labels[row] ?? 0]!.push(row);
  return groups.map((group) => random.shuffled(group));
}

const ascending = (a: number, b: number) => a - b;
