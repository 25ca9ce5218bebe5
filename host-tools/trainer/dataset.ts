/** Data to learn from: a CSV with a header, a row a sample, numbers in its columns and, in one of them, what is to be told. */
import { readFileSync, statSync } from "node:fs";
import { CsvError, parse } from "csv-parse/sync";
import { modelLimits } from "../../protocols/model/model.ts";
import { suggestion } from "../swarm-file/suggestion.ts";

export interface Dataset {
  readonly features: readonly string[];
  /** Labels by class; empty where there is no target. Numbers ascend as numbers, anything else as text. */
  readonly classes: readonly string[];
  readonly rows: readonly Float64Array[];
  /** The class of each row; empty where there is no target. */
  readonly labels: readonly number[];
}

export const datasetLimits = Object.freeze({ fileBytesMax: 64 * 1024 * 1024, rowsMax: 200_000 });

/** A CSV that nothing can be learned from; the message names the file and, where there is one, the line. */
export class DatasetError extends Error {
  readonly file: string;
  readonly line: number | undefined;

  constructor(file: string, line: number | undefined, problem: string) {
    super(`${file}${line === undefined ? "" : `:${line}`}: ${problem}`);
    this.file = file;
    this.line = line;
  }
}

export interface Columns {
  /** The column that says what each row is; undefined for none. */
  readonly target: string | undefined;
  /** The columns to learn from, in this order; undefined for all but the target. */
  readonly features: readonly string[] | undefined;
}

/** Throws `DatasetError`. */
export function readDataset(file: string, columns: Columns): Dataset {
  const [header, ...records] = parseRecords(file);
  if (header === undefined || records.length === 0) {
    throw new DatasetError(
      file,
      undefined,
      "there are no rows; a first line of names and then samples are needed.",
    );
  }
  const names = header.cells.map((name) => name.trim());
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new DatasetError(file, 1, `two columns are called "${twice}"; rename one.`);
  const targetAt = columns.target === undefined ? -1 : columnOf(file, names, columns.target);
  const features = columns.features ?? names.filter((_, at) => at !== targetAt);
  const places = features.map((name) => columnOf(file, names, name));
  if (targetAt >= 0 && places.includes(targetAt)) {
    throw new DatasetError(file, 1, `"${columns.target}" is the target; it cannot be a feature too.`);
  }
  if (features.length === 0 || features.length > modelLimits.featuresMax) {
    const text = `${features.length} features are not possible: 1 to ${modelLimits.featuresMax}; name them with --features.`;
    throw new DatasetError(file, undefined, text);
  }
  const rows = records.map(({ cells, line }) =>
    Float64Array.from(places, (at) => numberIn(file, line, names[at]!, cells[at])),
  );
  if (targetAt < 0) return { features, classes: [], rows, labels: [] };
  const told = records.map(({ cells, line }) => {
    const label = cells[targetAt]!.trim();
    if (label === "") throw new DatasetError(file, line, `"${columns.target}" is empty.`);
    return label;
  });
  const classes = [...new Set(told)].sort(inOrder);
  if (classes.length < 2 || classes.length > modelLimits.classesMax) {
    const text = `"${columns.target}" has ${classes.length} different values; 2 to ${modelLimits.classesMax} are classes that can be told apart.`;
    throw new DatasetError(file, undefined, text);
  }
  const places2 = new Map(classes.map((label, at) => [label, at]));
  return { features, classes, rows, labels: told.map((label) => places2.get(label)!) };
}

/** Some rows of it, by their places. */
export function rowsOf(data: Dataset, places: readonly number[]): Dataset {
  return {
    ...data,
    rows: places.map((at) => data.rows[at]!),
    labels: data.labels.length === 0 ? [] : places.map((at) => data.labels[at]!),
  };
}

interface Record {
  readonly cells: readonly string[];
  readonly line: number;
}

function parseRecords(file: string): Record[] {
  const { fileBytesMax, rowsMax } = datasetLimits;
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new DatasetError(file, undefined, "there is no such file.");
  if (found.size > fileBytesMax) {
    throw new DatasetError(
      file,
      undefined,
      `${found.size} bytes are too many; ${fileBytesMax} are the most.`,
    );
  }
  try {
    const records = parse(readFileSync(file, "utf8"), {
      bom: true,
      skip_empty_lines: true,
      info: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    if (records.length > rowsMax + 1) {
      throw new DatasetError(
        file,
        undefined,
        `${records.length} rows are too many; ${rowsMax} are the most.`,
      );
    }
    return records.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DatasetError(file, undefined, `it is no CSV: ${error.message}.`);
  }
}

function columnOf(file: string, names: readonly string[], name: string): number {
  const at = names.indexOf(name);
  if (at >= 0) return at;
  throw new DatasetError(file, 1, `there is no column "${name}"${suggestion(name, names)}`);
}

function numberIn(file: string, line: number, name: string, cell = ""): number {
  const value = cell.trim() === "" ? Number.NaN : Number(cell);
  if (Number.isFinite(value)) return value;
  const text = `"${cell}" in "${name}" is no number; leave the row out, or the column with --features.`;
  throw new DatasetError(file, line, text);
}

function inOrder(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isFinite(x) && Number.isFinite(y) && x !== y) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}
