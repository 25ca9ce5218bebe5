import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AnomalyScore } from "../../firmware/sensing/stages/anomaly-score.ts";
import type { Scored } from "./scorer.ts";
import type { Series } from "./series.ts";

const dayMs = 86_400_000;

/** A series with the score that the board's detector gives each row, one after the other. */
export interface Detected extends Scored {
  series: Series;
  scores: Float64Array;
}

/** Runs the firmware's detector over a series, as it is and with no knowledge of what comes. */
export function detect(series: Series): Detected {
  const detector = new AnomalyScore(dayMs);
  const scores = series.values.map((value, row) => detector.push(value, series.timesMs[row]!));
  return { series, scores };
}

/** Writes `timestamp,value,anomaly_score`, at the same path below `folder` as the series has below its own. */
export function writeScores(folder: string, { series, scores }: Detected): void {
  const path = join(folder, series.file);
  mkdirSync(dirname(path), { recursive: true });
  const lines = ["timestamp,value,anomaly_score"];
  series.timestamps.forEach((timestamp, row) => {
    lines.push(`${timestamp},${series.values[row]},${scores[row]}`);
  });
  writeFileSync(path, `${lines.join("\n")}\n`);
}
