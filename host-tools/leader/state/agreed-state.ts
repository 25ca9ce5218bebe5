/** The agreed state as this host has applied it: committed entries boiled down to keys, values and where each was set. */
import type { Entry } from "../../../protocols/raft/types.ts";
import { changesOf, type StateKeys, type StateValues } from "../../../protocols/state/apply.ts";
import { reservedKeyPrefix, type StateValue } from "../../../protocols/state/command.ts";
import type { ReadonlyStateMap } from "../raft/host-member-types.ts";

export interface AgreedValue {
  readonly value: StateValue;
  /** Log index of the entry that set it; of a value that came in a snapshot, that of the snapshot. */
  readonly index: number;
}

export type OwnChangeListener = (key: string, value: StateValue | undefined, entry: Entry) => void;

export class AgreedState implements StateKeys {
  readonly #values = new Map<string, AgreedValue>();
  readonly #watchers: OwnChangeListener[] = [];
  /** As the rule wants it: values alone. */
  readonly #plain: StateValues;
  #ownChanges = 0;
  #lastIndex = 0;

  constructor() {
    const values = this.#values;
    this.#plain = {
      get size() {
        return values.size;
      },
      has: (key) => values.has(key),
      get: (key) => values.get(key)?.value,
    };
  }

  /** The last entry that is applied. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Grows whenever a key that Covey keeps for itself may have changed. */
  get ownChanges(): number {
    return this.#ownChanges;
  }

  /** Tells of each change of a key that Covey keeps for itself, while the state is the one behind its entry; not of what a snapshot brings. */
  watch(listener: OwnChangeListener): void {
    this.#watchers.push(listener);
  }

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): AgreedValue | undefined {
    return this.#values.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  /** A snapshot that stands for all entries up to `index`. */
  restore(state: ReadonlyStateMap, index: number): void {
    const former = new Map(this.#values);
    this.#values.clear();
    this.#ownChanges++;
    this.#lastIndex = index;
    for (const key of state.keys()) {
      const value = state.get(key)!;
      const known = former.get(key);
      // What did not change was set where it was known to be set.
      this.#values.set(key, known !== undefined && known.value === value ? known : { value, index });
    }
  }

  /** Committed entries, in log order, each once. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      for (const { key, value } of changesOf(entry, this.#plain)) {
        if (value === undefined) this.#values.delete(key);
        else this.#values.set(key, { value, index: entry.index });
        if (key.startsWith(reservedKeyPrefix)) this.#ownChanged(key, value, entry);
      }
      this.#lastIndex = entry.index;
    }
  }

  #ownChanged(key: string, value: StateValue | undefined, entry: Entry): void {
    this.#ownChanges++;
    for (const watcher of this.#watchers) watcher(key, value, entry);
  }
}
