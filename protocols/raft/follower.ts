/**
 * The follower half of Raft (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", figure 2): it
 * votes, takes entries from the leader and learns what is committed. It never campaigns, so it is all that a board needs;
 * a host's `node.ts` is built around the same class.
 *
 * The follower owns term, vote and commit index; the log is the driver's. Each `step` says what must change and what to
 * answer; `types.ts` states in which order the driver owes that.
 */
import type {
  AppendRequest,
  AppendResponse,
  Entry,
  HardState,
  MemberId,
  Message,
  RaftLog,
  RaftOutput,
  VoteRequest,
} from "./types.ts";

export interface FollowerOptions {
  readonly id: MemberId;
  /** As last made durable; term 0 and no vote for a new member. */
  readonly hardState: HardState;
  /** Must reflect every earlier output when `step` is called. */
  readonly log: RaftLog;
  /** Known to be committed before the restart, at most `log.lastIndex`; 0 when that was not kept. */
  readonly commitIndex: number;
  /**
   * When a leader may last have been heard, on the clock of `step`: of a member that starts again that is now, because it forgot
   * when it was; of a new member `-Infinity`.
   */
  readonly leaderHeardMs: number;
  /** For so long after it heard a leader it gives nobody its vote; 0 for a group that wants none of this. */
  readonly leaderSilenceMs: number;
}

export class Follower {
  readonly id: MemberId;
  readonly #log: RaftLog;
  readonly #leaderSilenceMs: number;
  #leaderHeardMs: number;
  #term: number;
  #vote: MemberId | undefined;
  #leaderId: MemberId | undefined;
  #commitIndex: number;
  #appliedIndex: number;
  #response: Mutable<AppendResponse> | undefined;

  /** Throws `RangeError` when the log ends before the commit index: the log lost what it had promised. */
  constructor(options: FollowerOptions) {
    if (options.commitIndex > options.log.lastIndex) {
      throw new RangeError(
        `The log ends at ${options.log.lastIndex}, before its commit index ${options.commitIndex}: join again under a new member id.`,
      );
    }
    this.id = options.id;
    this.#log = options.log;
    this.#leaderSilenceMs = options.leaderSilenceMs;
    this.#leaderHeardMs = options.leaderHeardMs;
    this.#term = options.hardState.term;
    this.#vote = options.hardState.vote;
    this.#commitIndex = options.commitIndex;
    this.#appliedIndex = options.commitIndex;
  }

  get term(): number {
    return this.#term;
  }

  get vote(): MemberId | undefined {
    return this.#vote;
  }

  /** The leader of this term, once it was heard. */
  get leaderId(): MemberId | undefined {
    return this.#leaderId;
  }

