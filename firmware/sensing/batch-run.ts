import type { Batch } from "../../protocols/pipeline/program.ts";
import type { Block } from "../../protocols/series/block.ts";
import { BlockEncoder } from "../../protocols/series/encoder.ts";

/** Packs the readings of one pipeline; a block goes when it is full, or its first reading has waited for long enough. */
export class BatchRun {
  readonly #everyMs: number;
  readonly #encoder: BlockEncoder;
  #lastMs = -Infinity;

  /** @param stepMs the time from one reading to the next, as far as it is known */
  constructor({ everyMs, within }: Batch, stepMs: number) {
    this.#everyMs = everyMs;
    this.#encoder = new BlockEncoder(stepMs, within);
  }

  /** When its block is to go; Infinity while nothing waits. */
  get dueMs(): number {
    return this.#encoder.count === 0 ? Infinity : this.#encoder.startMs + this.#everyMs;
  }

  /** Takes a reading; gives the block that it no longer fits into. */
  push(atMs: number, value: number): Block | undefined {
    const full = this.#encoder.isFull ? this.#encoder.take() : undefined;
    // Two stages that are due together may let go of theirs in another order.
    this.#lastMs = Math.max(this.#lastMs, atMs);
    this.#encoder.push(this.#lastMs, value);
    return full;
  }

  /** What waits, if anything does. */
  take(): Block | undefined {
    return this.#encoder.take();
  }
}
