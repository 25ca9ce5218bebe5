/**
 * Copying the log of a voter that has more of it (design, point 8): with few hosts, the boards that vote may be the only ones that hold what
 * was committed last, and they refuse a host that lacks it for ever.
 *
 * Nothing is lost by it. Whatever this host has acknowledged and may be committed, the more up-to-date log holds too (the argument of
 * section 5.4.3, about leaders, holds for every log that one of them has written to): so only entries are dropped that nobody will ever commit. And each
 * step leaves the beginning of a log that a leader wrote, so this host may go on to vote with what it has.
 *
 * One request is on the way at a time; what was lost is asked for again. Requests follow on what came before, so they are sent
 * when that is durable, as every message is.
 */
import type { LogEnd } from "./election.ts";
import { isBehind } from "./election.ts";
import type { Follower } from "./follower.ts";
import type { Outbox } from "./outbox.ts";
import type { Entry, LogRequest, LogResponse, MemberId, RaftLog, SnapshotChunk } from "./types.ts";

export interface CatchUpOptions {
  readonly id: MemberId;
  readonly log: RaftLog;
  /** Keeps term and commit index. */
  readonly follower: Follower;
  readonly outbox: Outbox;
  /** Whose log is copied, and where that ended when it refused its vote. */
  readonly source: LogEnd;
  readonly nowMs: number;
}

export class CatchUp {
  readonly #options: CatchUpOptions;
  /** When the source last answered; at first, when it refused. */
  #heardMs: number;
  /** What is asked for. */
  #asked: Asked;
  #end: LogEnd;
  #hasFailed = false;

  /** Asks at once. */
  constructor(options: CatchUpOptions) {
    const { log, source } = options;
    this.#options = options;
    this.#heardMs = options.nowMs;
    this.#end = source;
    this.#asked = this.#placeAfter(log.lastIndex, log.termAt(log.lastIndex)!);
    this.ask();
  }

  get source(): MemberId {
    return this.#options.source.id;
  }

  get heardMs(): number {
    return this.#heardMs;
  }

  /** Whether this source will not do: it lost what it had, or contradicts what is committed. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whether all that the source has was asked for and has come. */
  get isComplete(): boolean {
    return (
      this.#asked.afterIndex === this.#end.lastLogIndex && this.#asked.afterTerm === this.#end.lastLogTerm
    );
  }

  /** Whether the log, as it is now, ends where the source's did. */
  get isDone(): boolean {
    const { log } = this.#options;
    const { lastLogIndex, lastLogTerm } = this.#end;
    return log.lastIndex === lastLogIndex && log.termAt(lastLogIndex) === lastLogTerm;
  }

  /** Sends the request, once more perhaps. */
  ask(): void {
    const { id: from, source, follower, outbox } = this.#options;
    const request: LogRequest = {
      type: "log-request",
      from,
      to: source.id,
      term: follower.term,
      ...this.#asked,
    };
    outbox.messages.push(request);
  }

  /** Takes what the source answered; an answer to an earlier request, come late or twice, says only that it is there. */
  take(response: LogResponse, nowMs: number): void {
    this.#heardMs = nowMs;
    const { source } = this.#options;
    if (isBehind(response, source)) {
      // Another leader has cut it back, or it is not what it was: it may lack what this host has acknowledged.
      this.#hasFailed = true;
      return;
    }
    const { lastLogIndex, lastLogTerm } = response;
    this.#end = { id: source.id, lastLogIndex, lastLogTerm };
    if (!response.isMatch) this.#goBack(response);
    else if (response.prevLogIndex === this.#asked.afterIndex) this.#copy(response);
  }

  /** Takes a chunk of the source's snapshot. */
  takeChunk(chunk: SnapshotChunk, nowMs: number): void {
    this.#heardMs = nowMs;
    const { follower, outbox } = this.#options;
    const { index, indexTerm } = chunk;
    if (index <= follower.commitIndex) {
      // Come twice; or the logs differ behind it, as far back as the source still has entries.
      if (this.#asked.afterIndex > follower.commitIndex) this.#askAfterCommit();
      return;
    }
    const { snapshot, received, isInstalled, violation } = follower.stage(chunk);
    outbox.violation = violation;
    if (violation !== undefined) {
      this.#hasFailed = true;
      return;
    }
    outbox.snapshot = snapshot;
    if (isInstalled) this.#askAfter(index, indexTerm);
    else if (snapshot !== undefined) {
      this.#asked = { ...this.#asked, snapshotIndex: index, snapshotFirst: received };
      this.ask();
    }
  }

  /** The source has another entry there; the logs may agree at or before the place that it names. */
  #goBack({ prevLogIndex, prevLogTerm }: LogResponse): void {
    const { log, follower } = this.#options;
    const { afterIndex } = this.#asked;
    if (prevLogIndex >= afterIndex) return;
    if (afterIndex <= follower.commitIndex) {
      // It cannot lack what is committed. The answer to an earlier question has come late or twice, then: no reason to accuse it, but
      // nothing says how it goes on here either.
      this.#hasFailed = true;
      return;
    }
    // Entries of a later term than it has there cannot be in its log before.
    let index = Math.max(prevLogIndex, follower.commitIndex);
    while (index > follower.commitIndex && log.termAt(index)! > prevLogTerm) index--;
    this.#askAfter(index, log.termAt(index)!);
  }

  #copy(response: LogResponse): void {
    const { log, follower, outbox } = this.#options;
    const { entries, from, prevLogIndex, prevLogTerm } = response;
    const known = entries.findIndex(({ index, term }) => log.termAt(index) !== term);
    const fresh = known < 0 ? [] : entries.slice(known);
    const first = fresh[0]?.index ?? 0;
    if (first > 0 && first <= follower.commitIndex) {
      outbox.violation = `${from} has another entry ${first} than the one that is committed here.`;
      this.#hasFailed = true;
      return;
    }
    if (first > 0 && first <= log.lastIndex) outbox.truncateFrom = first;
    outbox.entries = fresh;
    const last: Pick<Entry, "index" | "term"> = entries.at(-1) ?? { index: prevLogIndex, term: prevLogTerm };
    follower.commitTo(Math.min(response.commitIndex, last.index));
    this.#asked = this.#placeAfter(last.index, last.term);
    if (entries.length > 0 && !this.isComplete) this.ask();
  }

  #askAfterCommit(): void {
    const { commitIndex } = this.#options.follower;
    this.#askAfter(commitIndex, this.#options.log.termAt(commitIndex)!);
  }

  #askAfter(afterIndex: number, afterTerm: number): void {
    this.#asked = this.#placeAfter(afterIndex, afterTerm);
    this.ask();
  }

  /** A snapshot of which a part is here already goes on from there. */
  #placeAfter(afterIndex: number, afterTerm: number): Asked {
    const { log, follower } = this.#options;
    const { staged } = log;
    const isWanted = staged !== undefined && staged.index > Math.max(afterIndex, follower.commitIndex);
    const [snapshotIndex, snapshotFirst] = isWanted ? [staged.index, staged.items] : [0, 0];
    return { afterIndex, afterTerm, snapshotIndex, snapshotFirst };
  }
}

type Asked = Pick<LogRequest, "afterIndex" | "afterTerm" | "snapshotIndex" | "snapshotFirst">;
