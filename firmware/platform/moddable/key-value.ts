import storage, { type KeyValueDomain } from "embedded:storage/key-value";
import type { KeyValue } from "../ports.ts";

/** NVS (ESP-IDF, "Non-Volatile Storage Library"): a key has at most 15 characters. */
const keyCharactersMax = 15;
const valueBytesMax = 1_024;

/** One namespace of the chip's NVS partition. */
export class ChipKeyValue implements KeyValue {
  readonly #domain: KeyValueDomain;

  constructor(namespace: string) {
    this.#domain = storage.open({ path: namespace, mode: "r+", format: "buffer" });
  }

  read(key: string): Uint8Array | undefined {
    checkKey(key);
    const buffer = this.#domain.read(key);
    return buffer === undefined ? undefined : new Uint8Array(buffer);
  }

  /** The SDK commits each write to the flash, so a value that is there already is not written again. */
  write(key: string, value: Uint8Array): void {
    if (value.length > valueBytesMax) {
      throw new RangeError(`The value of ${key} has ${value.length} bytes; ${valueBytesMax} are the most.`);
    }
    const present = this.read(key);
    if (present !== undefined && isSame(present, value)) return;
    this.#domain.write(key, value);
  }

  delete(key: string): void {
    checkKey(key);
    this.#domain.delete(key);
  }
}

/** The SDK copies a key into 64 bytes and NVS refuses it only then, with a number. */
function checkKey(key: string): void {
  if (key.length < 1 || key.length > keyCharactersMax) {
    throw new RangeError(`"${key}" can't be a key: it needs 1 to ${keyCharactersMax} characters.`);
  }
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}
