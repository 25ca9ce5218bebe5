/** A leader's keeper, the state that it has agreed on, and boards with the core that ships, which hear each other at once and the state as soon as they are connected. */
import { decodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import type { ExpectedPut } from "../../../../host-tools/leader/raft/host-member-types.ts";
import { AgreedRegisters } from "../../../../host-tools/leader/registers/agreed-registers.ts";
import {
  type MemberFacts,
  RegisterKeeper,
  registerKeeperLimits,
} from "../../../../host-tools/leader/registers/register-keeper.ts";
import type { RegistersDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { copiedRegister, copyFromWire } from "../../../../protocols/paxos/copy.ts";
import { groupFromWire } from "../../../../protocols/paxos/group.ts";
import { Member, type MemberOutput } from "../../../../protocols/paxos/member.ts";
import { type Group, groupKey, type Outcome, type RegisterValue } from "../../../../protocols/paxos/types.ts";
import type { StateValue } from "../../../../protocols/state/command.ts";

interface Board {
  memberId: string;
  member: Member;
  isUp: boolean;
  /** Off, or lost. */
  isDead: boolean;
}

export class AgreeingBoards {
  readonly values = new Map<string, StateValue>();
  readonly boards = new Map<string, Board>();
  readonly outcomes: Outcome[] = [];
  nowMs = 1_000_000;
  isLeader = true;
  /** The next entry is not agreed on. */
  refusesNext = false;
  entries = 0;
  declared: RegistersDefinition | undefined;
  #keeper: RegisterKeeper | undefined;
  #index = 0;
  #requests = 0;

  constructor(declared: RegistersDefinition) {
    this.declared = declared;
  }

  /** The one of a leader that has just begun, where there was none, or `lead` was called again. */
  get keeper(): RegisterKeeper {
    this.#keeper ??= this.#newKeeper();
    return this.#keeper;
  }

  lead(): void {
    this.#keeper = undefined;
  }

  get group(): Group {
    return groupFromWire(decodeCbor(this.values.get(groupKey) as Uint8Array));
  }

  agreed(): AgreedRegisters {
    return new AgreedRegisters(this.#state());
  }

  copy(register: string): { value: RegisterValue; version: number } | undefined {
    const said = this.agreed().copy(register)?.said;
    return said && { value: said.value, version: said.version };
  }

  /** Switched on, with nothing in its flash. */
  add(name: string, incarnation: string): void {
    const memberId = `${name}.${incarnation}`;
    const member = new Member({ memberId, random: () => 0.5 }, undefined);
    this.boards.set(name, { memberId, member, isUp: true, isDead: false });
    this.#tellState(name);
  }

  connect(name: string, isUp: boolean): void {
    this.boards.get(name)!.isUp = isUp;
    if (isUp) this.#tellState(name);
  }

  kill(name: string): void {
    Object.assign(this.boards.get(name)!, { isUp: false, isDead: true });
  }

  /** By a board, of its own accord. */
  propose(name: string, register: string, value: RegisterValue): void {
    const request = ++this.#requests;
    const change = {
      register,
      request,
      value,
      ifVersion: undefined,
      atMs: 1,
      deadlineMs: this.nowMs + 5_000,
    };
    const { member } = this.boards.get(name)!;
    this.#perform(name, member.propose(change, this.nowMs));
  }

  /** Boards tell, the leader looks, as time goes by. */
  async settle(forMs = 15_000): Promise<void> {
    const untilMs = this.nowMs + forMs;
    while (this.nowMs < untilMs) {
      this.nowMs += registerKeeperLimits.lookEveryMs;
      for (const [name, { member, isUp, isDead }] of this.boards) {
        if (isDead) continue;
        this.#perform(name, member.run(this.nowMs));
        if (!isUp) continue;
        const closed = member.closed();
        if (closed !== undefined) this.keeper.onClosed(name, closed);
        const { untold: chosen, lost } = member;
        if (chosen.length > 0) this.keeper.onChosen(name, { kind: "chosen", chosen: [...chosen], lost });
      }
      this.keeper.look();
      for (let i = 0; i < 10; i++) await Promise.resolve();
    }
  }

  #newKeeper(): RegisterKeeper {
    return new RegisterKeeper({
      declared: this.declared,
      agreed: this.agreed(),
      replica: this.#leadership(),
      log: createLog("error", () => {}),
      facts: (board) => this.#facts(board),
      put: (puts) => this.#put(puts),
      send: (board, order) => {
        if (order.kind !== "recorded" || !this.boards.get(board)?.isUp) return;
        const { member } = this.boards.get(board)!;
        this.#perform(board, member.onRecorded(order.states, this.nowMs));
      },
      nowMs: () => this.nowMs,
    });
  }

  #leadership() {
    const isLeader = () => this.isLeader;
    return {
      get isLeader() {
        return isLeader();
      },
    };
  }

  #state() {
    const index = () => this.#index;
    const { values } = this;
    return {
      get: (key: string) => {
        const value = values.get(key);
        return value === undefined ? undefined : { value, index: index() };
      },
      keys: () => values.keys(),
      get ownChanges() {
        return index();
      },
    };
  }

  #facts(name: string): MemberFacts {
    const board = this.boards.get(name);
    return { memberId: board?.memberId, isUp: board?.isUp === true, isCloned: false };
  }

  async #put(puts: readonly ExpectedPut[]): Promise<void> {
    if (this.refusesNext) {
      this.refusesNext = false;
      throw new Error("another host leads");
    }
    for (const { key, expected } of puts) {
      if (expected !== undefined && this.values.get(key) !== expected.value)
        throw new Error(`${key} is another`);
    }
    this.entries++;
    this.#index++;
    for (const { key, value } of puts) {
      if (value === undefined) this.values.delete(key);
      else this.values.set(key, value);
    }
    for (const [name, { isUp }] of this.boards) if (isUp) this.#tellState(name);
  }

  #tellState(name: string): void {
    const { member } = this.boards.get(name)!;
    const group = this.values.get(groupKey);
    if (group instanceof Uint8Array) {
      this.#perform(name, member.onGroup(groupFromWire(decodeCbor(group)), this.nowMs));
    }
    for (const [key, value] of this.values) {
      const register = copiedRegister(key);
      if (register === undefined || !(value instanceof Uint8Array)) continue;
      this.#perform(name, member.onCopy(register, copyFromWire(decodeCbor(value)), this.nowMs));
    }
  }

  #perform(name: string, output: MemberOutput): void {
    const { member } = this.boards.get(name)!;
    if (output.keep !== undefined) member.onKept();
    this.outcomes.push(...output.outcomes);
    for (const { to, message } of output.messages) {
      const peer = this.boards.get(to);
      if (peer === undefined || peer.isDead) continue;
      this.#perform(to, peer.member.take(name, message, this.nowMs));
    }
  }
}
