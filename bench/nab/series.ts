import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";

/** One file of the benchmark with its labels. */
export interface Series {
  /** Path below the data folder, as the windows file names it: "realKnownCause/nyc_taxi.csv". */
  file: string;
  /** As they stand in the file, "2014-07-01 00:00:00". */
  timestamps: string[];
  /** The same in milliseconds since 1970, read as UTC. */
  timesMs: Float64Array;
  values: Float64Array;
  /** The anomalies, in order. */
  windows: Window[];
}

/** First and last row of an anomaly, both inclusive. */
export interface Window {
  first: number;
  last: number;
}

/** A data folder and its windows file don't fit together, or one of them can't be read. */
export class CorpusError extends Error {
  override readonly name = "CorpusError";
  readonly file: string;

  constructor(file: string, what: string) {
    super(`${file}: ${what}`);
    this.file = file;
  }
}

/** Every series of `folder`, in the order of their names. Throws CorpusError if one has no entry in `windowsFile`. */
export function readCorpus(folder: string, windowsFile: string): Series[] {
  const windowsOf = JSON.parse(readFileSync(windowsFile, "utf8")) as Record<string, [string, string][]>;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".csv"),
  );
  if (files.length === 0)
    throw new CorpusError(folder, "holds no .csv file; name the folder that has the benchmark's");
  return files.sort().map((file) => {
    const windows = windowsOf[file];
    if (windows === undefined)
      throw new CorpusError(file, `has no entry in ${windowsFile}; add one, [] if it has no anomaly`);
    return readSeries(folder, file, windows);
  });
}

function readSeries(folder: string, file: string, windows: readonly [string, string][]): Series {
  const rows = parse(readFileSync(join(folder, file)), {
    from_line: 2,
    relax_column_count: true,
  }) as string[][];
  const timestamps = rows.map((row) => row[0] ?? "");
  const series: Series = {
    file,
    timestamps,
    timesMs: Float64Array.from(timestamps, utcMs),
    values: Float64Array.from(rows, (row) => Number(row[1])),
    windows: [],
  };
  for (let row = 0; row < rows.length; row++) {
    if (!Number.isFinite(series.timesMs[row]) || !Number.isFinite(series.values[row])) {
      throw new CorpusError(file, `line ${row + 2} is not "YYYY-MM-DD HH:MM:SS,number"`);
    }
  }
  for (const [from, to] of windows) {
    series.windows.push({ first: rowAt(series, from), last: rowAt(series, to) });
  }
  return series;
}

/** The first row at a time. Some files repeat an hour when summer time ends: the benchmark takes the first too. */
function rowAt(series: Series, timestamp: string): number {
  const row = series.timesMs.indexOf(utcMs(timestamp));
  if (row < 0) throw new CorpusError(series.file, `no row is at ${timestamp}, where a window begins or ends`);
  return row;
}

function utcMs(timestamp: string): number {
  return Date.parse(`${timestamp.replace(" ", "T").slice(0, 19)}Z`);
}
