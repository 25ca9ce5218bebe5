/**
 * The changes and readings that are on their way at one member: a proposer for each, of one register one at a time. What a proposer wants asked goes to the other members and to the member's own
 * acceptor, what they answer back to the proposer; what that shows to be chosen is known, kept and told from there on.
 *
 * Readings are also made of the member's own accord: what was accepted and is not known to be chosen must not stay so, since its proposer may be gone.
 */
import { nameOf } from "../messages/member-name.ts";
import { nextBallot } from "./ballot.ts";
import type { KnownStates } from "./known-states.ts";
import type { MemberMemory } from "./member-memory.ts";
import type { Membership } from "./membership.ts";
import type { Answer, Decided } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { type ChosenNews, Proposer, type Step } from "./proposer.ts";
import {
  type Change,
  type Group,
  type Outcome,
  type OutcomeKind,
  type RegisterState,
  registerLimits,
} from "./types.ts";

export const settlePeriods = Object.freeze({
  /** A state that was accepted and is not known to be chosen is read then, up to twice as late; and, where that fails, after twice as long each time. */
  settleMs: 3_000,
  settleMsMax: 60_000,
  /** How long such a reading tries. */
  settleForMs: 5_000,
});

export interface ChangesParts {
  /** The name of this one. */
  readonly board: string;
  readonly membership: Membership;
  readonly memory: MemberMemory;
  readonly known: KnownStates;
  readonly outbox: Outbox;
  /** Below 1, from 0. */
  random(): number;
}

export class Changes {
  readonly #parts: ChangesParts;
  /** Of one register only the first goes on. */
  readonly #proposers: Proposer[] = [];
  /** The last outcomes that it told. */
  readonly #past: Outcome[] = [];
  /** Readings that it makes of its own accord. */
  readonly #settling = new Set<Proposer>();
  #settleMs = Infinity;
  #settleWaitMs: number = settlePeriods.settleMs;

  constructor(parts: ChangesParts) {
    this.#parts = parts;
  }

  /** Its member may promise, accept and propose: the group is open, and the member is not closed in it, which it may be even where the agreed state that it knows is older. */
  get isOpen(): boolean {
    const { membership, memory } = this.#parts;
    return membership.place >= 0 && memory.acceptor?.isClosed === false && !membership.group!.isClosing;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    let dueMs = this.#settleMs;
    const { isOpen } = this;
    for (const { dueMs: ownMs, change } of this.#proposers) {
      dueMs = Math.min(dueMs, isOpen ? ownMs : change.deadlineMs);
    }
    return dueMs;
  }

  propose(change: Change, nowMs: number): void {
    const { membership, outbox } = this.#parts;
    const definition = membership.definition(change.register);
    const isFit = definition !== undefined && membership.isFit(definition, change);
    const waiting = this.#proposers.filter((one) => one.change.register === change.register);
    const past = this.#past.find((one) => one.register === change.register && one.request === change.request);
    if (past !== undefined) outbox.tell(past);
    else if (waiting.some((one) => one.change.request === change.request)) return;
    else if (!isFit) this.tell(change, "refused", undefined);
    else if (waiting.length >= registerLimits.changesMax) this.tell(change, "busy", undefined);
    else {
      this.#proposers.push(this.proposer(change));
      this.startNext(nowMs);
    }
  }

  /** A later epoch has begun. `isNext`: no epoch came and went between. */
  onEpoch({ registers, base }: Group, isNext: boolean): void {
    const { membership } = this.#parts;
    for (const proposer of this.#proposers.slice()) {
      const at = registers.findIndex(({ name }) => name === proposer.change.register);
      const isFit = at >= 0 && membership.place >= 0 && membership.isFit(registers[at]!, proposer.change);
      if (at >= 0) proposer.learn(base[at]!);
      proposer.onEpoch(isFit ? base[at] : undefined, isNext);
      this.finish(proposer);
    }
  }

  /** Of each register the first that waits begins, if it has not and the group is open. */
  startNext(nowMs: number): void {
    if (!this.isOpen) return;
    const { epoch, registers, members } = this.#parts.membership.group!;
    for (let i = 0; i < registers.length; i++) {
      for (;;) {
        const first = this.#proposers.find(({ change }) => change.register === registers[i]!.name);
        if (first === undefined || first.isStarted) break;
        this.follow(first, first.start(epoch, i, members.length, nowMs), nowMs);
      }
    }
  }

  /** The member at `place` of the group answers. */
  take(place: number, answer: Answer, nowMs: number): void {
    if (!this.isOpen) return;
    const { name } = this.#parts.membership.group!.registers[answer.register] ?? {};
    const proposer = this.#proposers.find(({ change }) => change.register === name);
    if (proposer === undefined) return;
    this.follow(proposer, this.hand(proposer, place, answer, nowMs), nowMs);
    this.startNext(nowMs);
  }

