/**
 * The leader's part in registers, none of which any board needs to agree: it says who the members are, and writes down what they have chosen.
 *
 * ```
 * none --> open --members or registers are to be others--> closing --a majority has told what it accepted--> open, of the next epoch
 * ```
 *
 * A state that is told to be chosen becomes the log's copy if it is the latest, and part of the register's history in the same entry; so it is there once, whoever
 * tells it however often. All of it follows from the agreed state and from what boards tell again until it is recorded: a leader that dies leaves nothing to be remembered.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { nameOf } from "../../../protocols/messages/member-name.ts";
import { type Copy, copyKey, copyToWire } from "../../../protocols/paxos/copy.ts";
import { groupToWire } from "../../../protocols/paxos/group.ts";
import type {
  ChosenReport,
  ClosedReport,
  RecordedState,
  RegisterOrder,
} from "../../../protocols/paxos/report.ts";
import {
  closingGroup,
  type DeclaredRegister,
  firstGroup,
  nextGroup,
  tellingsOf,
} from "../../../protocols/paxos/succession.ts";
import { type Chosen, fits, type Group, groupKey, majorityOf } from "../../../protocols/paxos/types.ts";
import type { MemberId } from "../../../protocols/raft/types.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { RegistersDefinition } from "../../swarm-file/definition.ts";
import type { BoardMember } from "../boards/board-registry.ts";
import type { Log } from "../log.ts";
import type { ExpectedPut } from "../raft/host-member-types.ts";
import type { Agreed, AgreedRegisters } from "./agreed-registers.ts";
import { declaredRegisters } from "./declared.ts";
import { historyKeyPrefix, historyToWire, isRecorded } from "./history.ts";
import { recordingOf } from "./recording.ts";

export const registerKeeperLimits = {
  lookEveryMs: 200,
  /** From one group to the next, so that a board which keeps losing its memory does not keep the others from agreeing. */
  groupsEveryMs: 10_000,
  /** States that wait to be recorded; boards tell again what did not fit. */
  waitingMax: 256,
} as const;

/** A declared board as the leader knows it. */
export type MemberFacts = Pick<BoardMember, "memberId" | "isUp" | "isCloned">;

export interface RegisterKeeperOptions {
  /** undefined where swarm.ts declares none. */
  readonly declared: RegistersDefinition | undefined;
  readonly agreed: AgreedRegisters;
  readonly replica: { readonly isLeader: boolean };
  readonly log: Log;
  facts(board: string): MemberFacts;
  /** All in one entry, or none. Rejects when that was not agreed on. */
  put(puts: readonly ExpectedPut[]): Promise<unknown>;
  send(board: string, order: RegisterOrder): void;
  /** Milliseconds that never go back. */
  nowMs(): number;
}

/** Who ought to vote, and on what. */
interface WantedGroup {
  readonly members: readonly MemberId[];
  readonly registers: readonly DeclaredRegister[];
}

interface Waiting {
  readonly chosen: Chosen;
  /** Who told it. */
  readonly boards: Set<string>;
}

export class RegisterKeeper {
  readonly #options: RegisterKeeperOptions;
  /** By member, what it said of the group that is closing. */
  readonly #closed = new Map<MemberId, ClosedReport>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #lost = new Map<string, number>();
  #changedMs = -Infinity;
  /** One entry is on its way at a time. */
  #isBusy = false;

  constructor(options: RegisterKeeperOptions) {
    this.#options = options;
  }

  /** Declared boards of which no member id is known yet; the group stays as it is until they have been here once. */
  get missing(): readonly string[] {
    const { declared, agreed, facts } = this.#options;
    if (declared === undefined) return [];
    const present = agreed.group?.said;
    return declared.boards.filter((board) => memberOf(board, facts(board), present) === undefined);
  }

  /** How many changes a board has forgotten before it could tell them. */
  lostAt(board: string): number {
    return this.#lost.get(board) ?? 0;
  }

