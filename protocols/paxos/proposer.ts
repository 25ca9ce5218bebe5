/**
 * One change, or reading, of one register on its way through a group: the proposer of CASPaxos (section 2.2), without I/O or a clock of its own.
 *
 * ```
 *  look ----------------------> done              what most of a majority has is chosen: a reading is one round trip and writes nothing
 *    | it can't be told
 *    v
 *  prepare -- majority --> the state of the highest ballot:
 *    ^                       chosen? -- the change in place of it --> accept -- majority --> done
 *    |                       not known -- that very state ----------> accept -- majority --+
 *    +--------------- refused, after a pause; or what was found is settled now ------------+
 * ```
 *
 * The middle line is ours. In the paper a proposer builds on whatever state it finds, chosen or not, so that a version may be part of the history that nobody ever knew to
 * be chosen. Here it first settles what it finds. So every version was known to be chosen by somebody, who keeps it until the log has it, before there was a
 * next one; and of one register no two states of the same version are ever chosen. It costs a round trip more only where a majority of promises neither agree on what was accepted nor know.
 *
 * It makes its change once, whatever is lost: the state that it proposes carries the board and the request, and the version that it is to have. A later round that finds that
 * version chosen sees whose it is. One that finds a version beyond can't know, and says so.
 */
import type { Answer, Question } from "./messages.ts";
import { type Change, majorityOf, type OutcomeKind, type RegisterState } from "./types.ts";

export const proposerPeriods = Object.freeze({
  /** Until who has not answered is asked again; then twice as long each time, at most `resendMsMax`. */
  resendMs: 200,
  resendMsMax: 1_600,
  /** The longest pause after the first refusal; then twice as long each time, at most `pauseMsMax`. Half of it is drawn. */
  pauseMs: 80,
  pauseMsMax: 1_280,
});

export interface ProposerParts {
  /** The board's name: whose change this is. */
  readonly board: string;
  /** Below 1, from 0. */
  random(): number;
  /** The first ballot of this member above `after` and all that its own acceptor has promised to `register`; undefined when none is left. */
  nextBallot(register: number, after: number): number | undefined;
}

/** What comes of a step: to be asked of everybody in `to`, the own acceptor first. */
export interface Step {
  readonly question: Question;
  /** A bit for each place in the group. */
  readonly to: number;
}

type Phase = "look" | "prepare" | "accept" | "pause" | "over";

export class Proposer {
  readonly change: Change;
  readonly #parts: ProposerParts;
  #epoch = 0;
  #register = 0;
  #members = 0;
  #phase: Phase = "pause";
  #question: Question | undefined;
  /** Who has answered it: a bit for each place. */
  #answered = 0;
  #answers = 0;
  /** Of the answers of this round: the highest ballot, what was accepted in it, by how many, and whether somebody knows that it is chosen. */
  #highest = -1;
  #found: RegisterState | undefined;
  #same = 0;
  #isKnown = false;
  /** Own change as it was sent to be accepted, while nothing says that it can't come about any more. */
  #own: RegisterState | undefined;
  /** No ballot of its own may be below. */
  #above = 0;
  #refusals = 0;
  #resends = 0;
  #dueMs = Infinity;
  #outcome: OutcomeKind | undefined;
  #state: RegisterState | undefined;

  constructor(change: Change, parts: ProposerParts) {
    this.change = change;
    this.#parts = parts;
  }

  /** It has begun in this epoch. */
  get isStarted(): boolean {
    return this.#epoch > 0;
  }

  /** Once it is over. */
  get outcome(): OutcomeKind | undefined {
    return this.#outcome;
  }

  /** Of an outcome that is `done` or `conflict`. */
  get state(): RegisterState | undefined {
    return this.#state;
  }

  get dueMs(): number {
    return this.#phase === "over" ? Infinity : Math.min(this.#dueMs, this.change.deadlineMs);
  }

  /** Begins, in a group of so many, of which the register has this place. */
  start(epoch: number, register: number, members: number, nowMs: number): Step | undefined {
    this.#epoch = epoch;
    this.#register = register;
    this.#members = members;
    return this.change.value === undefined ? this.look(nowMs) : this.prepare(nowMs);
  }

