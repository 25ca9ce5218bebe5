/** How good a model is on rows, by the very code that decides on a board. */
import type { Model } from "../../protocols/model/model.ts";
import type { Dataset } from "./dataset.ts";

export interface ClassFigures {
  readonly label: string;
  /** Rows that are of it. */
  readonly rows: number;
  /** Of the rows said to be of it those that are; of those that are those said to be; the harmonic mean of both. 0 where there are none. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export type Evaluation =
  | {
      readonly of: "classes";
      readonly rows: number;
      readonly accuracy: number;
      readonly classes: readonly ClassFigures[];
      /** Rows that are of the first class and said to be of the second. */
      readonly confusion: readonly (readonly number[])[];
    }
  | {
      readonly of: "clusters";
      readonly rows: number;
      readonly meanDistance: number;
      readonly sizes: readonly number[];
    }
  | {
      readonly of: "scores";
      readonly rows: number;
      readonly meanScore: number;
      readonly highestScore: number;
      /**
       * How likely a row of the rarer class scores higher than one of the other: the area under the ROC curve. undefined where rows have no two classes.
       */
      readonly auc: number | undefined;
    };

export function evaluate(model: Model, data: Dataset): Evaluation {
  if (model.kind === "clusters") return evaluateClusters(model, data);
  return model.classes === 0 ? evaluateScores(model, data) : evaluateClasses(model, data);
}

function evaluateClasses(model: Model, { rows, labels, classes }: Dataset): Evaluation {
  const confusion = classes.map(() => classes.map(() => 0));
  for (const [i, row] of rows.entries()) confusion[labels[i]!]![model.decide(row)]!++;
  const right = classes.reduce((sum, _, of) => sum + confusion[of]![of]!, 0);
  const figures = classes.map((label, of): ClassFigures => {
    const are = confusion[of]!.reduce((sum, count) => sum + count, 0);
    const said = confusion.reduce((sum, row) => sum + row[of]!, 0);
    const hits = confusion[of]![of]!;
    const precision = said === 0 ? 0 : hits / said;
    const recall = are === 0 ? 0 : hits / are;
    return { label, rows: are, precision, recall, f1: hits === 0 ? 0 : (2 * hits) / (are + said) };
  });
  return { of: "classes", rows: rows.length, accuracy: right / rows.length, classes: figures, confusion };
}

function evaluateClusters(model: Model, { rows }: Dataset): Evaluation {
  const sizes = new Array<number>(model.classes).fill(0);
  let distance = 0;
  for (const row of rows) {
    sizes[model.decide(row)]!++;
    distance += model.score(0);
  }
  return { of: "clusters", rows: rows.length, meanDistance: distance / rows.length, sizes };
}

function evaluateScores(model: Model, { rows, labels, classes }: Dataset): Evaluation {
  const scores = rows.map((row) => {
    model.decide(row);
    return model.score(0);
  });
  return {
    of: "scores",
    rows: rows.length,
    meanScore: scores.reduce((sum, score) => sum + score, 0) / rows.length,
    highestScore: scores.reduce((most, score) => Math.max(most, score), 0),
    auc: classes.length === 2 ? aucOf(scores, labels) : undefined,
  };
}

/** By ranks (Mann and Whitney), the mean rank where scores are equal. NaN where all rows are of one class. */
export function aucOf(scores: readonly number[], labels: readonly number[]): number {
  const ones = labels.filter((label) => label === 1).length;
  const rare = ones * 2 <= labels.length ? 1 : 0;
  const order = scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let ranks = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    for (let i = from; i < to; i++) if (labels[order[i]!] === rare) ranks += (from + 1 + to) / 2;
    from = to;
  }
  const rareCount = labels.filter((label) => label === rare).length;
  return (ranks - (rareCount * (rareCount + 1)) / 2) / (rareCount * (labels.length - rareCount));
}
