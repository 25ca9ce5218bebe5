/**
 * A leader's replication: who has how much of the log, and what brings each member to the end of it.
 *
 * For one entry and an idle group each member that is sent entries sees exactly four messages: append, its answer, the new commit
 * index in an empty append, its answer. Under load entries and commit index share appends, so there are fewer. Members that
 * listen get what is committed by one publication for all of them, and of the messages the latter two. Nothing but a
 * refusal that moved the search on, a heartbeat or news makes the leader speak, so messages never feed on themselves.
 */
import type { Flow } from "./progress.ts";
import { Progress } from "./progress.ts";
import type {
  AppendResponse,
  Entry,
  MemberId,
  Message,
  Publication,
  RaftLog,
  SnapshotResponse,
} from "./types.ts";
import { limits } from "./types.ts";

export interface ReplicationOptions {
  readonly leaderId: MemberId;
  readonly term: number;
  readonly log: RaftLog;
  /** Where messages and publications end up. */
  readonly outbox: { readonly messages: Message[]; readonly publications: Publication[] };
  readonly commitIndex: number;
  /** The last index that the leader itself has made durable. */
  readonly durableIndex: number;
  readonly flowOf: (id: MemberId) => Flow;
  /** The round of reads that an append is to be answered with: `ReadRounds.toConfirm`. */
  readonly readRound: () => number;
}

