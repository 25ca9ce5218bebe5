/**
 * A leader's replication: who has how much of the log, and the appends that bring each member to the end of it.
 *
 * For one entry and an idle group each member sees exactly four messages: append, its answer, the new commit index in an
 * empty append, its answer. Under load entries and commit index share appends, so there are fewer. Nothing but a
 * refusal that moved the search on, a heartbeat or news makes the leader speak, so messages never feed on themselves.
 *
 * It also knows whether the leader still leads: when a majority was last heard, and up to which round of appends a
 * majority has answered, so that a read asked for before that round saw the newest state (thesis, section 6.4).
 */
import { Progress } from "./progress.ts";
import { jointCommittedIndex, type Voters } from "./quorum.ts";
import type { AppendResponse, Entry, HostLog, MemberId, Message } from "./types.ts";

/** How much the leader sends before it hears an answer. */
export interface Flow {
  /** Entries in one append. */
  readonly appendEntriesMax: number;
  /** Bytes of data in one append; an entry alone always goes. */
  readonly appendBytesMax: number;
  /** Appends on the way to one member. */
  readonly inflightAppendsMax: number;
}

export interface ReplicationOptions {
  readonly leaderId: MemberId;
  readonly term: number;
  readonly log: HostLog;
  /** Where appends end up. */
  readonly outbox: Message[];
  readonly commitIndex: number;
  /** The last index that the leader itself has made durable. */
  readonly durableIndex: number;
  readonly flow: Flow;
  /** When this leader was elected. */
  readonly sinceMs: number;
}

export class Replication {
  /** Raised by the core; members are told with `broadcast`. */
  commitIndex: number;
  /** Raised by the core; only entries up to here are sent, so that what a member holds the leader holds too. */
  durableIndex: number;
  readonly #leaderId: MemberId;
  readonly #term: number;
  readonly #log: HostLog;
  readonly #outbox: Message[];
  readonly #flow: Flow;
  readonly #sinceMs: number;
  readonly #members = new Map<MemberId, Progress>();
  /** The latest round begun, the one that reads wait for, and the latest that a majority has answered. */
  #round = 0;
  #wantedRound = 0;
  #confirmedRound = 0;

  constructor(options: ReplicationOptions) {
    this.#leaderId = options.leaderId;
    this.#term = options.term;
    this.#log = options.log;
    this.#outbox = options.outbox;
    this.commitIndex = options.commitIndex;
    this.durableIndex = options.durableIndex;
    this.#flow = options.flow;
    this.#sinceMs = options.sinceMs;
  }

  get members(): ReadonlyMap<MemberId, Progress> {
    return this.#members;
  }

  /** Starts to replicate to a member, which is thought to have all before `nextIndex`; one already there is left alone. */
  add(id: MemberId, nextIndex: number): void {
    if (id !== this.#leaderId && !this.#members.has(id)) {
      this.#members.set(id, new Progress(nextIndex, this.#flow.inflightAppendsMax));
    }
  }

  remove(id: MemberId): void {
    this.#members.delete(id);
  }

  /** Forgets what was on the way to a member, whose connection is new or gone. */
  reset(id: MemberId): void {
    this.#members.get(id)?.reset(this.durableIndex);
  }

