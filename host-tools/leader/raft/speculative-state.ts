/**
 * The agreed state as it will be when all of the leader's log is applied: what a compare-and-set is decided on, so that several may wait at once.
 */
import type { Entry } from "../../../protocols/raft/types.ts";
import { changesOf, type StateMap, type StateValues } from "../../../protocols/state/apply.ts";
import type { StateValue } from "../../../protocols/state/command.ts";

export class SpeculativeState implements StateValues {
  readonly #applied: StateMap;
  /** What entries that are not applied yet change. */
  readonly #changes = new Map<string, Change>();

  /** `entries` are those of the log that are not applied yet. */
  constructor(applied: StateMap, entries: Iterable<Entry>) {
    this.#applied = applied;
    for (const entry of entries) this.append(entry);
  }

  /** Counted, because it is seldom asked for: only when a key is new. */
  get size(): number {
    let size = this.#applied.size;
    for (const [key, { value }] of this.#changes) {
      size += (value === undefined ? 0 : 1) - (this.#applied.has(key) ? 1 : 0);
    }
    return size;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  get(key: string): StateValue | undefined {
    const change = this.#changes.get(key);
    return change === undefined ? this.#applied.get(key) : change.value;
  }

  /** The log has one entry more. */
  append(entry: Entry): void {
    for (const { key, value } of changesOf(entry, this)) {
      this.#changes.set(key, { value, index: entry.index });
    }
  }

  /** All up to `index` is applied. */
  forget(index: number): void {
    for (const [key, change] of this.#changes) {
      if (change.index <= index) this.#changes.delete(key);
    }
  }
}

interface Change {
  /** undefined deletes the key. */
  readonly value: StateValue | undefined;
  readonly index: number;
}

/** Whether two values of the agreed state are the same; undefined is no value. */
export function isSameValue(a: StateValue | undefined, b: StateValue | undefined): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return Object.is(a, b);
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
