/** What the agreed state says of who keeps whose readings, decoded once for each value. */
import { type Shelf, shelfFromWire, shelfKeyPrefix, shelfToWire } from "../../../protocols/keeping/shelf.ts";
import { drainedFromWire, drainedKey } from "../../../protocols/tasks/drained.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";
import type { AgreedState } from "../state/agreed-state.ts";

export interface AgreedShelf {
  readonly shelf: Shelf;
  /** As agreed on: what a change of it expects. */
  readonly value: Uint8Array;
}

type State = Pick<AgreedState, "get" | "keys" | "ownChanges" | "lastIndex">;

export class AgreedShelves {
  readonly #state: State;
  #seenChanges = -1;
  #shelves: ReadonlyMap<string, AgreedShelf> = new Map();
  #drained: readonly string[] = [];

  constructor(state: State) {
    this.#state = state;
  }

  /** Of the last entry that is behind all of this. */
  get index(): number {
    return this.#state.lastIndex;
  }

  /** By board whose readings are kept; also of boards that ask for nothing any more. */
  get shelves(): ReadonlyMap<string, AgreedShelf> {
    this.#look();
    return this.#shelves;
  }

  /** Boards that are to keep nothing, and hold no tasks. */
  get drained(): readonly string[] {
    this.#look();
    return this.#drained;
  }

  #look(): void {
    const { ownChanges } = this.#state;
    if (ownChanges === this.#seenChanges) return;
    this.#seenChanges = ownChanges;
    const shelves = new Map<string, AgreedShelf>();
    for (const key of this.#state.keys()) {
      if (!key.startsWith(shelfKeyPrefix)) continue;
      const value = this.#state.get(key)!.value;
      const shelf = value instanceof Uint8Array ? read(value, shelfFromWire) : undefined;
      if (shelf === undefined) continue;
      shelves.set(key.slice(shelfKeyPrefix.length), { shelf, value: value as Uint8Array });
    }
    this.#shelves = shelves;
    const drained = this.#state.get(drainedKey)?.value;
    this.#drained = drained instanceof Uint8Array ? (read(drained, drainedFromWire) ?? []) : [];
  }
}

export function encodeShelf(shelf: Shelf): Uint8Array {
  return encodeCbor(shelfToWire(shelf));
}

/** undefined for what a newer leader has written. */
function read<T>(value: Uint8Array, fromWire: (wire: ReturnType<typeof decodeCbor>) => T): T | undefined {
  try {
    return fromWire(decodeCbor(value));
  } catch {
    return undefined;
  }
}
