/** The leader's CSV of readings as a JSON array of `StoredReading`, a line each, without holding it all. */
import { pipeline, Readable } from "node:stream";
import { parse } from "csv-parse";
import type { StoredReading } from "../leader/api/types/readings.ts";

type Row = Record<"time" | "board" | "metric" | "value" | "unit" | "quality", string>;

export async function* jsonArray(csv: AsyncIterable<string>): AsyncGenerator<string> {
  let separator = "[\n";
  for await (const row of rows(csv)) {
    yield `${separator}${JSON.stringify(reading(row))}`;
    separator = ",\n";
  }
  yield separator === "[\n" ? "[\n]\n" : "\n]\n";
}

async function* rows(csv: AsyncIterable<string>): AsyncGenerator<Row> {
  const parser = parse({ columns: true });
  // An error of the source destroys the parser, and the loop below throws it.
  pipeline(Readable.from(csv), parser, () => {});
  for await (const row of parser) yield row as Row;
}

function reading({ time, board, metric, value, unit, quality }: Row): StoredReading {
  return {
    atMs: Date.parse(time),
    board,
    metric,
    value: value === "" ? null : Number(value),
    unit,
    quality: Number(quality),
  };
}
