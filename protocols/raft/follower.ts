/**
 * The follower half of Raft (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", figure 2): it
 * votes, takes entries and snapshots from the leader, learns what is committed, and lets a host copy its log. It never
 * campaigns, so it is all that a board needs; a host's `node.ts` is built around the same class.
 *
 * The follower owns term, vote and commit index; the log is the driver's. Each `step` says what must change and what to
 * answer; `types.ts` states in which order the driver owes that.
 *
 * Two logs that have the same term at an index are the same up to there, says Raft, of logs that only leaders write. A learner
 * also takes entries that are published to everyone, so here they are the same only if the chain hash is equal too.
 */
import { chainHash, isSameHash, type Sha256 } from "./chain.ts";
import { logAnswer } from "./serving.ts";
import type {
  AppendRequest,
  AppendResponse,
  Entry,
  HardState,
  LogRequest,
  MemberId,
  Message,
  Publication,
  RaftLog,
  RaftOutput,
  SnapshotChunk,
  VoteRequest,
} from "./types.ts";
import { EntryKind } from "./types.ts";

export interface FollowerOptions {
  readonly id: MemberId;
  /** As last made durable; term 0 and no vote for a new member. */
  readonly hardState: HardState;
  /** Must reflect every earlier output when `step` is called. */
  readonly log: RaftLog;
  readonly sha256: Sha256;
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
  readonly #sha256: Sha256;
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
    this.#sha256 = options.sha256;
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
      switch (message.type) {
        case "append-request":
          return this.append(message, nowMs);
        case "snapshot-chunk":
          return this.takeChunk(message, nowMs);
        case "log-request":
          return this.answerLogRequest(message);
        case "vote-request":
          if (this.isContentWithLeader(message, nowMs)) break;
          return message.purpose === "pre-vote" ? this.answerPreVote(message) : this.answerVote(message);
      }
    }
    return this.output({});
  }

  /**
   * Takes committed entries that were published to all (design, point 12): appends what is new, from the leader that it follows, in
   * its term, onto the very log that it has. Anything else changes nothing, and the leader finds out with its next append: it
   * neither commits nor answers, hears no leader and drops nothing. Only for a learner: what a voter holds, a host may copy. So it
   * stops before an entry that says who votes, which the leader then sends to it alone: nothing that anybody may have forged
   * lies behind the entry that makes it a voter.
   */
  takePublication(publication: Publication): RaftOutput {
    const { entries, prevLogIndex } = publication;
    const isOfLeader = publication.from === this.#leaderId && publication.term === this.#term;
    if (!isOfLeader || !this.isAt(prevLogIndex, publication.prevLogTerm, publication.prevHash)) {
      return this.output({});
    }
    const known = this.known(entries, publication.prevHash);
    const follows = prevLogIndex + known === this.#log.lastIndex;
    return this.output(follows ? { entries: untilMembership(rest(entries, known)) } : {});
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
   * What to do with a chunk of a snapshot, whoever sent it: `snapshot` is to be staged, `received` and `isInstalled` are the
   * answer. Of a snapshot whose last entry it has it only learns that this is committed: what it has acknowledged beyond
   * stays (Raft paper, figure 13, rule 6). For `step`, and for a host that catches up.
   */
  stage(chunk: SnapshotChunk): Staging {
    const { index, indexTerm, hash, first, items, isLast } = chunk;
    const term = this.#log.termAt(index);
    const isSame = term === indexTerm && isSameHash(hash, this.#log.hashAt(index));
    if (index <= this.#commitIndex || isSame) {
      const isForged = term !== undefined && !isSame;
      if (!isForged) this.commitTo(index);
      const violation = isForged ? overwrites(chunk.from, index) : undefined;
      return { snapshot: undefined, received: 0, isInstalled: true, violation };
    }
    const staged = this.#log.staged;
    const isStaged = staged?.index === index && staged.term === indexTerm && isSameHash(hash, staged.hash);
    const wanted = isStaged ? staged.items : 0;
    if (first !== wanted) {
      return { snapshot: undefined, received: wanted, isInstalled: false, violation: undefined };
    }
    if (isLast) {
      this.#commitIndex = index;
      this.#appliedIndex = index;
    }
    return { snapshot: chunk, received: first + items.length, isInstalled: isLast, violation: undefined };
  }

  /**
   * Whether to ignore the request, later term and all, because the leader is alive: else a member that was cut off, or
   * removed, would unseat it (thesis, section 4.2.3). A leader that asks for votes itself leads no more.
   */
  private isContentWithLeader(request: VoteRequest, nowMs: number): boolean {
    return (
      nowMs - this.#leaderHeardMs < this.#leaderSilenceMs &&
      request.purpose !== "transfer" &&
      request.from !== this.#leaderId
    );
  }

  /** Thesis, section 9.6: whether it would get the vote, with nothing given and no term entered. */
  private answerPreVote(request: VoteRequest): RaftOutput {
    const granted = request.term > this.#term && this.isUpToDate(request);
    const term = granted ? request.term : this.#term;
    return this.output({ messages: [this.voteResponse(request, term, granted, true)] });
  }

  /** Sections 5.2 (one vote a term, first come) and 5.4.1 (only for a log at least as up to date as one's own). */
  private answerVote(request: VoteRequest): RaftOutput {
    let hardState: HardState | undefined;
    if (request.term > this.#term) hardState = this.enterTerm(request.term, undefined);
    const granted =
      request.term === this.#term &&
      (this.#vote === undefined || this.#vote === request.from) &&
      this.isUpToDate(request);
    if (granted && this.#vote === undefined) {
      this.#vote = request.from;
      hardState = { term: this.#term, vote: request.from };
    }
    return this.output({ hardState, messages: [this.voteResponse(request, this.#term, granted, false)] });
  }

  private voteResponse(request: VoteRequest, term: number, granted: boolean, isPreVote: boolean): Message {
    const lastLogIndex = this.#log.lastIndex;
    const lastLogTerm = this.#log.termAt(lastLogIndex) ?? 0;
    const ends = { from: this.id, to: request.from, term };
    return { type: "vote-response", ...ends, granted, isPreVote, lastLogIndex, lastLogTerm };
  }

  private isUpToDate({ lastLogIndex, lastLogTerm }: VoteRequest): boolean {
    const ownTerm = this.#log.termAt(this.#log.lastIndex) ?? 0;
    return lastLogTerm > ownTerm || (lastLogTerm === ownTerm && lastLogIndex >= this.#log.lastIndex);
  }

  /** Section 5.3 and figure 2, "AppendEntries RPC". */
  private append(request: AppendRequest, nowMs: number): RaftOutput {
    if (request.term < this.#term) return this.refuse(request, undefined, this.#commitIndex, undefined);
    const hardState = this.enterTermOf(request);
    const impostor = this.hearLeader(request.from, nowMs);
    if (impostor !== undefined) return this.refuse(request, hardState, this.#commitIndex, impostor);

    const { prevLogIndex, prevLogTerm, prevHash } = request;
    const prevTerm = this.#log.termAt(prevLogIndex);
    const isCommitted = prevLogIndex <= this.#commitIndex;
    // What was compacted away was committed, so it matches (5.4, leader completeness).
    if (!(prevTerm === undefined && isCommitted) && !this.isAt(prevLogIndex, prevLogTerm, prevHash)) {
      const violation = isCommitted ? overwrites(request.from, prevLogIndex) : undefined;
      // An unequal hash: all between the commit index and here may be forged.
      const isForged = prevTerm === prevLogTerm;
      const next = isCommitted || isForged ? this.#commitIndex : this.lastPossibleMatch(request);
      return this.refuse(request, hardState, next, violation);
    }
    return this.take(request, hardState);
  }

  /** The log matches up to prevLogIndex: keeps what is known, drops what conflicts, appends what is new. */
  private take(request: AppendRequest, hardState: HardState | undefined): RaftOutput {
    const { entries, prevLogIndex } = request;
    const known = this.known(entries, request.prevHash);
    const fresh = rest(entries, known);
    let truncateFrom = 0;
    if (fresh.length > 0) {
      const { index } = fresh[0]!;
      if (index <= this.#commitIndex) {
        return this.refuse(request, hardState, this.#commitIndex, overwrites(request.from, index));
      }
      if (index <= this.#log.lastIndex) truncateFrom = index;
    }
    const lastMatch = prevLogIndex + entries.length;
    this.commitTo(Math.min(request.commitIndex, lastMatch));
    const response = this.respond(request, true, Math.max(lastMatch, this.#commitIndex));
    return this.output({ hardState, truncateFrom, entries: fresh, messages: [response] });
  }

  /** How many of `entries`, which follow on a log whose hash is `hash`, are in the own log already. */
  private known(entries: readonly Entry[], hash: Uint8Array): number {
    const { lastIndex } = this.#log;
    let known = 0;
    for (; known < entries.length && entries[known]!.index <= lastIndex; known++) {
      const entry = entries[known]!;
      const term = this.#log.termAt(entry.index);
      // undefined was compacted away, and matches as above.
      if (term !== undefined && term !== entry.term) break;
      hash = chainHash(hash, entry, this.#sha256);
      if (term !== undefined && !isSameHash(hash, this.#log.hashAt(entry.index))) break;
    }
    return known;
  }

  /** Whether the own log has this term and hash at `index`. */
  private isAt(index: number, term: number, hash: Uint8Array): boolean {
    return this.#log.termAt(index) === term && isSameHash(hash, this.#log.hashAt(index));
  }

  private refuse(
    request: AppendRequest,
    hardState: HardState | undefined,
    matchIndex: number,
    violation: string | undefined,
  ): RaftOutput {
    return this.output({ hardState, messages: [this.respond(request, false, matchIndex)], violation });
  }

  private respond(request: AppendRequest, success: boolean, matchIndex: number): AppendResponse {
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

  /**
   * The last index where the logs may still agree, so that the leader passes over a whole conflicting term at a time (end of
   * section 5.3). Entries of a later term than prevLogTerm cannot be in the leader's log before it. May go below the true
   * match by the length of one term, never below the commit index: that costs a few entries sent twice.
   */
  private lastPossibleMatch(request: AppendRequest): number {
    let index = Math.min(request.prevLogIndex, this.#log.lastIndex);
    const conflictTerm = this.#log.termAt(request.prevLogIndex);
    while (index > this.#commitIndex) {
      const term = this.#log.termAt(index)!;
      if (term !== conflictTerm && term <= request.prevLogTerm) break;
      index--;
    }
    return index;
  }

  /** Section 7 and figure 13, "InstallSnapshot RPC", answered chunk by chunk. */
  private takeChunk(chunk: SnapshotChunk, nowMs: number): RaftOutput {
    const isLate = chunk.term < this.#term;
    const hardState = this.enterTermOf(chunk);
    const impostor = isLate ? undefined : this.hearLeader(chunk.from, nowMs);
    const staging = isLate || impostor !== undefined ? nothingStaged : this.stage(chunk);
    const { snapshot, received, isInstalled, violation = impostor } = staging;
    const { index, indexTerm } = chunk;
    const ends = { from: this.id, to: chunk.from, term: this.#term };
    const response: Message = { type: "snapshot-response", ...ends, index, indexTerm, received, isInstalled };
    return this.output({ hardState, snapshot, messages: [response], violation });
  }

  /** Design, point 8. Changes nothing, and whoever asks is no leader. */
  private answerLogRequest(request: LogRequest): RaftOutput {
    // Whoever is in no term holds nothing.
    const answer =
      this.#term === 0 ? undefined : logAnswer(this.#log, request, this.#term, this.#commitIndex);
    return this.output(answer === undefined ? {} : { messages: [answer] });
  }

  private enterTermOf({ term }: Message): HardState | undefined {
    return term > this.#term ? this.enterTerm(term, undefined) : undefined;
  }

  /** Follows `from`, which says that it leads this term. A sentence when another does. */
  private hearLeader(from: MemberId, nowMs: number): string | undefined {
    if (this.#leaderId !== undefined && this.#leaderId !== from) {
      return `${from} claims to lead term ${this.#term}, which ${this.#leaderId} leads.`;
    }
    this.follow(from, nowMs);
    return undefined;
  }

  private output(part: Partial<RaftOutput>): RaftOutput {
    const { hardState, truncateFrom = 0, entries = nothing, snapshot, messages = nothing, violation } = part;
    const { commitIndex } = this;
    const publications = nothing;
    return { hardState, truncateFrom, entries, snapshot, messages, publications, commitIndex, violation };
  }
}

/** What a chunk of a snapshot comes to. */
export interface Staging {
  readonly snapshot: SnapshotChunk | undefined;
  /** As in `SnapshotResponse`. */
  readonly received: number;
  readonly isInstalled: boolean;
  readonly violation: string | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const nothing: readonly never[] = Object.freeze([]);

const nothingStaged: Staging = Object.freeze({
  snapshot: undefined,
  received: 0,
  isInstalled: false,
  violation: undefined,
});

function rest(entries: readonly Entry[], known: number): readonly Entry[] {
  return known === 0 ? entries : known === entries.length ? nothing : entries.slice(known);
}

function untilMembership(entries: readonly Entry[]): readonly Entry[] {
  const at = entries.findIndex(({ kind }) => kind === EntryKind.membership);
  return at < 0 ? entries : entries.slice(0, at);
}

function overwrites(from: MemberId, index: number): string {
  return `${from} sent another entry ${index} than the one that is committed here.`;
}
