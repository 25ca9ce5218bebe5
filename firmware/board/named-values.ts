import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ShapeError } from "../../protocols/cbor/shape.ts";
import type { CborValue } from "../../protocols/cbor/value.ts";
import { type Copy, copyFromWire, copyKey } from "../../protocols/paxos/copy.ts";
import { groupFromWire } from "../../protocols/paxos/group.ts";
import { type Group, groupKey, type RegisterValue } from "../../protocols/paxos/types.ts";
import { reservedKeyPrefix, type StateValue } from "../../protocols/state/command.ts";
import type { Settings } from "../sensing/sensing.ts";
import type { BoardStore } from "../storage/board-store.ts";

/** Where a board votes on registers: what it knows of them beyond the log. */
export interface KnownRegisters {
  /** The latest value that it knows to be chosen; undefined for a register that its group does not have. */
  valueOf(register: string): RegisterValue | undefined;
}

/** Where tasks are placed on a board: which it may run now. */
export interface OpenTasks {
  has(task: string): boolean;
}

/**
 * What programs read by name: settings, and the registers that boards agree on. A member of their group knows what it has learnt to be chosen, every board the log's copy,
 * and before anything was decided what the group began with. A task that the board may run now has the board's own name; one that it may not has no value.
 */
export class NamedValues implements Settings {
  readonly #store: BoardStore;
  readonly #board: string;
  /** undefined on a board that does not vote. */
  registers: KnownRegisters | undefined;
  /** undefined on a board on which no task is placed. */
  tasks: OpenTasks | undefined;

  constructor(store: BoardStore, board: string) {
    this.#store = store;
    this.#board = board;
  }

  get(name: string): StateValue | undefined {
    const store = this.#store;
    if (name.startsWith(reservedKeyPrefix)) return store.get(name);
    if (this.tasks?.has(name)) return this.#board;
    return (
      this.registers?.valueOf(name) ?? readCopy(store, name)?.value ?? store.get(name) ?? this.initial(name)
    );
  }

  private initial(name: string): RegisterValue | undefined {
    const group = readGroup(this.#store);
    const place = group?.registers.findIndex((register) => register.name === name) ?? -1;
    return group?.base[place]?.value;
  }
}

/** The group in the agreed state; undefined for none, and for one that this firmware cannot read. */
export function readGroup(store: BoardStore): Group | undefined {
  return read(store.get(groupKey), groupFromWire);
}

/** The log's copy of a register; undefined where nothing was recorded yet. */
export function readCopy(store: BoardStore, register: string): Copy | undefined {
  return read(store.get(copyKey(register)), copyFromWire);
}

function read<What>(value: StateValue | undefined, fromWire: (value: CborValue) => What): What | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return fromWire(decodeCbor(value));
  } catch (error) {
    if (!(error instanceof CborError || error instanceof ShapeError)) throw error;
    return undefined;
  }
}
