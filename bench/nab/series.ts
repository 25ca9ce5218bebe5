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

/**
 * Every series of `folder`, in the order of their names. Throws CorpusError if something can't be read, or a series has no
 * entry in `windowsFile`.
 */
export function readCorpus(folder: string, windowsFile: string): Series[] {
  const windowsOf = reading(windowsFile, () => JSON.parse(readFileSync(windowsFile, "utf8"))) as WindowsFile;
  const names = reading(folder, () => readdirSync(folder, { recursive: true, encoding: "utf8" }));
  const files = names.filter((file) => file.endsWith(".csv")).sort();
  if (files.length === 0)
    throw new CorpusError(folder, "holds no .csv file; name the folder that has the series");
  return files.map((file) => {
    const windows = windowsOf[file];
    if (windows === undefined) {
      throw new CorpusError(file, `has no entry in ${windowsFile}; add one, [] if it has no anomaly`);
    }
    return reading(file, () => readSeries(folder, file, windows));
  });
}

/** First and last timestamp of each anomaly, by file. */
type WindowsFile = Record<string, [string, string][]>;

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CorpusError || !(error instanceof Error)) throw error;
    throw new CorpusError(file, `can't be read: ${error.message}`);
  }
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
    values: Float64Array.from(rows, (row) => Number.parseFloat(row[1] ?? "")),
    windows: [],
  };
  for (let row = 0; row < rows.length; row++) {
    if (!Number.isFinite(series.timesMs[row]) || !Number.isFinite(series.values[row])) {
      throw new CorpusError(file, `line ${row + 2} is not "YYYY-MM-DD HH:MM:SS,number"`);
    }
  }
  for (const [from, to] of windows) {
    const window = { first: rowAt(series, from), last: rowAt(series, to) };
    if (window.last < window.first || window.first <= (series.windows.at(-1)?.last ?? -1)) {
      throw new CorpusError(
        file,
        `the window from ${from} to ${to} ends before it begins, or before the one before it`,
      );
    }
    series.windows.push(window);
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
