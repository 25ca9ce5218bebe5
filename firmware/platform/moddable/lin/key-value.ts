/**
 * Stands in for `embedded:storage/key-value` on lin: a domain is the first sector of a flash file, in which each entry is
 * the lengths of its key (1 byte) and value (2 bytes), and both.
 */
import flash, { type FlashPartition } from "embedded:storage/flash";
import type { KeyValueDomain } from "embedded:storage/key-value";

const domainBytes = 4_096;
const erased = 0xff;

class LinDomain implements KeyValueDomain {
  readonly #file: FlashPartition;
  readonly #values = new Map<string, Uint8Array>();

  constructor(name: string) {
    this.#file = flash.open({ path: `kv-${name}`, mode: "r+" });
    const bytes = new Uint8Array(this.#file.read(domainBytes, 0));
    for (let at = 0; at < domainBytes && bytes[at] !== erased; ) {
      const keyEnd = at + 3 + bytes[at]!;
      const end = keyEnd + bytes[at + 1]! * 256 + bytes[at + 2]!;
      this.#values.set(String.fromCharCode(...bytes.subarray(at + 3, keyEnd)), bytes.slice(keyEnd, end));
      at = end;
    }
  }

  read(key: string): ArrayBuffer | undefined {
    return this.#values.get(key)?.slice().buffer as ArrayBuffer | undefined;
  }

  write(key: string, value: Uint8Array): void {
    this.#values.set(key, value.slice());
    this.save();
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.save();
  }

  close(): void {}

  private save(): void {
    const bytes = new Uint8Array(domainBytes).fill(erased);
    let at = 0;
    for (const [key, value] of this.#values) {
      const entry = [key.length, value.length >> 8, value.length & 255];
      for (let index = 0; index < key.length; index += 1) entry.push(key.charCodeAt(index));
      if (at + entry.length + value.length > domainBytes) throw new Error("no room");
      bytes.set(entry, at);
      bytes.set(value, at + entry.length);
      at += entry.length + value.length;
    }
    this.#file.eraseBlock(0);
    this.#file.write(bytes, 0);
  }
}

export default Object.freeze({
  open(options: { readonly path: string }): LinDomain {
    return new LinDomain(options.path);
  },
});