  /** An empty append to everyone: it keeps followers from campaigning and finds out what was lost on the way. */
  heartbeat(): void {
    this.#round = this.#wantedRound;
    for (const [id, progress] of this.#members) this.#sendEmpty(id, progress);
  }

  /** The same to one member. */
  greet(id: MemberId): void {
    const progress = this.#members.get(id);
    if (progress !== undefined) this.#sendEmpty(id, progress);
  }

  /** Brings what is new, entries or commit index, to everyone who can take it now. */
  broadcast(): void {
    for (const [id, progress] of this.#members) this.#catchUp(id, progress);
  }

  /** Takes an answer to one of this term's appends, its match index within the log. Returns whether a member's match index rose. */
  take(response: AppendResponse, nowMs: number): boolean {
    const progress = this.#members.get(response.from);
    if (progress === undefined) return false;
    progress.heardMs = nowMs;
    progress.appliedIndex = Math.max(progress.appliedIndex, response.appliedIndex);
    // No round of this term is later than the latest: a member that says so anyway confirms nothing.
    if (response.readRound <= this.#round) {
      progress.readRound = Math.max(progress.readRound, response.readRound);
    }
    if (!response.success) {
      // What was compacted away cannot be sent: the search ends where the log begins.
      const hint = Math.max(response.matchIndex, this.#log.firstIndex - 1);
      if (progress.refused(hint)) this.#sendEntries(response.from, progress);
      return false;
    }
    const before = progress.matchIndex;
    progress.accepted(response.matchIndex);
    return progress.matchIndex > before;
  }

  /** Goes on with one member after its answer was taken. */
  proceed(id: MemberId): void {
    const progress = this.#members.get(id);
    if (progress !== undefined) this.#catchUp(id, progress);
  }

  /** The latest time by which a majority had been heard since. */
  quorumHeardMs(voters: Voters, nowMs: number): number {
    return jointCommittedIndex(voters, (id) =>
      id === this.#leaderId ? nowMs : (this.#members.get(id)?.heardMs ?? this.#sinceMs),
    );
  }

  /** Up to this round a majority has answered. */
  get confirmedRound(): number {
    return this.#confirmedRound;
  }

  /** The round that must be confirmed for a read asked for now: one begun now, or after the one under way. */
  askRound(voters: Voters): number {
    if (this.#round === this.#confirmedRound) this.#beginRound(voters);
    else this.#wantedRound = this.#round + 1;
    return this.#wantedRound;
  }

  /** Counts the answers, after each. Returns whether another round is confirmed. */
  confirmRounds(voters: Voters): boolean {
    if (this.#round === this.#confirmedRound) return false;
    const round = jointCommittedIndex(voters, (id) =>
      id === this.#leaderId ? this.#round : this.#members.get(id)?.readRound,
    );
    if (round <= this.#confirmedRound) return false;
    this.#confirmedRound = round;
    if (this.#wantedRound > this.#round) this.#beginRound(voters);
    return true;
  }

  #beginRound({ voters, outgoing }: Voters): void {
    this.#round++;
    this.#wantedRound = this.#round;
    for (const id of new Set([...voters, ...outgoing])) this.greet(id);
  }

  #catchUp(id: MemberId, progress: Progress): void {
    while (!progress.isPaused && progress.nextIndex <= this.durableIndex) this.#sendEntries(id, progress);
    if (!progress.isPaused && progress.sentCommitIndex < this.commitIndex) this.#sendEmpty(id, progress);
  }

  #sendEmpty(id: MemberId, progress: Progress): void {
    this.#skipCompacted(progress);
    this.#send(id, progress, progress.nextIndex - 1);
  }

  /** A member behind what was compacted away is offered the beginning of the log, refuses, and waits for a snapshot. */
  #skipCompacted(progress: Progress): void {
    progress.nextIndex = Math.max(progress.nextIndex, this.#log.firstIndex);
  }

  /** One append with as much as fits the limits; empty when the member has everything. */
  #sendEntries(id: MemberId, progress: Progress): void {
    this.#skipCompacted(progress);
    const { appendEntriesMax, appendBytesMax } = this.#flow;
    const lastMax = Math.min(this.durableIndex, progress.nextIndex + appendEntriesMax - 1);
    let last = progress.nextIndex - 1;
    let dataBytes = 0;
    while (last < lastMax) {
      dataBytes += this.#log.entry(last + 1).data.length;
      if (dataBytes > appendBytesMax && last >= progress.nextIndex) break;
      last++;
    }
    this.#send(id, progress, last);
  }

  #send(id: MemberId, progress: Progress, lastIndex: number): void {
    const prevLogIndex = progress.nextIndex - 1;
    const prevLogTerm = this.#log.termAt(prevLogIndex);
    if (prevLogTerm === undefined) {
      throw new RangeError(`Member ${id} needs entry ${prevLogIndex}, which is outside the log.`);
    }
    const entries: Entry[] = [];
    for (let index = progress.nextIndex; index <= lastIndex; index++) entries.push(this.#log.entry(index));
    this.#outbox.push({
      type: "append-request",
      from: this.#leaderId,
      to: id,
      term: this.#term,
      prevLogIndex,
      prevLogTerm,
      commitIndex: this.commitIndex,
      readRound: this.#round > this.#confirmedRound ? this.#round : 0,
      entries,
    });
    progress.sent(lastIndex, this.commitIndex);
  }
}
