/** The agreed state as this host has applied it: committed entries boiled down to keys, values and where each was set. */
import type { Entry } from "../../protocols/raft/types.ts";
import { changeOf, type StateKeys } from "../../protocols/state/apply.ts";
import type { StateValue } from "../../protocols/state/command.ts";

export interface AgreedValue {
  readonly value: StateValue;
  /** Log index of the entry that set it. */
  readonly index: number;
}

export class AgreedState implements StateKeys {
  readonly #values = new Map<string, AgreedValue>();

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): AgreedValue | undefined {
    return this.#values.get(key);
  }

  /** Committed entries, in log order, each once. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const change = changeOf(entry, this);
      if (change === undefined) continue;
      if (change.value === undefined) this.#values.delete(change.key);
      else this.#values.set(change.key, { value: change.value, index: entry.index });
    }
  }
}