  /** Members of a closing group that have said what they accepted last. */
  get closed(): readonly MemberId[] {
    const group = this.#options.agreed.group?.said;
    return group === undefined ? [] : tellingsOf(group, this.#closed.values()).map(({ member }) => member);
  }

  /** A board, which has proved to be `board`, has closed. */
  onClosed(board: string, report: ClosedReport): void {
    const group = this.#options.agreed.group?.said;
    const { memberId } = this.#options.facts(board);
    if (report.member !== memberId || report.epoch < (group?.epoch ?? 0)) return;
    this.#closed.set(report.member, report);
    this.look();
  }

  /** A board tells what it knows to be chosen. */
  onChosen(board: string, { chosen, lost }: ChosenReport): void {
    const { replica, agreed, log } = this.#options;
    if (lost > this.lostAt(board)) log.warn("register-changes-lost", { board, lost });
    this.#lost.set(board, lost);
    const group = agreed.group?.said;
    if (!replica.isLeader || group === undefined) return;
    const recorded: RecordedState[] = [];
    for (const each of chosen) {
      const { register, epoch, state } = each;
      const definition = group.registers.find(({ name }) => name === register);
      const history = agreed.history(register)?.said;
      if (definition === undefined || (history !== undefined && isRecorded(history, epoch, state.version))) {
        if (epoch <= group.epoch) recorded.push({ register, epoch, version: state.version });
      } else if (epoch <= group.epoch && fits(definition, state.value)) this.#wait(each, board);
    }
    if (recorded.length > 0) this.#options.send(board, { kind: "recorded", states: recorded });
    this.look();
  }

  /** Does the next thing that is to be done, if this host leads. Call it often, and whenever the state has changed. */
  look(): void {
    const { replica, agreed } = this.#options;
    if (!replica.isLeader) {
      this.#waiting.clear();
      return;
    }
    if (this.#isBusy) return;
    const group = agreed.group;
    const wanted = this.#wanted();
    if (group === undefined) {
      if (wanted !== undefined) this.#putGroup(undefined, firstGroup(1, wanted.members, wanted.registers));
    } else if (!this.#recordBase(group.said) && !this.#removeLeftOver() && !this.#recordNext()) {
      this.#lookAtGroup(group, wanted);
    }
  }

  /**
   * Opens the next epoch from what can be had within `waitMs`, without a majority of the members: what they chose and told nobody is lost. Resolves once it is agreed on;
   * rejects when it was not.
   */
  async recover(waitMs: number): Promise<void> {
    const { agreed, put } = this.#options;
    const epoch = agreed.group?.said.epoch;
    if (agreed.group?.said.isClosing === false) {
      await put([groupPut(agreed.group, closingGroup(agreed.group.said))]);
    }
    // Who is left says what it has; a majority, and the group goes on without any loss.
    await sleep(waitMs);
    const group = agreed.group;
    const wanted = this.#wanted();
    if (group === undefined || group.said.epoch !== epoch) return;
    const { members, registers } = wanted ?? this.#present(group.said);
    const copies = new Map<string, Copy>();
    for (const { name } of group.said.registers) {
      const copy = agreed.copy(name)?.said;
      if (copy !== undefined) copies.set(name, copy);
    }
    const closing = closingGroup(group.said);
    const tellings = tellingsOf(closing, this.#closed.values());
    await put([groupPut(group, nextGroup(closing, tellings, members, registers, copies)!)]);
    this.#closed.clear();
  }

  #wanted(): WantedGroup | undefined {
    const { declared, agreed, facts } = this.#options;
    const present = agreed.group?.said;
    // What is declared no longer goes; those who agreed on it stay who they are.
    if (declared === undefined) return present && { members: present.members, registers: [] };
    const members = [...declared.boards].sort().map((board) => memberOf(board, facts(board), present));
    if (members.includes(undefined)) return undefined;
    return { members: members as MemberId[], registers: declaredRegisters(declared.names) };
  }

  #lookAtGroup(agreed: Agreed<Group>, wanted: WantedGroup | undefined): void {
    const { said: group } = agreed;
    if (group.isClosing) {
      // Where somebody is not known yet, it goes on with whom it had.
      const { members, registers } = wanted ?? this.#present(group);
      const next = nextGroup(group, tellingsOf(group, this.#closed.values()), members, registers);
      if (next !== undefined) this.#putGroup(agreed, next);
      return;
    }
    if (wanted === undefined || isAsWanted(group, wanted)) return;
    if (this.#options.nowMs() - this.#changedMs < registerKeeperLimits.groupsEveryMs) return;
    const { members, registers } = wanted;
    // Whoever closes waits for the next epoch: it must be able to follow.
    if (keepsAny(group, wanted) && !this.#isMajorityHere(group)) return;
    // Of registers of which none goes on, nothing is asked.
    if (keepsAny(group, wanted)) this.#putGroup(agreed, closingGroup(group));
    else this.#putGroup(agreed, firstGroup(group.epoch + 1, members, registers));
  }

  #isMajorityHere({ members }: Group): boolean {
    const here = members.filter((member) => {
      const { memberId, isUp } = this.#options.facts(nameOf(member));
      return isUp && memberId === member;
    });
    return here.length >= majorityOf(members.length);
  }

  #present({ members, registers, base }: Group): WantedGroup {
    const declared = registers.map((definition, i) => ({ definition, initial: base[i]!.value }));
    return { members, registers: declared };
  }

  #putGroup(present: Agreed<Group> | undefined, next: Group): void {
    const { epoch, isClosing, members } = next;
    this.#put([groupPut(present, next)], () => {
      this.#options.log.info("register-group", { epoch, isClosing, members: members.join(",") });
      if (isClosing) return;
      this.#changedMs = this.#options.nowMs();
      this.#closed.clear();
    });
  }

