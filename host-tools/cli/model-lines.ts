/** What `covey model` shows of a model and of how good it is. */
import { stateLimits } from "../../protocols/state/command.ts";
import type { Evaluation } from "../trainer/evaluate.ts";
import type { CostOfInference } from "../trainer/inference-cost.ts";

export function evaluationLines(evaluation: Evaluation): string[] {
  switch (evaluation.of) {
    case "classes":
      return [...classLines(evaluation), ...confusionLines(evaluation)];
    case "clusters":
      return [
        `mean distance to the nearest centre ${evaluation.meanDistance.toFixed(3)}`,
        ...evaluation.sizes.map((size, at) => `cluster ${at}: ${count(size)} rows`),
      ];
    case "scores": {
      const { meanScore, highestScore, auc } = evaluation;
      const lines = [`anomaly score: mean ${meanScore.toFixed(3)}, highest ${highestScore.toFixed(3)}`];
      if (auc !== undefined)
        lines.push(`area under the ROC curve, the rarer class the anomaly: ${auc.toFixed(3)}`);
      return lines;
    }
  }
}

/** `94.7 % right of 38 rows`; of what tells no classes, the one figure there is. */
export function summary(evaluation: Evaluation): string {
  const rows = `${count(evaluation.rows)} rows`;
  switch (evaluation.of) {
    case "classes":
      return `${percent(evaluation.accuracy)} right of ${rows}`;
    case "clusters":
      return `mean distance ${evaluation.meanDistance.toFixed(3)} over ${rows}`;
    case "scores":
      return `${evaluation.auc === undefined ? `mean score ${evaluation.meanScore.toFixed(3)}` : `AUC ${evaluation.auc.toFixed(3)}`} over ${rows}`;
  }
}

export function sizeLine(bytes: number): string {
  const values = Math.ceil(bytes / stateLimits.valueBytesMax);
  return `${count(bytes)} bytes, ${values === 1 ? "one value" : `${values} values`} of the log`;
}

export function costLine({ instructions, isMeasured }: CostOfInference): string {
  const ms = (instructions / 160_000).toFixed(1);
  const how = isMeasured
    ? "counted on rv32imac"
    : "an estimate: the tools to count them are not there, see covey doctor";
  return `${count(instructions)} instructions an inference (${how}); ${ms} ms at 160 MHz and one a cycle`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function classLines({ classes }: Evaluation & { of: "classes" }): string[] {
  const width = Math.max(5, ...classes.map(({ label }) => label.length));
  const head = `${"class".padEnd(width)}  ${"rows".padStart(6)}  precision  recall     F1`;
  return [
    head,
    ...classes.map(({ label, rows, precision, recall, f1 }) =>
      [
        label.padEnd(width),
        count(rows).padStart(6),
        precision.toFixed(3).padStart(9),
        recall.toFixed(3).padStart(6),
        f1.toFixed(3).padStart(5),
      ].join("  "),
    ),
  ];
}

/** Of few classes the whole table; of many it would be wider than a terminal. */
function confusionLines({ classes, confusion }: Evaluation & { of: "classes" }): string[] {
  if (classes.length > 12) return [];
  const width = Math.max(4, ...classes.map(({ label }) => label.length));
  const cells = (row: readonly (string | number)[]) =>
    row.map((cell) => String(cell).padStart(width)).join("  ");
  return [
    `${"is, said".padEnd(width + 4)}  ${cells(classes.map(({ label }) => label))}`,
    ...classes.map(({ label }, of) => `${label.padEnd(width + 4)}  ${cells(confusion[of]!)}`),
  ];
}

function count(figure: number): string {
  return figure.toLocaleString("en-US");
}