export class Replication {
  /** Raised by the core; only entries up to here are sent, so that what a member holds the leader holds too. */
  durableIndex: number;
  readonly members = new Map<MemberId, Progress>();
  readonly #options: ReplicationOptions;
  readonly #log: RaftLog;
  #commitIndex: number;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    this.#log = options.log;
    this.durableIndex = options.durableIndex;
    this.#commitIndex = options.commitIndex;
  }

  /** Starts to replicate to a member, which is thought to have all before `nextIndex`; one already there is left alone. */
  add(id: MemberId, nextIndex: number): void {
    if (id !== this.#options.leaderId && !this.members.has(id)) {
      this.members.set(id, new Progress(nextIndex, this.#options.flowOf(id)));
    }
  }

  remove(id: MemberId): void {
    this.members.delete(id);
  }

  /** Forgets what was on the way to a member, whose connection is new or gone. */
  reset(id: MemberId): void {
    const progress = this.members.get(id);
    progress?.reset(this.#endFor(progress));
  }

  setListens(id: MemberId, listens: boolean): void {
    const progress = this.members.get(id);
    if (progress === undefined || progress.listens === listens) return;
    progress.listens = listens;
    this.reset(id);
  }

  /** An empty append to everyone: it keeps followers from campaigning and finds out what was lost on the way. */
  heartbeat(): void {
    for (const [id, progress] of this.members) {
      progress.heartbeat();
      this.#sendEmpty(id, progress);
      this.#sendChunk(id, progress);
    }
  }

  /** The same to one member. */
  greet(id: MemberId): void {
    const progress = this.members.get(id);
    if (progress !== undefined) this.#sendEmpty(id, progress);
  }

  /** Brings what is new, entries or commit index, to everyone who can take it now. */
  broadcast(): void {
    for (const [id, progress] of this.members) this.#catchUp(id, progress);
  }

  /** All up to `index` is committed; what is new of it is published if anybody listens. `broadcast` then tells everyone. */
  commitTo(index: number): void {
    const first = this.#commitIndex + 1;
    this.#commitIndex = index;
    let isHeard = false;
    for (const progress of this.members.values()) {
      isHeard ||= progress.listens;
      progress.published(first, index);
    }
    if (isHeard) this.#publish(first, index);
  }

  /** Takes an answer to one of this term's appends, its match index within the log. Returns whether a member's match index rose. */
  take(response: AppendResponse, latestRound: number, nowMs: number): boolean {
    const progress = this.members.get(response.from);
    if (progress === undefined) return false;
    progress.heardMs = nowMs;
    progress.appliedIndex = Math.max(progress.appliedIndex, response.appliedIndex);
    // No round of this term is later than the latest: a member that says so anyway confirms nothing.
    if (response.readRound <= latestRound) {
      progress.readRound = Math.max(progress.readRound, response.readRound);
    }
    if (!response.success) {
      if (progress.refused(response.matchIndex)) this.#sendEntries(response.from, progress);
      return false;
    }
    const before = progress.matchIndex;
    progress.accepted(response.matchIndex);
    return progress.matchIndex > before;
  }

  /** Takes an answer to a chunk of a snapshot, whose place is in the log or before it. */
  takeSnapshotResponse(response: SnapshotResponse, nowMs: number): void {
    const progress = this.members.get(response.from);
    if (progress === undefined) return;
    progress.heardMs = nowMs;
    if (response.isInstalled) progress.installed(response.index);
    else progress.received(response.index, response.indexTerm, response.received);
  }

  /** Goes on with one member after its answer was taken. */
  proceed(id: MemberId): void {
    const progress = this.members.get(id);
    if (progress !== undefined) this.#catchUp(id, progress);
  }

  /** How far a member is sent entries: one that listens only what is committed. */
  #endFor(progress: Progress): number {
    return progress.listens ? Math.min(this.#commitIndex, this.durableIndex) : this.durableIndex;
  }

  #catchUp(id: MemberId, progress: Progress): void {
    const end = this.#endFor(progress);
    while (!progress.isPaused && progress.nextIndex <= end) this.#sendEntries(id, progress);
    if (!progress.isCommitPaused && progress.sentCommitIndex < this.#commitIndex)
      this.#sendEmpty(id, progress);
    this.#sendChunk(id, progress);
  }

  #sendEmpty(id: MemberId, progress: Progress): void {
    if (this.#isCompacted(progress)) this.#offerSnapshot(progress);
    this.#send(id, progress, progress.nextIndex - 1, 0);
  }

  /** One append with as much as fits the limits, empty when the member has everything; or the first chunk of a snapshot. */
  #sendEntries(id: MemberId, progress: Progress): void {
    if (this.#isCompacted(progress)) {
      this.#offerSnapshot(progress);
      this.#sendChunk(id, progress);
      return;
    }
    const { nextIndex, flow } = progress;
    const end = Math.min(this.#endFor(progress), nextIndex + flow.appendEntriesMax - 1);
    const { last, bytes } = this.#fitting(nextIndex, end, flow.appendBytesMax);
    this.#send(id, progress, last, bytes);
  }

  /** How many entries from `first` on, at most to `end`, have together no more than `bytesMax` of data; one always fits. */
  #fitting(first: number, end: number, bytesMax: number): { readonly last: number; readonly bytes: number } {
    let last = first - 1;
    let bytes = 0;
    while (last < end) {
      const more = this.#log.entry(last + 1).data.length;
      if (bytes + more > bytesMax && last >= first) break;
      bytes += more;
      last++;
    }
    return { last, bytes };
  }

  /** Whether what comes next for a member is no longer in the log. */
  #isCompacted({ nextIndex }: Progress): boolean {
    return nextIndex < this.#log.firstIndex;
  }

  /** Section 7: a member that is too far behind is sent a snapshot. */
  #offerSnapshot(progress: Progress): void {
    const { snapshot, firstIndex } = this.#log;
    if (snapshot === undefined || snapshot.index < firstIndex - 1) {
      throw new RangeError(`The log begins at ${firstIndex}, and no snapshot stands for what was before.`);
    }
    progress.needsSnapshot(snapshot);
  }

  /** The chunk that the member wants, unless it is on the way. */
  #sendChunk(id: MemberId, progress: Progress): void {
    if (progress.transfer === undefined || progress.transfer.isSent) return;
    const { snapshotChunkBytes } = progress.flow;
    let { place, nextItem } = progress.transfer;
    let part = this.#log.snapshotItems(place.index, id, nextItem, snapshotChunkBytes);
    if (part === undefined) {
      // A newer one has taken its place.
      this.#offerSnapshot(progress);
      ({ place, nextItem } = progress.transfer);
      part = this.#log.snapshotItems(place.index, id, nextItem, snapshotChunkBytes);
      if (part === undefined)
        throw new RangeError(`The log says that it has snapshot ${place.index}, and has not.`);
    }
    const { leaderId: from, term } = this.#options;
    const { index, term: indexTerm, hash } = place;
    const chunk = { type: "snapshot-chunk", from, to: id, term, index, indexTerm, hash } as const;
    this.#options.outbox.messages.push({ ...chunk, first: nextItem, ...part });
    progress.chunkSent();
  }

  #send(id: MemberId, progress: Progress, lastIndex: number, bytes: number): void {
    const { leaderId: from, term, readRound, outbox } = this.#options;
    const before = this.#placeBefore(progress.nextIndex);
    const append = { type: "append-request", from, to: id, term, ...before } as const;
    const entries = this.#entries(progress.nextIndex, lastIndex);
    outbox.messages.push({ ...append, commitIndex: this.#commitIndex, readRound: readRound(), entries });
    progress.sent(lastIndex, bytes, this.#commitIndex);
  }

  /** Design, point 12: once for everyone who listens, however many. */
  #publish(first: number, end: number): void {
    const { leaderId: from, term, outbox } = this.#options;
    for (let next = first; next <= end; ) {
      const { last } = this.#fitting(
        next,
        Math.min(end, next + limits.appendEntriesMax - 1),
        limits.appendBytesMax,
      );
      const entries = this.#entries(next, last);
      outbox.publications.push({ type: "publication", from, term, ...this.#placeBefore(next), entries });
      next = last + 1;
    }
  }

  #placeBefore(index: number): { prevLogIndex: number; prevLogTerm: number; prevHash: Uint8Array } {
    const prevLogTerm = this.#log.termAt(index - 1);
    const prevHash = this.#log.hashAt(index - 1);
    if (prevLogTerm === undefined || prevHash === undefined) {
      throw new RangeError(`Entry ${index - 1} was to be followed on, and is outside the log.`);
    }
    return { prevLogIndex: index - 1, prevLogTerm, prevHash };
  }

  #entries(first: number, last: number): readonly Entry[] {
    const entries: Entry[] = [];
    for (let index = first; index <= last; index++) entries.push(this.#log.entry(index));
    return entries;
  }
}
