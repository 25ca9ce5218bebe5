/**
 * What a committed entry does to the agreed state: one rule for every member, so that no entry applies on one and fails
 * on another (design, point 11). It reads the entry with the one strict codec in `protocols/cbor/`, on hosts as well:
 * two decoders that differ in what they forgive would be two states.
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { CborError } from "../cbor/error.ts";
import { ShapeError } from "../cbor/shape.ts";
import { EntryKind, type SnapshotItem } from "../raft/types.ts";
import { commandFromWire, commandToWire } from "./codec.ts";
import { type PutCommand, type StateValue, stateLimits } from "./command.ts";

/** As much of a state as the rule needs to know. */
export interface StateKeys {
  readonly size: number;
  has(key: string): boolean;
}

/**
 * The change that an entry, or an item of a snapshot, makes to a state with these keys; undefined for none. Skipped: an entry of another kind or
 * version, a put that is not valid, a new key beyond `stateLimits.keysMax`, the deletion of a key that is not there.
 */
export function changeOf(entry: SnapshotItem, keys: StateKeys): PutCommand | undefined {
  if (entry.kind !== EntryKind.put || entry.version !== 1) return undefined;
  const command = readCommand(entry.data);
  if (command === undefined) return undefined;
  if (keys.has(command.key)) return command;
  return command.value === undefined || keys.size >= stateLimits.keysMax ? undefined : command;
}

/** The agreed state held in memory, for a host. */
export class StateMap implements StateKeys {
  readonly #values = new Map<string, StateValue>();

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): StateValue | undefined {
    return this.#values.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  /** All keys, sorted by code units: the order of a snapshot. */
  sortedKeys(): string[] {
    return [...this.#values.keys()].sort();
  }

  /** The put of `key`, which is there, as an item of a snapshot: as short as it can be said, without an id. */
  item(key: string): SnapshotItem {
    const data = encodeCbor(commandToWire({ key, value: this.#values.get(key) }));
    return { kind: EntryKind.put, version: 1, data };
  }

  /** Becomes the state that a snapshot holds; passes over items that are no puts. */
  restore(items: Iterable<SnapshotItem>): void {
    this.#values.clear();
    for (const item of items) this.apply(item);
  }

  /** Applies a committed entry; gives the change that it made, undefined for none. */
  apply(entry: SnapshotItem): PutCommand | undefined {
    const change = changeOf(entry, this);
    if (change?.value === undefined) {
      if (change !== undefined) this.#values.delete(change.key);
    } else {
      this.#values.set(change.key, change.value);
    }
    return change;
  }
}

function readCommand(data: Uint8Array): PutCommand | undefined {
  try {
    return commandFromWire(decodeCbor(data));
  } catch (error) {
    if (error instanceof CborError || error instanceof ShapeError) return undefined;
    throw error;
  }
}
