/**
 * A leader's replication: who has how much of the log, and the appends that bring each member to the end of it.
 *
 * For one entry and an idle group each member sees exactly four messages: append, its answer, the new commit index in an
 * empty append, its answer. Under load entries and commit index share appends, so there are fewer. Nothing but a
 * refusal that moved the search on, a heartbeat or news makes the leader speak, so messages never feed on themselves.
 */
import { Progress } from "./progress.ts";
import type { AppendResponse, Entry, HostLog, MemberId, Message } from "./types.ts";
import { limits } from "./types.ts";

export interface ReplicationOptions {
  readonly leaderId: MemberId;
  readonly term: number;
  readonly log: HostLog;
  /** Where appends end up. */
  readonly outbox: Message[];
  readonly commitIndex: number;
  /** The last index that the leader itself has made durable. */
  readonly durableIndex: number;
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
  readonly #members = new Map<MemberId, Progress>();

  constructor(options: ReplicationOptions) {
    this.#leaderId = options.leaderId;
    this.#term = options.term;
    this.#log = options.log;
    this.#outbox = options.outbox;
    this.commitIndex = options.commitIndex;
    this.durableIndex = options.durableIndex;
  }

  get members(): ReadonlyMap<MemberId, Progress> {
    return this.#members;
  }

  /** Starts to replicate to a member, which is thought to have all before `nextIndex`; one already there is left alone. */
  add(id: MemberId, nextIndex: number): void {
    if (id !== this.#leaderId && !this.#members.has(id)) this.#members.set(id, new Progress(nextIndex));
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
    for (const [id, progress] of this.#members) this.#send(id, progress, progress.nextIndex - 1);
  }

  /** The same to one member. */
  greet(id: MemberId): void {
    const progress = this.#members.get(id);
    if (progress !== undefined) this.#send(id, progress, progress.nextIndex - 1);
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
    if (!response.success) {
      if (progress.refused(response.matchIndex)) this.#sendEntries(response.from, progress);
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

  #catchUp(id: MemberId, progress: Progress): void {
    while (!progress.isPaused && progress.nextIndex <= this.durableIndex) this.#sendEntries(id, progress);
    if (!progress.isPaused && progress.sentCommitIndex < this.commitIndex) {
      this.#send(id, progress, progress.nextIndex - 1);
    }
  }

  /** One append with as much as fits the limits; empty when the member has everything. */
  #sendEntries(id: MemberId, progress: Progress): void {
    const lastMax = Math.min(this.durableIndex, progress.nextIndex + limits.appendEntriesMax - 1);
    let last = progress.nextIndex - 1;
    let dataBytes = 0;
    while (last < lastMax) {
      dataBytes += this.#log.entry(last + 1).data.length;
      if (dataBytes > limits.appendBytesMax) break;
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
      entries,
    });
    progress.sent(lastIndex, this.commitIndex);
  }
}
