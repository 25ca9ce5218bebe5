/**
 * `npm run bench:nab -- --data DIR --windows FILE [--scores DIR] [--json]`: the Numenta Anomaly Benchmark, or any part of it, or any
 * folder of the same form, with the detector that runs on a board.
 */
import { parseArgs } from "node:util";
import { detect, writeScores } from "./detect.ts";
import { resultOf } from "./result.ts";
import { CorpusError, readCorpus } from "./series.ts";
import { resultTable } from "./table.ts";

const usage = `npm run bench:nab -- --data DIR --windows FILE [--scores DIR] [--json]

  --data DIR      the series: .csv files of "timestamp,value", in folders as the benchmark has them
  --windows FILE  their anomalies: {"folder/name.csv": [["from", "to"], ...], ...}
  --scores DIR    write "timestamp,value,anomaly_score" of each series there
  --json          print the result as JSON, with the score of each file`;

try {
  const { values: flags } = parseArgs({
    options: {
      data: { type: "string" },
      windows: { type: "string" },
      scores: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (flags.help) console.log(usage);
  else if (flags.data === undefined || flags.windows === undefined) {
    console.error(`--data and --windows are needed.\n\n${usage}`);
    process.exitCode = 2;
  } else {
    const detected = readCorpus(flags.data, flags.windows).map(detect);
    if (flags.scores !== undefined) for (const one of detected) writeScores(flags.scores, one);
    const result = resultOf(detected);
    console.log(flags.json ? JSON.stringify(result, null, 2) : resultTable(result));
  }
} catch (error) {
  const isOfFlags =
    error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!isOfFlags && !(error instanceof CorpusError)) throw error;
  console.error(isOfFlags ? `${error.message}\n\n${usage}` : error.message);
  process.exitCode = 2;
}