  /** The member at `place` answered. `chosen` of `news` becomes what this shows to be chosen, with its ballot. */
  take(place: number, answer: Answer, news: ChosenNews, nowMs: number): Step | undefined {
    const question = this.#question;
    if (question === undefined || !this.isAnswer(question, answer)) return undefined;
    const bit = 1 << place;
    if ((this.#answered & bit) !== 0) return undefined;
    if (answer.kind === "refused") {
      this.refuse(answer.promised, nowMs);
      return undefined;
    }
    this.#answered |= bit;
    this.#answers++;
    if (answer.kind !== "accepted") this.weigh(answer.accepted, answer.isChosen, answer.state);
    if (this.#answers < majorityOf(this.#members)) return undefined;
    if (question.kind === "look") return this.onSeen(news, nowMs);
    if (question.kind === "prepare") return this.onPromised(question.ballot, news, nowMs);
    news.state = question.state;
    news.ballot = question.ballot;
    return this.onChosen(question.state, nowMs);
  }

  /** Somebody says that this is chosen. */
  learn(state: RegisterState): void {
    const own = this.#own;
    if (own === undefined || this.#phase === "over" || state.version !== own.version) return;
    // Of one version one state only is ever chosen.
    if (this.isMine(state)) this.end("done", state);
    else this.#own = undefined;
  }

  /**
   * The group that it went through is closed for ever, and the next epoch has begun with `base`, which holds all that was chosen. `isNext`: no epoch came and went
   * between.
   */
  onEpoch(base: RegisterState | undefined, isNext: boolean): void {
    this.#question = undefined;
    if (this.#phase === "over") return;
    this.#phase = "pause";
    this.#dueMs = Infinity;
    this.#epoch = 0;
    this.#above = 0;
    if (base !== undefined) this.learn(base);
    if (this.#outcome !== undefined) return;
    const own = this.#own;
    // What was sent in an epoch that is over, and is not what the next one began with, is nowhere any more.
    if (own !== undefined && base !== undefined && isNext && base.version < own.version)
      this.#own = undefined;
    if (this.#own !== undefined) this.end("unknown", undefined);
    else if (base === undefined) this.end("refused", undefined);
  }

  /** Does what is due by the clock. */
  run(nowMs: number): Step | undefined {
    if (this.#phase === "over") return undefined;
    if (nowMs >= this.change.deadlineMs) {
      this.end(this.#own === undefined ? "unreached" : "unknown", undefined);
      return undefined;
    }
    if (nowMs < this.#dueMs) return undefined;
    if (this.#phase === "pause") return this.prepare(nowMs);
    this.#resends++;
    return this.ask(this.#question!, nowMs);
  }

  private look(nowMs: number): Step {
    this.#phase = "look";
    const { request } = this.change;
    return this.begin({ kind: "look", epoch: this.#epoch, register: this.#register, request }, nowMs);
  }

  private prepare(nowMs: number): Step | undefined {
    const ballot = this.#parts.nextBallot(this.#register, this.#above);
    if (ballot === undefined) {
      this.end(this.#own === undefined ? "refused" : "unknown", undefined);
      return undefined;
    }
    this.#phase = "prepare";
    this.#above = ballot;
    return this.begin({ kind: "prepare", epoch: this.#epoch, register: this.#register, ballot }, nowMs);
  }

  private accept(ballot: number, state: RegisterState, nowMs: number): Step {
    this.#phase = "accept";
    const epoch = this.#epoch;
    return this.begin({ kind: "accept", epoch, register: this.#register, ballot, state }, nowMs);
  }

  private begin(question: Question, nowMs: number): Step {
    this.#question = question;
    this.#answered = 0;
    this.#answers = 0;
    this.#highest = -1;
    this.#found = undefined;
    this.#same = 0;
    this.#isKnown = false;
    this.#resends = 0;
    return this.ask(question, nowMs);
  }

  private ask(question: Question, nowMs: number): Step {
    const { resendMs, resendMsMax } = proposerPeriods;
    this.#dueMs = nowMs + Math.min(resendMsMax, resendMs * 2 ** Math.min(this.#resends, 10));
    const all = (1 << this.#members) - 1;
    return { question, to: all & ~this.#answered };
  }

  private isAnswer(question: Question, answer: Answer): boolean {
    if (answer.epoch !== question.epoch || answer.register !== question.register) return false;
    if (question.kind === "look") return answer.kind === "seen" && answer.request === question.request;
    if (answer.kind === "seen" || answer.ballot !== question.ballot) return false;
    if (answer.kind === "refused") return true;
    return answer.kind === (question.kind === "prepare" ? "promise" : "accepted");
  }

  /** Section 2.2: of what the promises say, the highest ballot counts. */
  private weigh(accepted: number, isChosen: boolean, state: RegisterState): void {
    if (accepted < this.#highest) return;
    if (accepted > this.#highest) {
      this.#highest = accepted;
      this.#found = state;
      this.#same = 0;
      this.#isKnown = false;
    }
    this.#same++;
    if (isChosen) this.#isKnown = true;
  }

  /** Whether what was found is chosen: somebody knows, or a majority has accepted it in one ballot. */
  private isFoundChosen(): boolean {
    return this.#isKnown || this.#same >= majorityOf(this.#members);
  }

  private onSeen(news: ChosenNews, nowMs: number): Step | undefined {
    if (!this.isFoundChosen()) return this.prepare(nowMs);
    this.tell(news);
    this.end("done", this.#found);
    return undefined;
  }

  private onPromised(ballot: number, news: ChosenNews, nowMs: number): Step | undefined {
    const found = this.#found!;
    if (!this.isFoundChosen()) return this.accept(ballot, found, nowMs);
    this.tell(news);
    this.learn(found);
    if (this.#outcome !== undefined) return undefined;
    const next = this.apply(found);
    return next === undefined ? undefined : this.accept(ballot, next, nowMs);
  }

  /** What was asked to be accepted is chosen: the change, or what was found and had to be settled first. */
  private onChosen(state: RegisterState, nowMs: number): Step | undefined {
    this.#question = undefined;
    if (this.isMine(state) || this.change.value === undefined) {
      this.end("done", state);
      return undefined;
    }
    this.learn(state);
    return this.prepare(nowMs);
  }

  private tell(news: ChosenNews): void {
    news.state = this.#found;
    news.ballot = this.#highest;
  }

  /** The change function: the state in place of `found`, which is chosen; undefined when it is over instead. */
  private apply(found: RegisterState): RegisterState | undefined {
    const { value, ifVersion, request, atMs } = this.change;
    if (value === undefined || this.isMine(found)) {
      this.end("done", found);
      return undefined;
    }
    const own = this.#own;
    if (own !== undefined) {
      if (own.version === found.version + 1) return own;
      // Its version was chosen and is past; by whom it was, nobody here knows.
      this.end("unknown", undefined);
      return undefined;
    }
    if (ifVersion !== undefined && ifVersion !== found.version) {
      this.end("conflict", found);
      return undefined;
    }
    this.#own = { version: found.version + 1, value, by: this.#parts.board, request, atMs };
    return this.#own;
  }

  private isMine({ by, request }: RegisterState): boolean {
    return this.change.value !== undefined && by === this.#parts.board && request === this.change.request;
  }

  /** A later ballot is on its way: begins anew above it, after a pause that gives its proposer time to end. A majority may still answer meanwhile. */
  private refuse(promised: number, nowMs: number): void {
    this.#above = Math.max(this.#above, promised);
    if (this.#phase === "pause") return;
    const { pauseMs, pauseMsMax } = proposerPeriods;
    const longestMs = Math.min(pauseMsMax, pauseMs * 2 ** Math.min(this.#refusals++, 10));
    this.#phase = "pause";
    this.#dueMs = nowMs + Math.ceil((longestMs * (1 + this.#parts.random())) / 2);
  }

  private end(outcome: OutcomeKind, state: RegisterState | undefined): void {
    this.#phase = "over";
    this.#question = undefined;
    this.#outcome = outcome;
    this.#state = state;
  }
}

/** What a round has shown to be chosen. */
export interface ChosenNews {
  state: RegisterState | undefined;
  ballot: number;
}
