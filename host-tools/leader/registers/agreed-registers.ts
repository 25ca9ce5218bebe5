/** What the agreed state says of registers, decoded once for each value. */
import { type Copy, copyFromWire, copyKey } from "../../../protocols/paxos/copy.ts";
import { groupFromWire } from "../../../protocols/paxos/group.ts";
import { copyKeyPrefix, type Group, groupKey } from "../../../protocols/paxos/types.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import { decodeCbor } from "../../codec/cbor.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import { historyFromWire, historyKeyPrefix, type RegisterHistory } from "./history.ts";

/** With what a change of it expects. */
export interface Agreed<T> {
  readonly said: T;
  readonly value: StateValue;
  /** Of the entry that says so, or a later one. */
  readonly index: number;
}

export class AgreedRegisters {
  readonly #state: Pick<AgreedState, "get" | "keys" | "ownChanges">;
  #seenChanges = -1;
  #group: Agreed<Group> | undefined;
  #copies: ReadonlyMap<string, Agreed<Copy>> = new Map();
  #histories: ReadonlyMap<string, Agreed<RegisterHistory>> = new Map();
  #keys: readonly string[] = [];

  constructor(state: Pick<AgreedState, "get" | "keys" | "ownChanges">) {
    this.#state = state;
  }

  /** undefined for none. */
  get group(): Agreed<Group> | undefined {
    this.#look();
    return this.#group;
  }

  copy(register: string): Agreed<Copy> | undefined {
    this.#look();
    return this.#copies.get(register);
  }

  history(register: string): Agreed<RegisterHistory> | undefined {
    this.#look();
    return this.#histories.get(register);
  }

  /** Keys of copies and histories of registers that the group has not. */
  get leftOver(): { readonly key: string; readonly value: StateValue }[] {
    this.#look();
    const names = this.#group?.said.registers.map(({ name }) => name) ?? [];
    const own = new Set(names.flatMap((name) => [copyKey(name), historyKeyPrefix + name]));
    return this.#keys
      .filter((key) => !own.has(key))
      .map((key) => ({ key, value: this.#state.get(key)!.value }));
  }

  #look(): void {
    const { ownChanges } = this.#state;
    if (ownChanges === this.#seenChanges) return;
    this.#seenChanges = ownChanges;
    this.#group = this.#read(groupKey, groupFromWire);
    const copies = new Map<string, Agreed<Copy>>();
    const histories = new Map<string, Agreed<RegisterHistory>>();
    const keys: string[] = [];
    for (const key of this.#state.keys()) {
      if (key.startsWith(copyKeyPrefix)) {
        const copy = this.#read(key, copyFromWire);
        if (copy !== undefined) copies.set(key.slice(copyKeyPrefix.length), copy);
      } else if (key.startsWith(historyKeyPrefix)) {
        const history = this.#read(key, historyFromWire);
        if (history !== undefined) histories.set(key.slice(historyKeyPrefix.length), history);
      } else continue;
      keys.push(key);
    }
    this.#copies = copies;
    this.#histories = histories;
    this.#keys = keys;
  }

  /** undefined for none, and for what a newer leader has written. */
  #read<T>(key: string, fromWire: (wire: ReturnType<typeof decodeCbor>) => T): Agreed<T> | undefined {
    const agreed = this.#state.get(key);
    if (!(agreed?.value instanceof Uint8Array)) return undefined;
    try {
      return { said: fromWire(decodeCbor(agreed.value)), ...agreed };
    } catch {
      return undefined;
    }
  }
}
