/** A dump as `covey_dump.py` writes it, checked where it comes in. */
import { readFileSync, statSync } from "node:fs";
import { modelLimits } from "../../../protocols/model/model.ts";
import { isRecord, shown } from "../../swarm-file/given.ts";

/** A file that is no such dump, or of an estimator that no model here is like. */
export class DumpError extends Error {
  readonly file: string;

  constructor(file: string, problem: string) {
    super(`${file}: ${problem}`);
    this.file = file;
  }
}

const fileBytesMax = 64 * 1024 * 1024;

/** Throws `DumpError`. */
export function readDump(file: string): Dump {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new DumpError(file, "there is no such file.");
  if (found.size > fileBytesMax) throw new DumpError(file, "it is too large for a dump.");
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new DumpError(file, `it is no JSON: ${(error as Error).message}.`);
  }
  if (!isRecord(value) || value.format !== "covey-scikit-learn" || value.version !== 1) {
    throw new DumpError(file, "it is no dump of covey_dump.py; see docs/learning.md for how to write one.");
  }
  return new Dump(file, value);
}

/** Asks the dump for parts, each of the shape that it must have. */
export class Dump {
  readonly file: string;
  readonly estimator: string;
  readonly features: readonly string[];
  readonly classes: readonly string[];
  readonly #value: Readonly<Record<string, unknown>>;

  constructor(file: string, value: Readonly<Record<string, unknown>>) {
    this.file = file;
    this.#value = value;
    this.estimator = String(value.estimator);
    this.features = this.#texts("features", 1, modelLimits.featuresMax);
    this.classes = this.#texts("classes", 0, modelLimits.classesMax);
  }

  text(name: string): string {
    return String(this.#value[name]);
  }

  number(name: string): number {
    const value = this.#value[name];
    if (typeof value !== "number" || !Number.isFinite(value)) this.wrong(name, "a number", value);
    return value;
  }

  /** Exactly `count` numbers. */
  numbers(name: string, count: number): number[] {
    return this.#row(this.#value[name], name, count);
  }

  /** Rows of `width` numbers; as many as `count`, or any number of them. */
  matrix(name: string, width: number, count?: number): number[][] {
    const rows = this.#list(this.#value[name], name);
    if (count !== undefined && rows.length !== count) this.wrong(name, `${count} rows`, rows.length);
    return rows.map((row) => this.#row(row, name, width));
  }

  list(name: string): readonly unknown[] {
    return this.#list(this.#value[name], name);
  }

  /** The scaler of a pipeline; undefined where there is none. */
  scaler(): { means: number[]; deviations: number[] } | undefined {
    const { scaler } = this.#value;
    if (scaler === null) return undefined;
    if (!isRecord(scaler)) this.wrong("scaler", "mean and scale, or null", scaler);
    const count = this.features.length;
    const deviations = this.#row(scaler.scale, "scale", count);
    if (deviations.some((deviation) => deviation <= 0)) this.wrong("scale", "above 0", scaler.scale);
    return { means: this.#row(scaler.mean, "mean", count), deviations };
  }

  wrong(name: string, expected: string, found: unknown): never {
    const text = shown(found);
    throw new DumpError(
      this.file,
      `"${name}" must be ${expected}, not ${text.length > 60 ? `${text.slice(0, 60)}...` : text}.`,
    );
  }

  #texts(name: string, countMin: number, countMax: number): string[] {
    const value = this.#value[name];
    const isTexts = Array.isArray(value) && value.every((each) => typeof each === "string");
    if (!isTexts || value.length < countMin || value.length > countMax) {
      this.wrong(name, `a list of ${countMin} to ${countMax} texts`, value);
    }
    return value;
  }

  #list(value: unknown, name: string): readonly unknown[] {
    if (!Array.isArray(value)) this.wrong(name, "a list", value);
    return value;
  }

  #row(value: unknown, name: string, count: number): number[] {
    const isRow =
      Array.isArray(value) && value.length === count && value.every((each) => Number.isFinite(each));
    if (!isRow) this.wrong(name, `${count} numbers`, value);
    return value;
  }
}
