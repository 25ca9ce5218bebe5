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
import { type Adoption, adoptionFromData, DraftReader, draftKey, isAdoption } from "./draft.ts";
import { isPuts, putsFromData } from "./puts.ts";

/** As much of a state as the rule needs to know. */
export interface StateKeys {
  readonly size: number;
  has(key: string): boolean;
}

/** Of a state in which a draft may be adopted. */
export interface StateValues extends StateKeys {
  get(key: string): StateValue | undefined;
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

/**
 * The same of an entry that may make several changes: all that it makes, in order of keys where it is one of kind `puts`; where it adopts a
 * draft, those of the draft in order of keys, then the pieces' removal.
 */
export function changesOf(entry: SnapshotItem, state: StateValues): readonly PutCommand[] {
  if (isPuts(entry)) return changesOfPuts(entry.data, state);
  if (isAdoption(entry)) return changesOfAdoption(entry.data, state);
  const change = changeOf(entry, state);
  return change === undefined ? noChanges : [change];
}

/** The changes that the data of a `puts` entry makes; none when it is not valid, or there would be too many keys. */
export function changesOfPuts(data: Uint8Array, keys: StateKeys): readonly PutCommand[] {
  const puts = readPuts(data);
  if (puts === undefined) return noChanges;
  const changes: PutCommand[] = [];
  let size = keys.size;
  for (let i = 0; i < puts.length; i++) {
    const put = puts[i]!;
    const isThere = keys.has(put.key);
    if (put.value === undefined && !isThere) continue;
    if (put.value === undefined) size--;
    else if (!isThere) size++;
    changes.push(put);
  }
  return size > stateLimits.keysMax ? noChanges : changes;
}

/**
 * The draft that the data of an entry of kind `adoption` makes the state; undefined when it is not valid, is not about the draft that is there, or there would
 * be too many keys. Reads all of the draft and holds little of it: to be read once more by `draftOf`. Tells `onPut` how many bytes each put takes.
 */
export function adoptedBy(
  data: Uint8Array,
  state: StateValues,
  onPut: (bytes: number) => void = ignore,
): Adoption | undefined {
  return orSkipped(data, (bytes) => {
    const adoption = adoptionFromData(bytes);
    let size = state.size - adoption.pieces;
    const draft = draftOf(adoption, state);
    for (let put = draft.next(); put !== undefined; put = draft.next()) {
      onPut(draft.data.length);
      if (!state.has(put.key)) size++;
    }
    return size > stateLimits.keysMax ? undefined : adoption;
  });
}

export function draftOf(adoption: Adoption, state: StateValues): DraftReader {
  return new DraftReader(adoption, (piece) => state.get(draftKey(piece)));
}

const ignore = () => {};

const noChanges: readonly PutCommand[] = Object.freeze([]);

/** The agreed state held in memory, for a host. */
export class StateMap implements StateValues {
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

  /** Applies a committed entry; gives the changes that it made. */
  apply(entry: SnapshotItem): readonly PutCommand[] {
    const changes = changesOf(entry, this);
    for (const { key, value } of changes) {
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, value);
    }
    return changes;
  }
}

function changesOfAdoption(data: Uint8Array, state: StateValues): readonly PutCommand[] {
  const adoption = adoptedBy(data, state);
  if (adoption === undefined) return noChanges;
  const changes: PutCommand[] = [];
  const draft = draftOf(adoption, state);
  for (let put = draft.next(); put !== undefined; put = draft.next()) changes.push(put);
  for (let i = 0; i < adoption.pieces; i++) changes.push({ key: draftKey(i), value: undefined });
  return changes;
}

function readCommand(data: Uint8Array): PutCommand | undefined {
  return orSkipped(data, commandOf);
}

function readPuts(data: Uint8Array): PutCommand[] | undefined {
  return orSkipped(data, putsFromData);
}

/** The command in the data of a `put` entry (version 1). Throws `ShapeError` or `CborError`. */
export function commandOf(data: Uint8Array): PutCommand {
  return commandFromWire(decodeCbor(data));
}

/** undefined for data that breaks a rule. */
export function orSkipped<T>(data: Uint8Array, read: (data: Uint8Array) => T | undefined): T | undefined {
  try {
    return read(data);
  } catch (error) {
    if (error instanceof CborError || error instanceof ShapeError) return undefined;
    throw error;
  }
}
