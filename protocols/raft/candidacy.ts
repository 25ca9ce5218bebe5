/**
 * A host on its way to lead: it asks who would elect it, then for the votes, and when it is refused for a stale log it copies that of
 * the voter that has most, and campaigns again (design, point 8).
 *
 * What returns a boolean says whether the election is won.
 */
import { CatchUp } from "./catch-up.ts";
import { isVoter } from "./confchange.ts";
import type { LogEnd } from "./election.ts";
import { Election, endOf, isBehind } from "./election.ts";
import type { NodeState } from "./node-state.ts";
import type { LogResponse, MemberId, SnapshotChunk, VotePurpose, VoteResponse } from "./types.ts";

export class Candidacy {
  readonly #state: NodeState;
  /** At most one of these two. */
  #election: Election | undefined;
  #catchUp: CatchUp | undefined;
  /** Whom else to copy from, the most up to date first. */
  #otherSources: readonly LogEnd[] = [];

  constructor(state: NodeState) {
    this.#state = state;
  }

  get role(): "pre-candidate" | "candidate" | "catching-up" | undefined {
    if (this.#catchUp !== undefined) return "catching-up";
    if (this.#election === undefined) return undefined;
    return this.#election.purpose === "pre-vote" ? "pre-candidate" : "candidate";
  }

  /** Whose log is being copied. */
  get source(): MemberId | undefined {
    return this.#catchUp?.source;
  }

  /** Whether it only copies: then a vote that it refuses to another is no reason to stop. */
  get isCatchingUp(): boolean {
    return this.#catchUp !== undefined;
  }

  /** Given up, or over. */
  stop(): void {
    this.#election = undefined;
    this.#catchUp = undefined;
    this.#otherSources = [];
  }

  /** Section 5.2, with a pre-vote first (thesis, 9.6) unless that is off. A host not yet added, or removed, waits to be spoken to. */
  campaign(purpose: VotePurpose = (this.#state.options.preVote ?? true) ? "pre-vote" : "election"): boolean {
    const state = this.#state;
    this.stop();
    state.waitForLeader();
    if (!state.membership.mayLead(state.id)) return false;
    const term = state.term + 1;
    if (purpose === "pre-vote") this.#askAgainSoon();
    else state.enterTerm(term, state.id);
    const { id, log, outbox, configuration } = state;
    this.#election = new Election({ id, purpose, term, log, outbox });
    // Alone, it has won and asks nobody.
    if (this.#election.result(configuration) === "won") return this.#goOnWhenWon(purpose);
    this.#election.askAll(configuration);
    return false;
  }

  /** A member that votes has a connection, perhaps a new one. */
  connect(id: MemberId): void {
    if (isVoter(this.#state.configuration, id)) this.#election?.ask(id);
  }

  tick(): boolean {
    if (this.#catchUp !== undefined) return this.#goOnCatchingUp(this.#catchUp);
    return this.#startCatchUp(this.#election?.ahead ?? []) ? false : this.campaign();
  }

  /** An answer of this term. */
  takeVote(response: VoteResponse): boolean {
    const { from, isPreVote } = response;
    const election = this.#election;
    const isOfCampaign = isPreVote === (election?.purpose === "pre-vote");
    if (election === undefined || !isOfCampaign || !isVoter(this.#state.configuration, from)) return false;
    election.count(response);
    const result = election.result(this.#state.configuration);
    if (result === "won") return this.#goOnWhenWon(election.purpose);
    if (election.ahead.length > 0) {
      // While others may still elect it, it waits for them a little.
      if (result === "lost") this.#startCatchUp(election.ahead);
      else if (this.#mayCatchUp) this.#hurry();
    }
    return false;
  }

  /** An answer of a later term, which was entered: lost, but it may say who has a better log. */
  loseTo(response: VoteResponse): void {
    const election = this.#election;
    if (election === undefined) return;
    this.#election = undefined;
    if (isVoter(this.#state.configuration, response.from)) election.count(response);
    this.#startCatchUp(election.ahead);
  }

  takeLog(response: LogResponse): boolean {
    return this.#copy(Math.max(response.term, response.entries.at(-1)?.term ?? 0), (catchUp) =>
      catchUp.take(response, this.#state.nowMs),
    );
  }

  takeChunk(chunk: SnapshotChunk): boolean {
    return this.#copy(Math.max(chunk.term, chunk.indexTerm), (catchUp) =>
      catchUp.takeChunk(chunk, this.#state.nowMs),
    );
  }

  /** The log has become durable, so that it is what it was to be. */
  persisted(): boolean {
    return this.#catchUp?.isDone === true && this.campaign();
  }

  #goOnWhenWon(purpose: VotePurpose): boolean {
    return purpose !== "pre-vote" || this.campaign("election");
  }

  get #mayCatchUp(): boolean {
    return this.#state.options.catchesUp ?? true;
  }

  #askAgainSoon(): void {
    const { random, timing } = this.#state.options;
    const { askAgainMs } = timing;
    if (askAgainMs !== undefined) this.#state.wait(askAgainMs + Math.floor(random() * askAgainMs));
  }

  #hurry(): void {
    const { nowMs, deadlineMs, options } = this.#state;
    this.#state.deadlineMs = Math.min(deadlineMs, nowMs + options.timing.heartbeatMs);
  }

  /** Copies the log of the first of `sources` that still has more. Returns false when none has. */
  #startCatchUp(sources: readonly LogEnd[]): boolean {
    const { id, log, follower, outbox, nowMs, options } = this.#state;
    const end = endOf(log);
    const better = sources.filter((other) => isBehind(end, other));
    const source = better[0];
    if (source === undefined || !this.#mayCatchUp) return false;
    this.#election = undefined;
    this.#otherSources = better.slice(1);
    this.#catchUp = new CatchUp({ id, log, follower, outbox, source, nowMs });
    this.#state.wait(options.timing.heartbeatMs);
    return true;
  }

  #copy(term: number, take: (catchUp: CatchUp) => void): boolean {
    const state = this.#state;
    const catchUp = this.#catchUp!;
    // Whoever holds an entry is in its term, or a later one.
    if (term > state.term) state.enterTerm(term, undefined);
    take(catchUp);
    state.noteLogChange(state.outbox);
    if (catchUp.hasFailed) return this.#tryNextSource();
    // What completes the log is in it only at the next input: `persisted`, or a tick, which is due now.
    state.wait(catchUp.isComplete ? 0 : state.options.timing.heartbeatMs);
    return false;
  }

  #goOnCatchingUp(catchUp: CatchUp): boolean {
    const { nowMs, options } = this.#state;
    if (catchUp.isDone) return this.campaign();
    if (nowMs - catchUp.heardMs >= options.timing.electionMinMs) return this.#tryNextSource();
    catchUp.ask();
    this.#state.wait(options.timing.heartbeatMs);
    return false;
  }

  #tryNextSource(): boolean {
    return this.#startCatchUp(this.#otherSources) ? false : this.campaign();
  }
}
