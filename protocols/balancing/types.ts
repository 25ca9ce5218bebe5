/** What is to be placed, and on whom. Names are unique within each list. */

/** How a holder is chosen for a task that has none, or has lost the one it had. */
export type Strategy =
  | "random"
  | "round-robin"
  | "smooth-weighted"
  | "least-loaded"
  | "two-choices"
  | "rendezvous";

export const strategies: readonly Strategy[] = Object.freeze([
  "random",
  "round-robin",
  "smooth-weighted",
  "least-loaded",
  "two-choices",
  "rendezvous",
] as const);

export interface Work {
  readonly name: string;
  readonly strategy: Strategy;
  /** What it costs whoever holds it, above 0; of most tasks 1. */
  readonly load: number;
  /** Room that it takes: see `Holder.room`. */
  readonly size: number;
  /** What its holder must have. */
  readonly needs: readonly string[];
  /** Where its holder must be; empty for anywhere. */
  readonly zones: readonly string[];
  /** No holder on a battery. */
  readonly mains: boolean;
  /** Names of tasks that must not have the same holder. That one of two says so is enough. */
  readonly apartFrom: readonly string[];
}

/** Whoever may be given work now: a holder that is gone, or is to be left alone, is not in the list. */
export interface Holder {
  readonly name: string;
  /** How much it can take beside the others, above 0: of two, the one of weight 2 is given twice as much. */
  readonly weight: number;
  /** What it does besides, in units of `Work.load`. */
  readonly load: number;
  /** Sizes that it can hold in all. */
  readonly room: number;
  readonly has: readonly string[];
  readonly zone: string | undefined;
  readonly onBattery: boolean;
}

/** Name of the work to name of its holder. */
export type Placing = ReadonlyMap<string, string>;
