/** Recorded series: `timestamp,value` in a CSV file, read once and whole. */
import * as fs from "node:fs";
import { CsvError, parse } from "csv-parse/sync";

export interface Series {
  readonly file: string;
  /** Seconds since the first row, ascending; the first is 0. */
  readonly atSeconds: Float64Array;
  /** NaN where the recording has a gap. */
  readonly values: Float64Array;
  /** Length of one round: to the last row, and the usual step beyond it. */
  readonly periodSeconds: number;
}

export const seriesLimits = Object.freeze({ fileBytesMax: 64 * 1024 * 1024, rowsMax: 2_000_000 });

/** A recording that cannot be replayed; the message names the file and, where there is one, the line. */
export class ReplayFileError extends Error {
  readonly file: string;
  readonly line: number | undefined;

  constructor(file: string, line: number | undefined, problem: string) {
    super(`${file}${line === undefined ? "" : `:${line}`}: ${problem}`);
    this.file = file;
    this.line = line;
  }
}

/**
 * Reads `timestamp,value` rows, with or without a header line. A timestamp is ISO 8601, `YYYY-MM-DD hh:mm:ss` (taken as UTC, only
 * differences count) or seconds; an empty value or `nan` is a gap. Throws `ReplayFileError`.
 */
export function readSeries(file: string): Series {
  const rows = parseRows(file, readText(file));
  const first = rows[0];
  if (
    first !== undefined &&
    parseTimestamp(first.timestamp) === undefined &&
    parseValue(first.value) === undefined
  ) {
    rows.shift();
  }
  if (rows.length < 2) {
    throw new ReplayFileError(file, undefined, "a recording needs at least two rows of timestamp,value.");
  }
  const atSeconds = new Float64Array(rows.length);
  const values = new Float64Array(rows.length);
  let originSeconds = 0;
  for (const [i, row] of rows.entries()) {
    const seconds = parseTimestamp(row.timestamp);
    if (seconds === undefined) {
      throw new ReplayFileError(
        file,
        row.line,
        `"${row.timestamp}" is no timestamp; write 2013-12-20 15:00:00, ISO 8601, or seconds.`,
      );
    }
    const value = parseValue(row.value);
    if (value === undefined) throw new ReplayFileError(file, row.line, `"${row.value}" is no number.`);
    if (i === 0) originSeconds = seconds;
    atSeconds[i] = seconds - originSeconds;
    values[i] = value;
    if (i > 0 && !(atSeconds[i]! > atSeconds[i - 1]!)) {
      throw new ReplayFileError(
        file,
        row.line,
        "the timestamp is not after the one before it; sort the file by time.",
      );
    }
  }
  return { file, atSeconds, values, periodSeconds: atSeconds.at(-1)! + medianStep(atSeconds) };
}

interface Row {
  readonly timestamp: string;
  readonly value: string;
  readonly line: number;
}

function readText(file: string): Buffer {
  try {
    if (fs.statSync(file).size > seriesLimits.fileBytesMax) {
      const megabytes = seriesLimits.fileBytesMax / (1024 * 1024);
      throw new ReplayFileError(
        file,
        undefined,
        `the file is larger than ${megabytes} MB; replay an excerpt.`,
      );
    }
    return fs.readFileSync(file);
  } catch (error) {
    if (error instanceof ReplayFileError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new ReplayFileError(file, undefined, missing ? "there is no such file." : (error as Error).message);
  }
}

function parseRows(file: string, text: Buffer): Row[] {
  let parsed: { record: string[]; info: { lines: number } }[];
  try {
    parsed = parse(text, {
      bom: true,
      comment: "#",
      comment_no_infix: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      to: seriesLimits.rowsMax,
      trim: true,
    }) as unknown as typeof parsed;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ReplayFileError(file, error.lines as number | undefined, `this is no CSV: ${error.message}.`);
  }
  return parsed.map(({ record, info }) => {
    const [timestamp, value] = record;
    if (timestamp === undefined || value === undefined) {
      throw new ReplayFileError(file, info.lines, "a row needs two columns, timestamp and value.");
    }
    return { timestamp, value, line: info.lines };
  });
}

/** Seconds since the Unix epoch, or as given; undefined when it is none of the accepted forms. */
function parseTimestamp(text: string): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  const calendar = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  if (calendar === null) return undefined;
  const zoned = calendar[4] === undefined && calendar[1] !== undefined ? `${text}Z` : text;
  const ms = Date.parse(zoned.replace(" ", "T"));
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

/** NaN for a gap; undefined when it is no number. */
function parseValue(text: string): number | undefined {
  if (text === "" || text.toLowerCase() === "nan") return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function medianStep(atSeconds: Float64Array): number {
  const steps = atSeconds.slice(1).map((at, i) => at - atSeconds[i]!);
  steps.sort();
  return steps[steps.length >> 1]!;
}