  /** Another member says that this state of `register` is chosen. */
  learn(register: string, state: RegisterState, nowMs: number): void {
    for (const proposer of this.#proposers.slice()) {
      if (proposer.change.register !== register) continue;
      proposer.learn(state);
      this.finish(proposer);
    }
    this.startNext(nowMs);
  }

  run(nowMs: number): void {
    for (const proposer of this.#proposers.slice()) {
      // While its group is closing, or not known, nothing new is asked for in it.
      if (!this.isOpen && nowMs < proposer.change.deadlineMs) continue;
      this.follow(proposer, proposer.run(nowMs), nowMs);
    }
    this.startNext(nowMs);
    if (nowMs >= this.#settleMs) this.settle(nowMs);
  }

  /** To be called when the acceptor may have accepted something, or learnt that it is chosen. */
  watch(nowMs: number): void {
    if (!this.isOpen || this.unsettled() < 0) {
      this.#settleMs = Infinity;
      this.#settleWaitMs = settlePeriods.settleMs;
    } else if (this.#settleMs === Infinity) {
      this.#settleMs = nowMs + Math.ceil(this.#settleWaitMs * (1 + this.#parts.random()));
    }
  }

  /** There is no group any more. */
  leave(): void {
    this.#settleMs = Infinity;
  }

  private proposer(change: Change): Proposer {
    const { board, random, membership, memory } = this.#parts;
    const parts = {
      board,
      random,
      nextBallot: (register: number, after: number) =>
        nextBallot(Math.max(after, memory.acceptor!.promised(register)), membership.place),
    };
    return new Proposer(change, parts);
  }

  /** Asks what a proposer wants asked, the own acceptor too, and goes on with what that answers. */
  private follow(proposer: Proposer, step: Step | undefined, nowMs: number): void {
    const { membership, memory, outbox } = this.#parts;
    const { place: own } = membership;
    const members = membership.group?.members ?? [];
    let next = step;
    while (next !== undefined) {
      const { question, to } = next;
      next = undefined;
      for (let place = 0; place < members.length; place++) {
        if ((to & (1 << place)) === 0 || place === own) continue;
        outbox.send(nameOf(members[place]!), question);
      }
      if ((to & (1 << own)) === 0) break;
      const answer = memory.ask(question);
      if (answer !== undefined) next = this.hand(proposer, own, answer, nowMs);
    }
    this.finish(proposer);
  }

  /** Gives a proposer an answer. What that shows to be chosen is known, kept and told from here on. */
  private hand(proposer: Proposer, place: number, answer: Answer, nowMs: number): Step | undefined {
    const { membership, memory, outbox } = this.#parts;
    const news: ChosenNews = { state: undefined, ballot: 0 };
    const step = proposer.take(place, answer, news, nowMs);
    if (news.state === undefined) return step;
    const { epoch, register } = answer;
    this.note(register, news.state);
    memory.acceptor?.learn({ epoch, register, ballot: news.ballot, state: news.state });
    if (answer.kind !== "accepted") return step;
    const decided: Decided = { kind: "decided", epoch, register, ballot: news.ballot, state: news.state };
    for (const to of membership.peers) outbox.send(to, decided);
    return step;
  }

  /** This board has found it to be chosen. */
  private note(register: number, state: RegisterState): void {
    const { membership, memory, known } = this.#parts;
    const { epoch, registers, base } = membership.group!;
    const chosen = { register: registers[register]!.name, epoch, state };
    known.learn(chosen);
    // With what the epoch began the leader has recorded.
    if (state.version > base[register]!.version) memory.addFound(chosen);
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
    this.#parts.outbox.tell(outcome);
    if (kind === "busy") return;
    this.#past.push(outcome);
    if (this.#past.length > registerLimits.outcomesMax) this.#past.shift();
  }

  private settle(nowMs: number): void {
    const { random, membership } = this.#parts;
    this.#settleMs = Infinity;
    this.#settleWaitMs = Math.min(settlePeriods.settleMsMax, 2 * this.#settleWaitMs);
    const { registers } = membership.group!;
    for (let i = this.unsettled(); i >= 0; i = this.unsettled(i + 1)) {
      const register = registers[i]!.name;
      if (this.#proposers.some(({ change }) => change.register === register)) continue;
      const request = Math.floor(random() * (registerLimits.requestMax + 1));
      const deadlineMs = nowMs + settlePeriods.settleForMs;
      const change = { register, request, value: undefined, ifVersion: undefined, atMs: 0, deadlineMs };
      const proposer = this.proposer(change);
      this.#settling.add(proposer);
      this.#proposers.push(proposer);
    }
    this.startNext(nowMs);
  }

  /** The first register from `from` on whose state is not known to be chosen; -1 for none. */
  private unsettled(from = 0): number {
    const acceptor = this.#parts.memory.acceptor!;
    for (let i = from; i < acceptor.registers; i++) if (acceptor.isUnsettled(i)) return i;
    return -1;
  }
}
