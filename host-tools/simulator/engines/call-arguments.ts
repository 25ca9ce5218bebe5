import type { CborValue } from "../../../protocols/cbor/value.ts";
import type { CcmTagBytes } from "../../../protocols/security/ciphers.ts";

/** The items of one call, each checked for its type where it is used. */
export class Arguments {
  readonly #items: readonly CborValue[];

  constructor(items: readonly CborValue[]) {
    this.#items = items;
  }

  number(i: number): number {
    const item = this.#items[i];
    return typeof item === "number" ? item : this.#refuse(i, "a number");
  }

  text(i: number): string {
    const item = this.#items[i];
    return typeof item === "string" ? item : this.#refuse(i, "a text");
  }

  textOrNull(i: number): string | null {
    return this.#items[i] === null ? null : this.text(i);
  }

  bytes(i: number): Uint8Array {
    const item = this.#items[i];
    return item instanceof Uint8Array ? item : this.#refuse(i, "bytes");
  }

  tagBytes(i: number): CcmTagBytes {
    const item = this.number(i);
    return item === 8 || item === 16 ? item : this.#refuse(i, "8 or 16");
  }

  boolean(i: number): boolean {
    const item = this.#items[i];
    return typeof item === "boolean" ? item : this.#refuse(i, "true or false");
  }

  list(i: number): readonly CborValue[] {
    const item = this.#items[i];
    return Array.isArray(item) ? item : this.#refuse(i, "a list");
  }

  oneOf<Text extends string>(i: number, allowed: readonly Text[]): Text {
    return allowed.find((each) => each === this.#items[i]) ?? this.#refuse(i, `one of ${allowed.join(", ")}`);
  }

  #refuse(i: number, wanted: string): never {
    throw new TypeError(`Argument ${i} of the board's call ${this.#items[0]} is not ${wanted}.`);
  }
}