  get commitIndex(): number {
    return this.#commitIndex;
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  /**
   * Tells what the driver has applied. The append response of the latest step reports it too, so a driver that applies
   * before it sends lets the leader know without another message.
   */
  setApplied(index: number): void {
    this.#appliedIndex = index;
    if (this.#response !== undefined) this.#response.appliedIndex = index;
  }

  /**
   * Takes one message at `nowMs`, which never goes back. What is addressed to another member (an earlier incarnation, say)
   * and all responses change nothing.
   */
  step(message: Message, nowMs: number): RaftOutput {
    this.#response = undefined;
    if (message.to === this.id) {
      if (message.type === "append-request") return this.#append(message, nowMs);
      if (message.type === "vote-request" && !this.#isContentWithLeader(message, nowMs)) {
        return message.purpose === "pre-vote" ? this.#answerPreVote(message) : this.#answerVote(message);
      }
    }
    return this.#output(undefined, undefined, 0, nothing, undefined);
  }

  /** Enters a later term; for the host's core, which also campaigns. Returns the hard state to make durable. */
  enterTerm(term: number, vote: MemberId | undefined): HardState {
    if (term <= this.#term) throw new RangeError(`Term ${term} does not follow term ${this.#term}.`);
    this.#term = term;
    this.#vote = vote;
    this.#leaderId = undefined;
    return { term, vote };
  }

  /** Takes `leaderId` for the leader of this term, heard at `heardMs`; for the host's core, when it leads, and stops. */
  follow(leaderId: MemberId | undefined, heardMs: number): void {
    this.#leaderId = leaderId;
    this.#leaderHeardMs = heardMs;
  }

  /** Raises the commit index to `index`; a lower one changes nothing. */
  commitTo(index: number): void {
    if (index > this.#commitIndex) this.#commitIndex = index;
  }

  /**
   * Whether to ignore the request, later term and all, because the leader is alive: else a member that was cut off, or
   * removed, would unseat it (thesis, section 4.2.3). A leader that asks for votes itself leads no more.
   */
  #isContentWithLeader(request: VoteRequest, nowMs: number): boolean {
    return (
      nowMs - this.#leaderHeardMs < this.#leaderSilenceMs &&
      request.purpose !== "transfer" &&
      request.from !== this.#leaderId
    );
  }

  /** Thesis, section 9.6: whether it would get the vote, with nothing given and no term entered. */
  #answerPreVote(request: VoteRequest): RaftOutput {
    const granted = request.term > this.#term && this.#isUpToDate(request);
    const term = granted ? request.term : this.#term;
    return this.#output(undefined, this.#voteResponse(request, term, granted, true), 0, nothing, undefined);
  }

  /** Sections 5.2 (one vote a term, first come) and 5.4.1 (only for a log at least as up to date as one's own). */
  #answerVote(request: VoteRequest): RaftOutput {
    let hardState: HardState | undefined;
    if (request.term > this.#term) hardState = this.enterTerm(request.term, undefined);
    const granted =
      request.term === this.#term &&
      (this.#vote === undefined || this.#vote === request.from) &&
      this.#isUpToDate(request);
    if (granted && this.#vote === undefined) {
      this.#vote = request.from;
      hardState = { term: this.#term, vote: request.from };
    }
    return this.#output(
      hardState,
      this.#voteResponse(request, this.#term, granted, false),
      0,
      nothing,
      undefined,
    );
  }

  #voteResponse(request: VoteRequest, term: number, granted: boolean, isPreVote: boolean): Message {
    return { type: "vote-response", from: this.id, to: request.from, term, granted, isPreVote };
  }

  /** Section 5.3 and figure 2, "AppendEntries RPC". */
  #append(request: AppendRequest, nowMs: number): RaftOutput {
    if (request.term < this.#term) return this.#refuse(request, undefined, this.#commitIndex, undefined);
    let hardState: HardState | undefined;
    if (request.term > this.#term) hardState = this.enterTerm(request.term, undefined);
    if (this.#leaderId !== undefined && this.#leaderId !== request.from) {
      const violation = `${request.from} claims to lead term ${this.#term}, which ${this.#leaderId} leads.`;
      return this.#refuse(request, hardState, this.#commitIndex, violation);
    }
    this.follow(request.from, nowMs);

    const prevTerm = this.#log.termAt(request.prevLogIndex);
    const isCommitted = request.prevLogIndex <= this.#commitIndex;
    if (prevTerm !== request.prevLogTerm && !(prevTerm === undefined && isCommitted)) {
      if (!isCommitted) return this.#refuse(request, hardState, this.#lastPossibleMatch(request), undefined);
      const violation = overwrites(request.from, request.prevLogIndex, prevTerm, request.prevLogTerm);
      return this.#refuse(request, hardState, this.#commitIndex, violation);
    }
    return this.#take(request, hardState);
  }

  /** The log matches up to prevLogIndex: keeps what is known, drops what conflicts, appends what is new. */
  #take(request: AppendRequest, hardState: HardState | undefined): RaftOutput {
    const entries = request.entries;
    let known = 0;
    for (; known < entries.length; known++) {
      const entry = entries[known]!;
      const term = this.#log.termAt(entry.index);
      // What was compacted away was committed, so it matches (5.4, leader completeness).
      if (term !== entry.term && entry.index >= this.#log.firstIndex) {
        if (entry.index > this.#commitIndex) break;
        const violation = overwrites(request.from, entry.index, term, entry.term);
        return this.#refuse(request, hardState, this.#commitIndex, violation);
      }
    }
    const truncateFrom =
      known < entries.length && entries[known]!.index <= this.#log.lastIndex ? entries[known]!.index : 0;
    const lastMatch = request.prevLogIndex + entries.length;
    this.commitTo(Math.min(request.commitIndex, lastMatch));
    const fresh = known === 0 ? entries : known === entries.length ? nothing : entries.slice(known);
    const response = this.#respond(request, true, Math.max(lastMatch, this.#commitIndex));
    return this.#output(hardState, response, truncateFrom, fresh, undefined);
  }

  #refuse(
    request: AppendRequest,
    hardState: HardState | undefined,
    matchIndex: number,
    violation: string | undefined,
  ): RaftOutput {
    return this.#output(hardState, this.#respond(request, false, matchIndex), 0, nothing, violation);
  }

  #respond(request: AppendRequest, success: boolean, matchIndex: number): AppendResponse {
    this.#response = {
      type: "append-response",
      from: this.id,
      to: request.from,
      term: this.#term,
      success,
      matchIndex,
      appliedIndex: this.#appliedIndex,
      readRound: request.readRound,
    };
    return this.#response;
  }

  #output(
    hardState: HardState | undefined,
    message: Message | undefined,
    truncateFrom: number,
    entries: readonly Entry[],
    violation: string | undefined,
  ): RaftOutput {
    const messages = message === undefined ? nothing : [message];
    return { hardState, truncateFrom, entries, messages, commitIndex: this.#commitIndex, violation };
  }

  #isUpToDate({ lastLogIndex, lastLogTerm }: VoteRequest): boolean {
    const ownTerm = this.#log.termAt(this.#log.lastIndex) ?? 0;
    return lastLogTerm > ownTerm || (lastLogTerm === ownTerm && lastLogIndex >= this.#log.lastIndex);
  }

  /**
   * The last index where the logs may still agree, so that the leader passes over a whole conflicting term at a time (end of
   * section 5.3). Entries of a later term than prevLogTerm cannot be in the leader's log before it. May go below the true
   * match by the length of one term, never below the commit index: that costs a few entries sent twice.
   */
  #lastPossibleMatch(request: AppendRequest): number {
    let index = Math.min(request.prevLogIndex, this.#log.lastIndex);
    const conflictTerm = this.#log.termAt(request.prevLogIndex);
    while (index > this.#commitIndex) {
      const term = this.#log.termAt(index)!;
      if (term !== conflictTerm && term <= request.prevLogTerm) break;
      index--;
    }
    return index;
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const nothing: readonly never[] = Object.freeze([]);

function overwrites(from: MemberId, index: number, kept: number | undefined, sent: number): string {
  return `${from} sent term ${sent} for entry ${index}, which is committed here with term ${kept}.`;
}
