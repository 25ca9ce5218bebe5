import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import type { BoardStore } from "./board-store.ts";

export const checkpointLimits = Object.freeze({
  /** Between checkpoints: what a power cut loses of windows and filters at most. */
  everyMs: 60_000,
});

/** Whoever has a state that is saved now and then: what it holds, in parts. */
export interface Saved {
  save(nowMs: number): Uint8Array[];
  /** Takes up what is its own of a part; gives how many things did. */
  restore(part: Uint8Array, nowMs: number): number;
}

/** Saves at intervals what a board would otherwise lose with its power, and gives it back when the board starts. */
export class Checkpoints {
  readonly #store: BoardStore;
  readonly #saved: Saved;
  #dueMs: number;
  #refused = 0;

  constructor(store: BoardStore, saved: Saved, nowMs: number) {
    this.#store = store;
    this.#saved = saved;
    this.#dueMs = nowMs + checkpointLimits.everyMs;
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  /** Checkpoints that the flash had no room for, since the board booted; the last one that it took stays. */
  get refused(): number {
    return this.#refused;
  }

  run(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + checkpointLimits.everyMs;
    this.save(nowMs);
  }

  save(nowMs: number): void {
    const parts = this.#saved.save(nowMs);
    if (parts.length > 0 && !this.#store.saveCheckpoint(parts)) this.#refused++;
  }

  /** Gives back what the last checkpoint holds, before anything has run; gives how many things took theirs up. */
  restore(nowMs: number): number {
    let restored = 0;
    for (let part = 0; part < this.#store.checkpointParts; part++) {
      try {
        restored += this.#saved.restore(this.#store.checkpointPart(part), nowMs);
      } catch (error) {
        // Of another firmware: whose state it is starts anew.
        if (!(error instanceof ShapeError || error instanceof CborError)) throw error;
      }
    }
    return restored;
  }
}
