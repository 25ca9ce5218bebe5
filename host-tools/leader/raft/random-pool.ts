/** Random bytes fit for identities, drawn from the system a page at a time: asking it for eight costs as much as asking for all of these. */
import { randomFillSync } from "node:crypto";

const pageBytes = 4096;

export class RandomPool {
  readonly #page = new Uint8Array(pageBytes);
  #used = pageBytes;

  /** A new array of `count` bytes, at most a page. */
  bytes(count: number): Uint8Array {
    if (count > pageBytes) throw new RangeError(`${count} random bytes; a pool gives at most ${pageBytes}.`);
    if (this.#used + count > pageBytes) {
      randomFillSync(this.#page);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += count;
    return this.#page.slice(start, this.#used);
  }

  /** From 0 up to, but not including, 1. */
  readonly share = (): number => {
    const [a, b, c, d] = this.bytes(4);
    return (a! * 2 ** 24 + b! * 2 ** 16 + c! * 2 ** 8 + d!) / 2 ** 32;
  };
}
