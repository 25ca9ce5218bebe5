/** Promises seen broken: what should never happen, kept for the operator one sentence each, and logged. */
import type { Log } from "./log.ts";

export class Violations {
  readonly #log: Log;
  readonly #sentences = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Oldest first. */
  get sentences(): readonly string[] {
    return [...this.#sentences];
  }

  /** The same sentence is kept and logged once; beyond `violationsMax` only the first ones are kept. */
  add(sentence: string): void {
    if (this.#sentences.has(sentence) || this.#sentences.size === violationsMax) return;
    this.#sentences.add(sentence);
    this.#log.error("violation", { what: sentence });
  }
}

const violationsMax = 100;
