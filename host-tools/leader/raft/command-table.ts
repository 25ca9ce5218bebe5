/**
 * The commands that the last entries of the log hold, by id: what makes a retried command apply once.
 *
 * It is bounded and evicted by log order, never by clock, so all hosts forget alike. It covers the own log up to its end, committed or not, because a
 * leader must not append again what it has already. In a snapshot it travels as items of kind `commandIds`, each the CBOR array [index before the
 * first, floor, ids]: of `itemIndexes` consecutive indexes the ids, zeros for none, nothing at all where none of them has one. Which indexes an item is
 * about follows from the snapshot's place alone, so that items of two hosts fit together.
 */
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { Entry, SnapshotItem } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { commandIdBytes } from "../../../protocols/state/command.ts";

/** Commands among so many last applied entries are remembered for certain. */
export const rememberedEntries = 65_536;

export class CommandTable {
  /** Room for entries behind the applied one, so that a snapshot of the applied state still has all that it should. */
  readonly #capacity: number;
  readonly #window: number;
  readonly #indexes = new Map<string, number>();
  /** The id at each index, at `index % capacity`. */
  readonly #ids: (string | undefined)[];
  #floor = 0;
  #lastIndex = 0;

  constructor(window = rememberedEntries) {
    this.#window = window;
    this.#capacity = window + Math.max(64, window >> 3);
    this.#ids = new Array(this.#capacity);
  }

  /** All commands behind this index are known. */
  get floor(): number {
    return this.#floor;
  }

  /** Where the command stands in the log; undefined when it stands nowhere behind the floor. */
  find(random: Uint8Array): number | undefined {
    return this.#indexes.get(keyOf(random, 0));
  }

  /** Entries must come in order. */
  append(entry: Entry): void {
    this.#put(entry.index, idIn(entry));
  }

  /** Drops this entry and all after it. */
  truncate(from: number): void {
    for (; this.#lastIndex >= from; this.#lastIndex--) this.#forget(this.#lastIndex);
  }

  /** The items of a snapshot at `index`. */
  items(index: number): SnapshotItem[] {
    const items: SnapshotItem[] = [];
    for (let before = Math.max(0, index - this.#window); before < index; before += itemIndexes) {
      const count = Math.min(itemIndexes, index - before);
      const data = encodeCbor([before, this.#floor, this.#idsBehind(before, count)]);
      items.push({ kind: EntryKind.commandIds, version: 1, data });
    }
    return items;
  }

  /** Begins anew behind a snapshot at `index`; without items, as from a board, nothing before is known. */
  restore(index: number, items: Iterable<SnapshotItem>): void {
    this.#indexes.clear();
    this.#ids.fill(undefined);
    let known = Math.max(0, index - this.#window);
    let floor = known;
    this.#lastIndex = known;
    for (const { kind, version, data } of items) {
      if (kind !== EntryKind.commandIds || version !== 1) continue;
      const [before, itsFloor, ids] = decodeCbor(data) as [number, number, Uint8Array];
      if (before !== known) break;
      known = Math.min(before + itemIndexes, index);
      floor = Math.max(floor, itsFloor);
      for (let i = 0; i < known - before; i++) this.#put(before + i + 1, readId(ids, i));
    }
    this.#floor = known === index ? Math.min(floor, index) : index;
    this.#lastIndex = index;
  }

  #idsBehind(before: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * commandIdBytes);
    let hasAny = false;
    for (let i = 0; i < count; i++) {
      const key = before + i + 1 > this.#floor ? this.#ids[(before + i + 1) % this.#capacity] : undefined;
      if (key === undefined) continue;
      hasAny = true;
      for (let j = 0; j < commandIdBytes; j++) bytes[i * commandIdBytes + j] = key.charCodeAt(j);
    }
    return hasAny ? bytes : new Uint8Array(0);
  }

  #put(index: number, id: string | undefined): void {
    if (index > this.#capacity) {
      this.#forget(index - this.#capacity);
      this.#floor = Math.max(this.#floor, index - this.#capacity);
    }
    this.#lastIndex = index;
    this.#ids[index % this.#capacity] = id;
    if (id !== undefined) this.#indexes.set(id, index);
  }

  #forget(index: number): void {
    const id = this.#ids[index % this.#capacity];
    if (id === undefined) return;
    this.#ids[index % this.#capacity] = undefined;
    if (this.#indexes.get(id) === index) this.#indexes.delete(id);
  }
}

/** So that an item stays below 1,024 bytes. */
const itemIndexes = 120;

/**
 * The id of a put: the last of three items, 8 bytes long; of several puts and of an adoption, the first item. Looks at its bytes alone, because every host does this for every entry; a put of which no sound
 * command can be read is skipped when it is applied, whatever its last bytes say.
 */
function idIn({ kind, version, data }: Entry): string | undefined {
  if (kind === EntryKind.puts || kind === EntryKind.adoption) {
    const isSound = version === 1 && data.length > commandIdBytes && data[0] === (0x40 | commandIdBytes);
    return isSound ? keyOf(data, 1) : undefined;
  }
  const at = data.length - commandIdBytes;
  const isPut = kind === EntryKind.put && version === 1 && at > 1;
  return isPut && data[0] === 0x83 && data[at - 1] === (0x40 | commandIdBytes) ? keyOf(data, at) : undefined;
}

/** The id at place `i` of an item; undefined for zeros, and where the item holds none. */
function readId(ids: Uint8Array, i: number): string | undefined {
  const at = i * commandIdBytes;
  for (let byte = at; byte < at + commandIdBytes && byte < ids.length; byte++) {
    if (ids[byte] !== 0) return keyOf(ids, at);
  }
  return undefined;
}

/** A string is what a Map finds fastest: one character a byte. */
function keyOf(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(
    bytes[at]!,
    bytes[at + 1]!,
    bytes[at + 2]!,
    bytes[at + 3]!,
    bytes[at + 4]!,
    bytes[at + 5]!,
    bytes[at + 6]!,
    bytes[at + 7]!,
  );
}
