/**
 * What lies between boards and hosts and belongs to somebody else: it repeats what it has seen, holds it back, turns a bit, leaves it out, or says something
 * else in its place, which may be of another board, another topic or the other direction. It sees all and can open nothing.
 */
import type { Random } from "../random.ts";

/** What may be done to one message. */
type Mischief = "repeat" | "hold back" | "corrupt" | "corrupt a copy" | "splice" | "leave out";

const kinds: readonly Mischief[] = [
  "repeat",
  "hold back",
  "corrupt",
  "corrupt a copy",
  "splice",
  "leave out",
];

/** Payloads that it remembers. */
const seenMax = 64;
const holdBackMs: readonly [least: number, most: number] = [1, 800];
const repeatMs: readonly [least: number, most: number] = [0, 3_000];

export class HostileBroker {
  /** Share of messages that something is done to; 0: it is an honest one. */
  chance = 0;
  mischief = 0;
  readonly #random: Random;
  readonly #after: (delayMs: number, what: () => void) => void;
  readonly #seen: Uint8Array[] = [];

  constructor(random: Random, after: (delayMs: number, what: () => void) => void) {
    this.#random = random;
    this.#after = after;
  }

  /** Passes a message on by `deliver`: once, more often, changed, or not at all. */
  pass(payload: Uint8Array, deliver: (payload: Uint8Array) => void): void {
    const kind = this.#draw();
    if (kind === "hold back") {
      this.#after(this.#random.between(...holdBackMs), () => deliver(payload));
      return;
    }
    if (kind === "corrupt" || kind === "corrupt a copy") deliver(corrupted(payload, this.#random));
    if (kind === "splice" && this.#seen.length > 0) deliver(this.#random.pick(this.#seen));
    if (kind !== "corrupt" && kind !== "leave out") deliver(payload);
    if (kind === "repeat") this.#after(this.#random.between(...repeatMs), () => deliver(payload));
    if (this.chance > 0) this.#see(payload);
  }

  /** What is done to the next message; undefined for nothing. */
  #draw(): Mischief | undefined {
    if (this.chance === 0 || !this.#random.chance(this.chance)) return undefined;
    this.mischief++;
    return this.#random.pick(kinds);
  }

  #see(payload: Uint8Array): void {
    if (this.#seen.length < seenMax) this.#seen.push(payload);
    else this.#seen[this.#random.between(0, seenMax - 1)] = payload;
  }
}

function corrupted(payload: Uint8Array, random: Random): Uint8Array {
  const changed = payload.slice();
  if (changed.length > 0) changed[random.between(0, changed.length - 1)]! ^= 1 << random.between(0, 7);
  return changed;
}
