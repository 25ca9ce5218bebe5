/**
 * Watches a whole swarm: Raft's properties (`../safety.ts`), that the agreed state everywhere is what the committed entries lead to, that no command is applied
 * twice, that none that was acknowledged is lost, and that memory stays within bounds.
 */
import { createHash } from "node:crypto";
import { entryLimits } from "../../../../firmware/storage/entry-log.ts";
import type { CommandId } from "../../../../host-tools/leader/raft/command-id.ts";
import type { HostMemberSizes } from "../../../../host-tools/leader/raft/host-member-types.ts";
import type { Committed } from "../../../../host-tools/leader/raft/outcomes.ts";
import { decodeCbor } from "../../../../protocols/cbor/decode.ts";
import { uncommittedEntriesMax } from "../../../../protocols/raft/node-options.ts";
import type { Entry, MemberId } from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import { StateMap } from "../../../../protocols/state/apply.ts";
import { commandFromWire } from "../../../../protocols/state/codec.ts";
import type { PutCommand, StateValue } from "../../../../protocols/state/command.ts";
import { hex, Safety, textOf, UnsafeStep } from "../safety.ts";
import { stateAdopted } from "./adoption-model.ts";
import { twinKeys } from "./client.ts";
import { bulkKeys, textOfBulk } from "./drafting.ts";
import type { SimulatedBoard } from "./simulated-board.ts";
import type { SimulatedHost } from "./simulated-host.ts";

interface Acknowledged {
  readonly id: CommandId;
  readonly index: number;
}

/** Whatever holds an agreed state. */
interface Values {
  get(key: string): StateValue | undefined;
}

/** A value and the entry that set it. */
interface Version {
  readonly index: number;
  readonly value: StateValue | undefined;
}

/** Entries that hold a command. */
const commandKinds: readonly number[] = [EntryKind.put, EntryKind.puts, EntryKind.adoption];

export class Observer {
  readonly safety = new Safety((bytes) => createHash("sha256").update(bytes).digest());
  snapshotsOnHosts = 0;
  snapshotsOnBoards = 0;
  acknowledged = 0;
  /** Drafts that became the state. */
  draftsAdopted = 0;
  /** Boards' power went in the middle of that. */
  cutsInDrafts = 0;
  readonly #sizes: HostMemberSizes;
  readonly #model = new StateMap();
  readonly #versions = new Map<string, Version[]>();
  /** The entry that stands for each command id. */
  readonly #commands = new Map<string, number>();
  #modelIndex = 0;
  #waiting: Acknowledged[] = [];
  readonly #lives = new WeakSet<object>();
  /** How far each member was last seen to have applied, in its present life. */
  readonly #applied = new WeakMap<object, number>();

  constructor(sizes: HostMemberSizes) {
    this.#sizes = sizes;
  }

  /** Ids of all commands that stand in the log. */
  get commandCount(): number {
    return this.#commands.size;
  }

