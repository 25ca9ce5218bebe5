/**
 * A model as a file, `.cvm`: `[1, features, classes, note, model]` in CBOR. The model's bytes are what boards get; names, which only people and the
 * compiler need, stay with the file.
 */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { CborError as BoardCborError } from "../../protocols/cbor/error.ts";
import { ItemReader, ShapeError } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import { readModel } from "../../protocols/model/codec.ts";
import { type Model, modelLimits } from "../../protocols/model/model.ts";
import { CborError, decodeCbor, encodeCbor } from "../codec/cbor.ts";

export interface ModelFile {
  /** Names of the features, in the order of a row. */
  readonly features: readonly string[];
  /** Labels by class; empty where it tells none: of clusters and half-spaces. */
  readonly classes: readonly string[];
  /** How it came about, for people: `forest from iris.csv, seed 1`. */
  readonly note: string;
  readonly bytes: Uint8Array;
}

/** A file that holds no model; the message names it and says what is wrong. */
export class ModelFileError extends Error {
  readonly file: string;

  constructor(file: string, problem: string) {
    super(`${file}: ${problem}`);
    this.file = file;
  }
}

const version = 1;
const textLengthMax = 200;
const fileBytesMax = 64 * 1024;

export function writeModelFile(path: string, { features, classes, note, bytes }: ModelFile): void {
  writeFileSync(
    path,
    encodeCbor([version, [...features], [...classes], note.slice(0, textLengthMax), bytes]),
  );
}

/** Throws `ModelFileError`. */
export function readModelFile(path: string): ModelFile & { readonly model: Model } {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile())
    throw new ModelFileError(path, "there is no such model; make one with covey model train.");
  if (found.size > fileBytesMax) throw new ModelFileError(path, "it is too large for a model.");
  try {
    const items = new ItemReader(decodeCbor(readFileSync(path)) as CborValue, "model file", "", 5);
    items.version(version);
    const features = namesFrom(items.array("features", modelLimits.featuresMax), "feature");
    const classes = namesFrom(items.array("classes", modelLimits.classesMax), "class");
    const note = items.text("note", 4 * textLengthMax);
    // A copy that is no part of a larger buffer, at the buffer's start, where tables have their places.
    const bytes = new Uint8Array(items.bytes("model", modelLimits.bytesMax));
    items.end();
    // Half-spaces that learn write into their bytes: the model reads a copy of its own.
    const model = readModel(bytes.slice());
    if (model.features !== features.length)
      throw new ModelFileError(path, "it names other features than its model has.");
    if (classes.length > 0 && model.classes !== classes.length) {
      throw new ModelFileError(path, "it names other classes than its model has.");
    }
    return { features, classes, note, bytes, model };
  } catch (error) {
    const isOfFile =
      error instanceof CborError || error instanceof BoardCborError || error instanceof ShapeError;
    if (isOfFile) throw new ModelFileError(path, `it holds no model: ${error.message}`);
    throw error;
  }
}

function namesFrom(values: readonly CborValue[], what: string): string[] {
  const items = new ItemReader(values, "model file", what, 0);
  return values.map((_, i) => items.text(`name ${i}`, 4 * textLengthMax));
}
