/** Datagrams between boards: lost, doubled, late, overtaken, and not at all between parts that are cut off from each other. */

import type { Random } from "../raft/random.ts";
import type { Climate } from "./climate.ts";

export class Network {
  readonly #random: Random;
  readonly #climate: Climate;
  readonly #in: (delayMs: number, run: () => void) => void;
  /** Boards of different parts do not hear each other; absent: part 0. */
  readonly #parts = new Map<string, number>();
  #loss = 0;
  #isHealed = false;
  /** That were sent. */
  messages = 0;

  constructor(random: Random, climate: Climate, inMs: (delayMs: number, run: () => void) => void) {
    this.#random = random;
    this.#climate = climate;
    this.#in = inMs;
  }

  /** Other weather. */
  change(): void {
    const random = this.#random;
    if (random.chance(0.4)) this.#loss = random.pick(this.#climate.losses);
    if (!random.chance(0.3)) return;
    const parts = random.pick([1, 1, 2, 3]);
    this.#parts.clear();
    for (let i = 1; i <= 7; i++) this.#parts.set(`b${i}`, random.between(0, parts - 1));
  }

  heal(): void {
    this.#isHealed = true;
    this.#loss = 0;
    this.#parts.clear();
  }

  send(from: string, to: string, _bytes: Uint8Array, deliver: () => void): void {
    this.messages++;
    const copies = !this.#isHealed && this.#random.chance(this.#climate.doubled) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (this.#random.chance(this.#loss)) continue;
      this.#in(this.#delayMs(), () => {
        if ((this.#parts.get(from) ?? 0) === (this.#parts.get(to) ?? 0)) deliver();
      });
    }
  }

  #delayMs(): number {
    const draw = this.#random.next();
    const { late } = this.#climate;
    if (this.#isHealed || draw >= late) return this.#random.between(1, 30);
    return draw >= late / 8 ? this.#random.between(30, 900) : this.#random.between(900, 20_000);
  }
}