  onHostStep({ member }: SimulatedHost): void {
    if (member === undefined) return;
    const { id, log, commitIndex } = member;
    this.#noteLife(member, id);
    const { role, term, lastIndex, snapshotIndex, firstIndex } = member.status(0);
    const leads = role === "leader" ? term : undefined;
    this.safety.check({ id, log, commitIndex, leads, trustedTo: Infinity });
    this.#advance();
    for (const { id: command, index } of this.#waiting.splice(0)) this.#checkAcknowledged(command, index);
    if (snapshotIndex > this.safety.committedCount) {
      throw new UnsafeStep(
        "state-machine safety",
        `${id} has a snapshot of ${snapshotIndex}, which nobody committed`,
      );
    }
    const { trailingEntries, compactionEntries } = this.#sizes;
    // A snapshot may still be on its way to the disk, or to a slow member.
    const held = lastIndex - firstIndex + 1;
    const heldMax = trailingEntries + 8 * compactionEntries + 2 * uncommittedEntriesMax;
    if (held > heldMax)
      throw new UnsafeStep("memory bounds", `${id} holds ${held} entries, ${heldMax} at most`);
  }

  onHostApplied({ member, name }: SimulatedHost, entries: readonly Entry[]): void {
    // The member itself says it of its state; that it is committed was seen when its core knew it.
    this.#noteLife(member!, member!.id);
    this.safety.check(this.#observed(member!));
    for (const entry of entries) this.safety.applied(name, entry);
    this.#advance();
    this.#checkTogether(name, member!.state);
  }

  onHostRestored({ member, name }: SimulatedHost): void {
    if (member === undefined) return;
    this.snapshotsOnHosts++;
    this.#advance();
    this.#checkState(name, member.state, member.state.keys(), member.appliedIndex);
  }

  onBoardTurn({ board }: SimulatedBoard): void {
    if (board === undefined) return;
    const { memberId: id, store, commitIndex } = board;
    this.#noteLife(board, id);
    this.safety.check({ id, log: store, commitIndex, leads: undefined, trustedTo: Infinity });
    this.#advance();
    const { appliedIndex, firstIndex } = store;
    const before = this.#applied.get(store);
    if (before === appliedIndex) return;
    this.#applied.set(store, appliedIndex);
    this.#checkTogether(id, store);
    const isReplaced = before === undefined || before + 1 < firstIndex;
    if (isReplaced) {
      if (before !== undefined) this.snapshotsOnBoards++;
      this.checkBoardState(board);
    } else {
      for (let index = before + 1; index <= appliedIndex; index++)
        this.safety.applied(id, store.entry(index));
      if (this.#hasAdoption(before + 1, appliedIndex)) this.checkBoardState(board);
    }
    const held = store.lastIndex - firstIndex + 1;
    const heldMax = entryLimits.waitingMax + 2 * entryLimits.retainedMax;
    if (held > heldMax)
      throw new UnsafeStep("memory bounds", `${id} holds ${held} entries, ${heldMax} at most`);
  }

  /** A committed adoption, if there is one shortly behind `index`. */
  adoptionBehind(index: number): Entry | undefined {
    for (let next = index + 1; next <= Math.min(index + 3, this.safety.committedCount); next++) {
      const entry = this.safety.committed(next);
      if (entry.kind === EntryKind.adoption) return entry;
    }
    return undefined;
  }

  /** In the middle of what a board writes. */
  onPowerCut({ board }: SimulatedBoard): void {
    if (board === undefined) return;
    const { store, commitIndex } = board;
    const seen = this.#applied.get(store) ?? store.appliedIndex;
    if (this.#hasAdoption(seen + 1, Math.min(commitIndex, store.appliedIndex + 1))) this.cutsInDrafts++;
  }

  /** What is only written together is one wherever anybody looks. */
  onLook({ member, name }: SimulatedHost): void {
    this.#checkTogether(name, member!.state);
  }

  onAcknowledged(id: CommandId, { index }: Committed): void {
    this.acknowledged++;
    this.#waiting.push({ id, index });
  }

  /** The whole state of a board against what the log says. */
  checkBoardState(board: NonNullable<SimulatedBoard["board"]>): void {
    const { store, memberId } = board;
    this.#checkState(
      memberId,
      store,
      [...this.#versions.keys()].filter((key) => store.get(key) !== undefined),
      store.appliedIndex,
    );
    if (store.size !== this.#sizeAt(store.appliedIndex)) {
      throw new UnsafeStep(
        "state-machine safety",
        `${memberId} has ${store.size} keys, not ${this.#sizeAt(store.appliedIndex)}`,
      );
    }
  }

  /** The whole state of a host against what the log says. */
  checkHostState({ member, name }: SimulatedHost): void {
    this.#checkState(name, member!.state, member!.state.keys(), member!.appliedIndex);
  }

  /** Before this life there may have been a crash. */
  #noteLife(life: object, id: MemberId): void {
    if (this.#lives.has(life)) return;
    this.#lives.add(life);
    this.safety.crashed(id);
  }

  #observed(member: NonNullable<SimulatedHost["member"]>): Parameters<Safety["check"]>[0] {
    const { role, term } = member.status(0);
    const leads = role === "leader" ? term : undefined;
    return { id: member.id, log: member.log, commitIndex: member.commitIndex, leads, trustedTo: Infinity };
  }

  /** Applies what is newly committed to the model. */
  #advance(): void {
    while (this.#modelIndex < this.safety.committedCount) {
      const entry = this.safety.committed(++this.#modelIndex);
      if (!commandKinds.includes(entry.kind)) continue;
      this.#noteCommand(entry);
      for (const change of this.#apply(entry)) {
        const versions = this.#versions.get(change.key);
        const version = { index: entry.index, value: change.value };
        if (versions === undefined) this.#versions.set(change.key, [version]);
        else versions.push(version);
      }
    }
  }

  /** By the rule that ships, which must do with a draft what it means. */
  #apply(entry: Entry): readonly PutCommand[] {
    const model = this.#model;
    if (entry.kind !== EntryKind.adoption) return model.apply(entry);
    const before = new Map([...model.keys()].map((key) => [key, model.get(key)!]));
    const after = stateAdopted(entry.data, before);
    const changes = model.apply(entry);
    if (changes.length > 0) this.draftsAdopted++;
    for (const key of new Set([...after.keys(), ...model.keys()])) {
      if (isSameValue(after.get(key), model.get(key))) continue;
      throw new UnsafeStep("an adoption", `${textOf(entry)} makes ${key} something else than its draft says`);
    }
    return changes;
  }

  #hasAdoption(first: number, last: number): boolean {
    for (let index = first; index <= Math.min(last, this.safety.committedCount); index++)
      if (this.safety.committed(index).kind === EntryKind.adoption) return true;
    return false;
  }

  #checkTogether(who: string, state: Values): void {
    const twins = new Set(twinKeys.map((key) => state.get(key)));
    const bulk = new Set(bulkKeys.map((key) => textOfBulk(state.get(key))));
    for (const values of [twins, bulk]) {
      if (values.size > 1)
        throw new UnsafeStep("written together", `${who} has ${[...values].join(" and ")}`);
    }
  }

