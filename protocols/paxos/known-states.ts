/** What a member knows to be chosen: of each register the latest, whoever told it. Nothing is built on it; it is what the board's program is given, and what digests are made of. */
import { isLater } from "./copy.ts";
import type { Chosen } from "./types.ts";

export class KnownStates {
  readonly #states: Chosen[] = [];

  /** undefined for a register that it never heard of. */
  of(register: string): Chosen | undefined {
    return this.#states.find((one) => one.register === register);
  }

  /** 0 for a register that it never heard of, as for one that never changed. */
  version(register: string): number {
    return this.of(register)?.state.version ?? 0;
  }

  /** What is older than what it knows already changes nothing. */
  learn(chosen: Chosen): void {
    const at = this.#states.findIndex((one) => one.register === chosen.register);
    if (at < 0) this.#states.push(chosen);
    else if (isLaterThan(chosen, this.#states[at]!)) this.#states[at] = chosen;
  }
}

function isLaterThan(a: Chosen, b: Chosen): boolean {
  return isLater({ epoch: a.epoch, version: a.state.version }, { epoch: b.epoch, version: b.state.version });
}
