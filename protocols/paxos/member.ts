/**
 * A board's part in the registers of its group: the acceptor of all of them, a proposer for each change that is on its way here, and what it knows to be chosen.
 * Without I/O, clock or randomness of its own. Every step gives a `MemberOutput`, and the driver owes it this order:
 *
 * 1. make `keep` durable in place of what was kept, then say `onKept`;
 * 2. send `messages`, tell `outcomes`.
 *
 * Where the first is not possible, it does none of the second, which is as if datagrams were lost: the next step gives `keep` again. So no promise, no
 * acceptance and no outcome leaves the board before it is durable, and no ballot is used twice: a proposer's own acceptor promises it first.
 */
import { nameOf } from "../messages/member-name.ts";
import type { MemberId } from "../raft/types.ts";
import { Acceptor } from "./acceptor.ts";
import { nextBallot } from "./ballot.ts";
import { type Copy, isLater } from "./copy.ts";
import { memberFromBytes, memberToBytes } from "./kept.ts";
import type { Answer, Decided, Digest, PaxosMessage } from "./messages.ts";
import { type ChosenNews, Proposer, type Step } from "./proposer.ts";
import type { ClosedReport, RecordedState } from "./report.ts";
import {
  type Change,
  type Chosen,
  fits,
  type Group,
  type Outcome,
  type OutcomeKind,
  type RegisterDefinition,
  type RegisterState,
  registerLimits,
} from "./types.ts";
import { Untold } from "./untold.ts";

export interface MemberOptions {
  readonly memberId: MemberId;
  /** Below 1, from 0. */
  random(): number;
}

export interface Outgoing {
  /** The name of a board. */
  readonly to: string;
  readonly message: PaxosMessage;
}

export interface MemberOutput {
  /** undefined where nothing has changed. */
  readonly keep: Uint8Array | undefined;
  readonly messages: readonly Outgoing[];
  readonly outcomes: readonly Outcome[];
}

export const memberPeriods = Object.freeze({
  /** Between digests, each to another member. */
  digestMs: 5_000,
  /** Between digests to members that know more. */
  digestMsMin: 1_000,
  /** What was heard to be chosen is kept by then, if nothing else is before. */
  keepMs: 5_000,
  /** A state that was accepted and is not known to be chosen is read then, up to twice as late; and, where that fails, after twice as long each time. */
  settleMs: 3_000,
  settleMsMax: 60_000,
  /** How long such a reading tries. */
  settleForMs: 5_000,
});

export class Member {
  readonly #options: MemberOptions;
  readonly #board: string;
  /** What was kept is not understood: it may have promised anything, and so takes part in nothing. */
  readonly #isMute: boolean;
  /** The latest epoch that it knew of. */
  #epoch = 0;
  #acceptor: Acceptor | undefined;
  readonly #untold: Untold;
  /** What is chosen, of each register, as far as it knows. */
  readonly #known: Chosen[] = [];
  #group: Group | undefined;
  /** Its own in the group; -1 for none. */
  #place = -1;
  #peers: readonly string[] = [];
  /** Of one register only the first goes on. */
  readonly #proposers: Proposer[] = [];
  /** The last outcomes that it told. */
  readonly #past: Outcome[] = [];
  /** Readings that it makes of its own accord. */
  readonly #settling = new Set<Proposer>();
  #settleMs = Infinity;
  #settleWaitMs: number = memberPeriods.settleMs;
  #digestMs = Infinity;
  #lastDigestMs = -Infinity;
  #nextPeer = 0;
  /** Something changed that must be durable before anything leaves. */
  #isDirty = false;
  /** Something changed that is to be kept by then. */
  #keepMs = Infinity;
  #messages: Outgoing[] = [];
  #outcomes: Outcome[] = [];