  #noteCommand(entry: Entry): void {
    // Of several puts and of an adoption, the sequence begins with the id: a byte string of eight.
    const isPut = entry.kind === EntryKind.put;
    const id = isPut ? commandFromWire(decodeCbor(entry.data)).id : entry.data.slice(1, 9);
    if (id === undefined) return;
    const before = this.#commands.get(hex(id));
    if (before !== undefined) {
      throw new UnsafeStep("a command once", `${textOf(entry)} has the id of entry ${before}`);
    }
    this.#commands.set(hex(id), entry.index);
  }

  #checkAcknowledged(id: CommandId, index: number): void {
    const found = this.#commands.get(hex(id.random));
    if (found !== index) {
      throw new UnsafeStep(
        "acknowledged commands",
        `a command was acknowledged as entry ${index}, but stands at ${found}`,
      );
    }
  }

  #checkState(who: string, state: Values, keys: Iterable<string>, index: number): void {
    this.#checkTogether(who, state);
    const left = new Set(keys);
    for (const key of this.#versions.keys()) {
      const right = this.#valueAt(key, index);
      const own = state.get(key);
      left.delete(key);
      if (!isSameValue(own, right)) {
        throw new UnsafeStep(
          "state-machine safety",
          `${who} has ${own} for ${key} at ${index}, not ${right}`,
        );
      }
    }
    for (const key of left)
      throw new UnsafeStep("state-machine safety", `${who} has ${key}, which nobody set`);
  }

  #valueAt(key: string, index: number): StateValue | undefined {
    return this.#versions.get(key)?.findLast((version) => version.index <= index)?.value;
  }

  #sizeAt(index: number): number {
    return [...this.#versions.keys()].filter((key) => this.#valueAt(key, index) !== undefined).length;
  }
}

function isSameValue(a: StateValue | undefined, b: StateValue | undefined): boolean {
  return a === b || (a instanceof Uint8Array && b instanceof Uint8Array && hex(a) === hex(b));
}
