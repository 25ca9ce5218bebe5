/**
 * The small values of a simulated board: one namespace of its NVS partition, in the format of a real one.
 *
 * A change writes the partition anew beside its file and renames it into place, so a value is there whole or not at all, whenever the power
 * goes. (On a chip an entry is added and the old one struck out; what is read afterwards is the same.)
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { KeyValue } from "../../../firmware/platform/ports.ts";
import { storedNamespace } from "../../../protocols/provisioning/stored.ts";
import { ImageError } from "../../images/image-error.ts";
import type { NvsItem } from "../../images/nvs/format.ts";
import { readNvs } from "../../images/nvs/read.ts";
import { NvsItemError, writeNvs } from "../../images/nvs/write.ts";
import { FlashFileError } from "./flash-file.ts";

const limits = Object.freeze({ keyCharacters: 15, valueBytes: 1_024 });

export interface NvsOpening {
  readonly values: NvsValues;
  /** One sentence when a damaged partition was kept aside. */
  readonly warning: string | undefined;
}

export class NvsValues implements KeyValue {
  readonly #path: string;
  readonly #sizeBytes: number;
  #items: readonly NvsItem[];

  private constructor(path: string, sizeBytes: number, items: readonly NvsItem[]) {
    this.#path = path;
    this.#sizeBytes = sizeBytes;
    this.#items = items;
  }

  /** A partition that can't be read is renamed to `<path>.damaged-<time>`, and the board has no values. @throws {FlashFileError} */
  static open(path: string, sizeBytes: number, now = new Date()): NvsOpening {
    try {
      return { values: new NvsValues(path, sizeBytes, readItems(path)), warning: undefined };
    } catch (error) {
      if (!(error instanceof ImageError)) throw new FlashFileError(path, (error as Error).message);
      const aside = `${path}.damaged-${now.toISOString().replaceAll(/[:.]/g, "-")}`;
      renameSync(path, aside);
      const warning = `The values in ${path} were damaged (${error.problem}); they are kept as ${aside}, and the board has none.`;
      return { values: new NvsValues(path, sizeBytes, []), warning };
    }
  }

  read(key: string): Uint8Array | undefined {
    checkKey(key);
    const found = this.#items.find((item) => item.namespace === storedNamespace && item.key === key);
    return found?.type === "blob" ? found.value.slice() : undefined;
  }

  write(key: string, value: Uint8Array): void {
    this.change(new Map([[key, value]]));
  }

  delete(key: string): void {
    this.change(new Map([[key, undefined]]));
  }

  /** Several at once: all of them or none; undefined deletes. What is there already is not written again. */
  change(values: ReadonlyMap<string, Uint8Array | undefined>): void {
    let items = this.#items;
    for (const [key, value] of values) {
      if (isSame(this.read(key), value)) continue;
      items = items.filter((item) => item.namespace !== storedNamespace || item.key !== key);
      if (value !== undefined) items = [...items, itemOf(key, value)];
    }
    if (items !== this.#items) this.#replace(items);
  }

  #replace(items: readonly NvsItem[]): void {
    try {
      const bytes = writeNvs(items, this.#sizeBytes);
      writeFileSync(`${this.#path}.new`, bytes, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      throw error instanceof NvsItemError ? error : new FlashFileError(this.#path, (error as Error).message);
    }
    this.#items = items;
  }
}

function readItems(path: string): NvsItem[] {
  try {
    return readNvs(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function itemOf(key: string, value: Uint8Array): NvsItem {
  if (value.length > limits.valueBytes)
    throw new RangeError(`The value of ${key} has ${value.length} bytes; ${limits.valueBytes} are the most.`);
  return { namespace: storedNamespace, key, type: "blob", value: value.slice() };
}

function checkKey(key: string): void {
  if (key.length < 1 || key.length > limits.keyCharacters)
    throw new RangeError(`"${key}" can't be a key: it needs 1 to ${limits.keyCharacters} characters.`);
}

function isSame(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return Buffer.compare(left, right) === 0;
}