  /** With what was kept before the power failed. */
  constructor(options: MemberOptions, kept: Uint8Array | undefined) {
    this.#options = options;
    this.#board = nameOf(options.memberId);
    const memory = kept === undefined ? undefined : memberFromBytes(kept);
    this.#isMute = kept !== undefined && memory === undefined;
    this.#untold = new Untold(memory?.untold ?? [], memory?.lost ?? 0);
    for (const chosen of this.#untold.states) this.know(chosen);
    // Whoever has another id is somebody else, even where the flash was kept.
    if (memory === undefined || memory.memberId !== options.memberId) return;
    this.#epoch = memory.epoch;
    this.#acceptor = memory.acceptor;
  }

  /** It votes in the group that it knows, open or closing. */
  get isMember(): boolean {
    return this.#place >= 0;
  }

  /** Names of the other members; none where it is no member itself. */
  get peers(): readonly string[] {
    return this.#peers;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    let dueMs = Math.min(this.#keepMs, this.#settleMs, this.#digestMs);
    const isOpen = this.isOpen();
    for (const { dueMs: ownMs, change } of this.#proposers) {
      dueMs = Math.min(dueMs, isOpen ? ownMs : change.deadlineMs);
    }
    return dueMs;
  }

  /** The latest that is known to be chosen; undefined for a register that it never heard of. */
  known(register: string): Chosen | undefined {
    return this.#known.find((one) => one.register === register);
  }

  /** What the leader is to be told, until `onRecorded`. */
  get untold(): readonly Chosen[] {
    return this.#untold.states;
  }

  /** How many chosen states fell out of `untold`. */
  get lost(): number {
    return this.#untold.lost;
  }

  /** What the leader is to be told of a group that is closing; undefined while there is nothing, or it is not durable yet. */
  closed(): ClosedReport | undefined {
    const acceptor = this.#acceptor;
    if (this.#isDirty || this.#place < 0 || this.#group?.isClosing !== true) return undefined;
    if (acceptor?.isClosed !== true || acceptor.epoch !== this.#group.epoch) return undefined;
    const { memberId } = this.#options;
    return { kind: "closed", member: memberId, epoch: acceptor.epoch, accepted: acceptor.accepted() };
  }

  /** The group as the agreed state has it, once that is durable here; undefined for none. The same may be said again. */
  onGroup(group: Group | undefined, nowMs: number): MemberOutput {
    if (group !== undefined && group.epoch >= this.#epoch && !this.#isMute) this.enter(group, nowMs);
    else if (group === undefined) this.leave();
    return this.output();
  }

  /** What the log's copy of a register says, once that is durable here. */
  onCopy(register: string, copy: Copy, nowMs: number): MemberOutput {
    const { epoch, version, value, by, atMs } = copy;
    this.know({ register, epoch, state: { version, value, by, request: 0, atMs } });
    if (this.#untold.remove({ register, epoch, version })) this.keepSoon(nowMs);
    return this.output();
  }

  /** The leader has recorded these. */
  onRecorded(states: readonly RecordedState[], nowMs: number): MemberOutput {
    for (const state of states) if (this.#untold.remove(state)) this.keepSoon(nowMs);
    return this.output();
  }

  /**
   * A change or a reading is wanted. It waits while the group is closing, and for others of the same register here. One that is asked for again gets the outcome that it had, as
   * long as that is among the last `registerLimits.outcomesMax`.
   */
  propose(change: Change, nowMs: number): MemberOutput {
    const definition = this.definition(change.register);
    const isFit = definition !== undefined && this.isFit(definition, change);
    const waiting = this.#proposers.filter((one) => one.change.register === change.register);
    const past = this.#past.find((one) => one.register === change.register && one.request === change.request);
    if (past !== undefined) this.#outcomes.push(past);
    else if (waiting.some((one) => one.change.request === change.request)) return this.output();
    else if (!isFit) this.tell(change, "refused", undefined);
    else if (waiting.length >= registerLimits.changesMax) this.tell(change, "busy", undefined);
    else {
      this.#proposers.push(this.proposer(change));
      this.startNext(nowMs);
    }
    return this.output();
  }

  /** A message of a board that has proved to be `from`. */
  take(from: string, message: PaxosMessage, nowMs: number): MemberOutput {
    const place = this.#group?.members.findIndex((member) => nameOf(member) === from) ?? -1;
    if (this.#place < 0 || place < 0 || message.epoch !== this.#group!.epoch) return this.output();
    switch (message.kind) {
      case "prepare":
      case "accept":
      case "look":
        if (!("state" in message) || this.isSound(message.register, message.state)) {
          const answer = this.ask(message);
          if (answer !== undefined) this.#messages.push({ to: from, message: answer });
        }
        break;
      case "decided":
        if (this.isSound(message.register, message.state)) this.onDecided(message, nowMs);
        break;
      case "digest":
        this.onDigest(from, message, nowMs);
        break;
      default:
        if (!("state" in message) || this.isSound(message.register, message.state)) {
          this.answer(place, message, nowMs);
        }
    }
    this.watch(nowMs);
    return this.output();
  }

  /** A session with a member has come up: it is told what is known here. */
  onPeerUp(name: string, nowMs: number): MemberOutput {
    if (this.isOpen() && this.#peers.includes(name)) this.digest(name, nowMs);
    return this.output();
  }

  /** Does what is due by the clock. */
  run(nowMs: number): MemberOutput {
    if (nowMs >= this.#keepMs) {
      this.#isDirty = true;
      // Where there is no room for it, again after a while.
      this.#keepMs = nowMs + memberPeriods.keepMs;
    }
    for (const proposer of this.#proposers.slice()) {
      // While its group is closing, or not known, nothing new is asked for in it.
      if (!this.isOpen() && nowMs < proposer.change.deadlineMs) continue;
      this.follow(proposer, proposer.run(nowMs), nowMs);
    }
    this.startNext(nowMs);
    if (nowMs >= this.#settleMs) this.settle(nowMs);
    if (nowMs >= this.#digestMs) {
      this.#digestMs = nowMs + memberPeriods.digestMs;
      if (this.#peers.length > 0) this.digest(this.#peers[this.#nextPeer++ % this.#peers.length]!, nowMs);
    }
    this.watch(nowMs);
    return this.output();
  }

  /** The last `keep` is durable. */
  onKept(): void {
    this.#isDirty = false;
    this.#keepMs = Infinity;
  }

  private enter(group: Group, nowMs: number): void {
    const { epoch, members, registers, base } = group;
    const before = this.#group;
    this.#group = group;
    this.#place = members.indexOf(this.#options.memberId);
    this.#peers = this.#place < 0 ? [] : members.filter((_, at) => at !== this.#place).map(nameOf);
    if (epoch > this.#epoch) {
      const isNext = epoch === this.#epoch + 1;
      this.#epoch = epoch;
      this.#acceptor = this.#place < 0 ? undefined : new Acceptor(epoch, base);
      this.#isDirty = true;
      this.onEpoch(group, isNext);
    }
    for (let i = 0; i < registers.length; i++) {
      this.know({ register: registers[i]!.name, epoch, state: base[i]! });
      const decided = this.#acceptor?.decided(i);
      if (decided !== undefined) this.know({ register: registers[i]!.name, epoch, state: decided.state });
    }
    if (group.isClosing && this.#acceptor?.close() === true) this.#isDirty = true;
    if (!this.isOpen()) this.#digestMs = Infinity;
    else if (before?.epoch !== epoch || before.isClosing !== group.isClosing) {
      this.#digestMs = nowMs + Math.ceil(memberPeriods.digestMs * this.#options.random());
    }
    this.startNext(nowMs);
    this.watch(nowMs);
  }

  private leave(): void {
    this.#group = undefined;
    this.#place = -1;
    this.#peers = [];
    this.#digestMs = Infinity;
    this.#settleMs = Infinity;
  }

  /** It may promise, accept and propose: its group is open, and it is not closed in it, which it may be even where the agreed state that it knows is older. */
  private isOpen(): boolean {
    return this.#place >= 0 && this.#acceptor?.isClosed === false && this.#group?.isClosing === false;
  }

  private onEpoch({ registers, base }: Group, isNext: boolean): void {
    for (const proposer of this.#proposers.slice()) {
      const at = registers.findIndex(({ name }) => name === proposer.change.register);
      const isFit = at >= 0 && this.#place >= 0 && this.isFit(registers[at]!, proposer.change);
      if (at >= 0) proposer.learn(base[at]!);
      proposer.onEpoch(isFit ? base[at] : undefined, isNext);
      this.finish(proposer);
    }
  }

  private definition(register: string): RegisterDefinition | undefined {
    if (this.#place < 0) return undefined;
    return this.#group?.registers.find(({ name }) => name === register);
  }

  private isFit(definition: RegisterDefinition, { value }: Change): boolean {
    if (value === undefined) return true;
    if (!fits(definition, value)) return false;
    const isName = definition.kind === "coordinator" && value !== "";
    return !isName || this.#group!.members.some((member) => nameOf(member) === value);
  }

  /** Whether a state that another member tells is one that the register may have. */
  private isSound(register: number, { value }: RegisterState): boolean {
    const definition = this.#group!.registers[register];
    return definition !== undefined && fits(definition, value);
  }

  private proposer(change: Change): Proposer {
    const parts = {
      board: this.#board,
      random: this.#options.random,
      nextBallot: (register: number, after: number) =>
        nextBallot(Math.max(after, this.#acceptor!.promised(register)), this.#place),
    };
    return new Proposer(change, parts);
  }

  /** Of each register the first that waits begins, if it has not. */
  private startNext(nowMs: number): void {
    if (!this.isOpen()) return;
    const { epoch, registers, members } = this.#group!;
    for (let i = 0; i < registers.length; i++) {
      for (;;) {
        const first = this.#proposers.find(({ change }) => change.register === registers[i]!.name);
        if (first === undefined || first.isStarted) break;
        this.follow(first, first.start(epoch, i, members.length, nowMs), nowMs);
      }
    }
  }

  /** Asks what a proposer wants asked, the own acceptor too, and goes on with what that answers. */
  private follow(proposer: Proposer, step: Step | undefined, nowMs: number): void {
    const { members } = this.#group ?? { members: [] };
    let next = step;
    while (next !== undefined) {
      const { question, to } = next;
      next = undefined;
      for (let place = 0; place < members.length; place++) {
        if ((to & (1 << place)) === 0 || place === this.#place) continue;
        this.#messages.push({ to: nameOf(members[place]!), message: question });
      }
      if ((to & (1 << this.#place)) === 0) break;
      const answer = this.ask(question);
      if (answer !== undefined) next = this.hand(proposer, this.#place, answer, nowMs);
    }
    this.finish(proposer);
  }

  private ask(question: Parameters<Acceptor["take"]>[0]): Answer | undefined {
    const taken = { isChanged: false };
    const answer = this.#acceptor?.take(question, taken);
    if (taken.isChanged) this.#isDirty = true;
    return answer;
  }

  private answer(place: number, answer: Answer, nowMs: number): void {
    if (!this.isOpen()) return;
    const { name } = this.#group!.registers[answer.register] ?? {};
    const proposer = this.#proposers.find(({ change }) => change.register === name);
    if (proposer === undefined) return;
    this.follow(proposer, this.hand(proposer, place, answer, nowMs), nowMs);
    this.startNext(nowMs);
  }

  /** Gives a proposer an answer. What that shows to be chosen is known, kept and told from here on. */
  private hand(proposer: Proposer, place: number, answer: Answer, nowMs: number): Step | undefined {
    const news: ChosenNews = { state: undefined, ballot: 0 };
    const step = proposer.take(place, answer, news, nowMs);
    if (news.state === undefined) return step;
    const { epoch, register } = answer;
    this.note(register, news.state);
    this.#acceptor?.learn({ epoch, register, ballot: news.ballot, state: news.state });
    if (answer.kind !== "accepted") return step;
    const decided: Decided = { kind: "decided", epoch, register, ballot: news.ballot, state: news.state };
    for (const to of this.#peers) this.#messages.push({ to, message: decided });
    return step;
  }

  private finish(proposer: Proposer): void {
    const { change, outcome, state } = proposer;
    const at = outcome === undefined ? -1 : this.#proposers.indexOf(proposer);
    if (at < 0) return;
    this.#proposers.splice(at, 1);
    if (!this.#settling.delete(proposer)) this.tell(change, outcome!, state);
  }

  private tell({ register, request }: Change, kind: OutcomeKind, state: RegisterState | undefined): void {
    const outcome = { register, request, kind, state };
    this.#outcomes.push(outcome);
    if (kind === "busy") return;
    this.#past.push(outcome);
    if (this.#past.length > registerLimits.outcomesMax) this.#past.shift();
  }

  /** This board has found it to be chosen: it is durable before it is said, and before anything is built on it. */
  private note(register: number, state: RegisterState): void {
    const { epoch, registers, base } = this.#group!;
    const chosen = { register: registers[register]!.name, epoch, state };
    this.know(chosen);
    // With what the epoch began the leader has recorded.
    if (state.version > base[register]!.version && this.#untold.add(chosen)) this.#isDirty = true;
  }

  private onDecided({ epoch, register, ballot, state }: Decided, nowMs: number): void {
    const { registers, base } = this.#group!;
    const chosen = { register: registers[register]!.name, epoch, state };
    if (this.#acceptor?.learn({ epoch, register, ballot, state }) === true) this.keepSoon(nowMs);
    this.know(chosen);
    if (state.version > base[register]!.version && this.#untold.add(chosen)) this.keepSoon(nowMs);
    for (const proposer of this.#proposers.slice()) {
      if (proposer.change.register !== chosen.register) continue;
      proposer.learn(state);
      this.finish(proposer);
    }
    this.startNext(nowMs);
  }

  private know(chosen: Chosen): void {
    const at = this.#known.findIndex((one) => one.register === chosen.register);
    if (at < 0) this.#known.push(chosen);
    else if (isLaterThan(chosen, this.#known[at]!)) this.#known[at] = chosen;
  }

  private onDigest(from: string, { versions }: Digest, nowMs: number): void {
    const { registers } = this.#group!;
    let isBehind = false;
    for (let i = 0; i < Math.min(registers.length, versions.length); i++) {
      const decided = this.#acceptor?.decided(i);
      if (decided !== undefined && decided.state.version > versions[i]!) {
        this.#messages.push({ to: from, message: decided });
      }
      if (this.version(registers[i]!.name) < versions[i]!) isBehind = true;
    }
    const isTime = nowMs - this.#lastDigestMs >= memberPeriods.digestMsMin;
    if (isBehind && isTime && this.isOpen()) this.digest(from, nowMs);
  }

  private digest(to: string, nowMs: number): void {
    const { epoch, registers } = this.#group!;
    this.#lastDigestMs = nowMs;
    const versions = registers.map(({ name }) => this.version(name));
    this.#messages.push({ to, message: { kind: "digest", epoch, versions } });
  }

  private version(register: string): number {
    return this.known(register)?.state.version ?? 0;
  }

  /** Sees to it that what was accepted and is not known to be chosen does not stay so: its proposer may be gone. */
  private watch(nowMs: number): void {
    if (!this.isOpen() || this.unsettled() < 0) {
      this.#settleMs = Infinity;
      this.#settleWaitMs = memberPeriods.settleMs;
    } else if (this.#settleMs === Infinity) {
      this.#settleMs = nowMs + Math.ceil(this.#settleWaitMs * (1 + this.#options.random()));
    }
  }

  private settle(nowMs: number): void {
    this.#settleMs = Infinity;
    this.#settleWaitMs = Math.min(memberPeriods.settleMsMax, 2 * this.#settleWaitMs);
    const { registers } = this.#group!;
    for (let i = this.unsettled(); i >= 0; i = this.unsettled(i + 1)) {
      const register = registers[i]!.name;
      if (this.#proposers.some(({ change }) => change.register === register)) continue;
      const request = Math.floor(this.#options.random() * (registerLimits.requestMax + 1));
      const deadlineMs = nowMs + memberPeriods.settleForMs;
      const change = { register, request, value: undefined, ifVersion: undefined, atMs: 0, deadlineMs };
      const proposer = this.proposer(change);
      this.#settling.add(proposer);
      this.#proposers.push(proposer);
    }
    this.startNext(nowMs);
  }

  /** The first register from `from` on whose state is not known to be chosen; -1 for none. */
  private unsettled(from = 0): number {
    const acceptor = this.#acceptor!;
    for (let i = from; i < acceptor.registers; i++) if (acceptor.isUnsettled(i)) return i;
    return -1;
  }

  private keepSoon(nowMs: number): void {
    if (this.#keepMs === Infinity) this.#keepMs = nowMs + memberPeriods.keepMs;
  }

  private output(): MemberOutput {
    const { memberId } = this.#options;
    const keep = this.#isDirty
      ? memberToBytes(memberId, this.#epoch, this.#acceptor, this.#untold)
      : undefined;
    const output = { keep, messages: this.#messages, outcomes: this.#outcomes };
    if (this.#messages.length > 0) this.#messages = [];
    if (this.#outcomes.length > 0) this.#outcomes = [];
    return output;
  }
}

function isLaterThan(a: Chosen, b: Chosen): boolean {
  return isLater({ epoch: a.epoch, version: a.state.version }, { epoch: b.epoch, version: b.state.version });
}