  /** What an epoch began with is chosen, and nobody else tells it. */
  #recordBase({ epoch, registers, base }: Group): boolean {
    return registers.some(({ name: register }, i) => this.#record({ register, epoch, state: base[i]! }, []));
  }

  #removeLeftOver(): boolean {
    const leftOver = this.#options.agreed.leftOver.slice(0, 16);
    if (leftOver.length === 0) return false;
    this.#put(leftOver.map(({ key, value }) => ({ key, value: undefined, expected: { value } })));
    return true;
  }

  /** Of those that wait, the one of the lowest version: what a long history drops is the oldest. */
  #recordNext(): boolean {
    const waiting = [...this.#waiting.values()].sort(
      (a, b) => a.chosen.state.version - b.chosen.state.version,
    );
    return waiting.some(({ chosen, boards }) => {
      this.#waiting.delete(keyOf(chosen));
      // Of a register that is gone there is nothing to be written.
      const isGone = this.#options.agreed.history(chosen.register) === undefined;
      if (!isGone && this.#record(chosen, boards)) return true;
      this.#tellRecorded(chosen, boards);
      return false;
    });
  }

  /** Whether anything of it is to be written; then that is on its way. */
  #record(chosen: Chosen, boards: Iterable<string>): boolean {
    const { agreed, log } = this.#options;
    const { register, state } = chosen;
    const history = agreed.history(register);
    const copy = agreed.copy(register);
    const recording = recordingOf(chosen, history?.said, copy?.said);
    if (recording === undefined) return false;
    const puts: ExpectedPut[] = [
      expectedPut(historyKeyPrefix + register, encodeCbor(historyToWire(recording.history)), history),
    ];
    if (recording.copy !== undefined) {
      puts.push(expectedPut(copyKey(register), encodeCbor(copyToWire(recording.copy)), copy));
    }
    this.#put(puts, () => {
      const { version, value, by } = state;
      log.info("register", { register, version, value, by });
      this.#tellRecorded(chosen, boards);
    });
    return true;
  }

  #tellRecorded({ register, epoch, state }: Chosen, boards: Iterable<string>): void {
    const states = [{ register, epoch, version: state.version }];
    for (const board of boards) this.#options.send(board, { kind: "recorded", states });
  }

  #wait(chosen: Chosen, board: string): void {
    const key = keyOf(chosen);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) waiting.boards.add(board);
    else if (this.#waiting.size < registerKeeperLimits.waitingMax) {
      this.#waiting.set(key, { chosen, boards: new Set([board]) });
    }
  }

  #put(puts: readonly ExpectedPut[], done: () => void = () => {}): void {
    const { put, log } = this.#options;
    this.#isBusy = true;
    put(puts).then(
      () => {
        this.#isBusy = false;
        done();
        this.look();
      },
      // Whoever leads next, or this host with its next look, goes on from what the state then says.
      (error: Error) => {
        this.#isBusy = false;
        log.debug("registers-wait", { reason: error.message });
      },
    );
  }
}

function memberOf(
  board: string,
  { memberId, isCloned }: MemberFacts,
  group: Group | undefined,
): MemberId | undefined {
  const present = group?.members.find((member) => nameOf(member) === board);
  return isCloned ? (present ?? memberId) : (memberId ?? present);
}

/** Whether the group is the wanted one but for what its registers hold. */
function isAsWanted({ members, registers }: Group, wanted: WantedGroup): boolean {
  const definitions = wanted.registers.map(({ definition }) => definition);
  return JSON.stringify([members, registers]) === JSON.stringify([wanted.members, definitions]);
}

/** Whether a register of the group goes on to be one; only then it matters what it holds. */
function keepsAny(group: Group, wanted: WantedGroup): boolean {
  const names = wanted.registers.map(({ definition }) => definition.name);
  return group.registers.some(({ name }) => names.includes(name));
}

function groupPut(present: Agreed<Group> | undefined, next: Group): ExpectedPut {
  return expectedPut(groupKey, encodeCbor(groupToWire(next)), present);
}

function expectedPut(key: string, value: Uint8Array, present: Agreed<unknown> | undefined): ExpectedPut {
  return { key, value, expected: { value: present?.value } };
}

function keyOf({ register, epoch, state }: Chosen): string {
  return `${register} ${epoch} ${state.version}`;
}
