/**
 * What the leader knows of one member's log, and how much may be on the way to it.
 *
 * A member starts in `probe`: the leader does not know where its log agrees, so it sends one append at a time and waits for
 * the answer or the next heartbeat. An accepted append moves it to `replicate`: appends follow each other without
 * waiting, up to the limits of its `Flow`. A refused one (something was lost on the way) moves it back. A member that needs what the leader
 * no longer holds is in `snapshot` until it has installed one: one chunk at a time, each as the member asks for it.
 *
 * One that listens takes published entries (design, point 12), so it is sent only what it missed of them, and nothing uncommitted.
 */
import type { SnapshotPlace } from "./types.ts";
import { limits } from "./types.ts";

/** How much the leader sends to a member before it hears an answer. */
export interface Flow {
  /** Entries in one append. */
  readonly appendEntriesMax: number;
  /** Bytes of data in one append; an entry alone always goes. */
  readonly appendBytesMax: number;
  /** Appends on the way. */
  readonly inflightAppendsMax: number;
  /** Bytes of data on the way; the append that passes this still goes. */
  readonly inflightBytesMax: number;
  /** Bytes of data in one chunk of a snapshot; an item alone always goes. */
  readonly snapshotChunkBytes: number;
}

/** To a board: what it can hold beside everything else. */
export const boardFlow: Flow = Object.freeze({
  appendEntriesMax: limits.appendEntriesMax,
  appendBytesMax: limits.appendBytesMax,
  inflightAppendsMax: 4,
  inflightBytesMax: 2 * limits.appendBytesMax,
  snapshotChunkBytes: limits.snapshotChunkBytes,
});

export type ProgressState = "probe" | "replicate" | "snapshot";

export class Progress {
  readonly flow: Flow;
  /** Whether it takes published entries. */
  listens = false;
  /** The last index known to be in the member's log and equal there. */
  matchIndex = 0;
  /** Where the next append starts. */
  nextIndex: number;
  /** As the member last said. */
  appliedIndex = 0;
  /** The highest commit index that it was sent since the last reset. */
  sentCommitIndex = 0;
  /** When it last answered; undefined for never in this term. */
  heardMs: number | undefined;
  /** The highest round of confirming reads that it answered in this term. */
  readRound = 0;
  #state: ProgressState = "probe";
  #transfer: SnapshotTransfer | undefined;
  /** Each append on the way, oldest first. */
  readonly #inflight: Inflight[] = [];
  #inflightBytes = 0;
  /** An append that must be answered, or given up by a heartbeat, before the next goes. */
  #isAsked = false;

  constructor(nextIndex: number, flow: Flow = boardFlow) {
    this.nextIndex = nextIndex;
    this.flow = flow;
  }

  get state(): ProgressState {
    return this.#state;
  }

  /** The snapshot being sent. */
  get transfer(): Readonly<SnapshotTransfer> | undefined {
    return this.#transfer;
  }

  /** Whether entries must wait. */
  get isPaused(): boolean {
    if (this.#state !== "replicate") return this.#state === "snapshot" || this.#isAsked;
    const { inflightAppendsMax, inflightBytesMax } = this.flow;
    return this.#inflight.length >= inflightAppendsMax || this.#inflightBytes >= inflightBytesMax;
  }

  /** Whether the news of a commit must wait: to one that listens, which hears of each, one at a time is on the way. */
  get isCommitPaused(): boolean {
    return this.isPaused || (this.listens && this.#isAsked);
  }

  /**
   * The connection is new or gone: whatever was on the way is lost. A member of which nothing is known is thought to have
   * all up to `lastIndex`; its refusal says better.
   */
  reset(lastIndex: number): void {
    this.#probeFrom((this.matchIndex > 0 ? this.matchIndex : lastIndex) + 1);
    this.sentCommitIndex = 0;
  }

  /** An append up to `lastIndex` with so many bytes of data is handed over; empty when that is before `nextIndex`. */
  sent(lastIndex: number, bytes: number, commitIndex: number): void {
    this.sentCommitIndex = Math.max(this.sentCommitIndex, commitIndex);
    if (this.#state === "snapshot") return;
    if (this.#state === "replicate" && lastIndex >= this.nextIndex) {
      this.nextIndex = lastIndex + 1;
      this.#inflight.push({ lastIndex, bytes });
      this.#inflightBytes += bytes;
    } else {
      this.#isAsked = true;
    }
  }

  /** All from `first` to `lastIndex` was published. Whether it has come is seen from its answer to the next append. */
  published(first: number, lastIndex: number): void {
    if (this.listens && this.#state === "replicate" && this.nextIndex >= first) {
      this.nextIndex = Math.max(this.nextIndex, lastIndex + 1);
    }
  }

  accepted(matchIndex: number): void {
    this.matchIndex = Math.max(this.matchIndex, matchIndex);
    this.#isAsked = false;
    while (this.#inflight.length > 0 && this.#inflight[0]!.lastIndex <= matchIndex) {
      this.#inflightBytes -= this.#inflight.shift()!.bytes;
    }
    if (this.#state === "replicate") {
      this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1);
    } else if (this.#transfer === undefined || matchIndex >= this.#transfer.place.index) {
      this.#transfer = undefined;
      this.#state = "replicate";
      this.nextIndex = this.matchIndex + 1;
    }
  }

  /**
   * The member refused and proposes to try after `hint`, which may lie before what it is known to have: it passes over a
   * whole term at a time. Returns whether that is news. As each refusal that counts lowers `nextIndex`, old and repeated ones
   * cost a few entries sent twice at most, and they cannot go on for ever.
   */
  refused(hint: number): boolean {
    const nextIndex = Math.max(hint, this.matchIndex) + 1;
    if (this.#state === "snapshot" || nextIndex >= this.nextIndex) return false;
    this.#probeFrom(nextIndex);
    return true;
  }

  /** It needs what is compacted away: `place` is what it is sent instead, from the first item on. */
  needsSnapshot(place: SnapshotPlace): void {
    this.#probeFrom(place.index + 1);
    this.#state = "snapshot";
    this.#transfer = { place, nextItem: 0, isSent: false, isOverdue: false };
  }

  chunkSent(): void {
    if (this.#transfer === undefined) throw new Error("A chunk was sent to a member that needs no snapshot.");
    this.#transfer.isSent = true;
    this.#transfer.isOverdue = false;
  }

  /** A heartbeat is due: a chunk that was not answered since the one before is sent again. */
  heartbeat(): void {
    const transfer = this.#transfer;
    if (transfer?.isSent !== true) return;
    if (transfer.isOverdue) transfer.isSent = false;
    else transfer.isOverdue = true;
  }

  /** The member holds so many items of the snapshot; an answer that repeats the one before changes nothing. */
  received(index: number, term: number, items: number): void {
    const transfer = this.#transfer;
    if (transfer?.place.index !== index || transfer.place.term !== term || items === transfer.nextItem)
      return;
    transfer.nextItem = items;
    transfer.isSent = false;
  }

  /** The member's log goes on behind `index`. */
  installed(index: number): void {
    this.matchIndex = Math.max(this.matchIndex, index);
    if (this.#state !== "snapshot") return;
    this.#probeFrom(this.matchIndex + 1);
    this.sentCommitIndex = 0;
  }

  #probeFrom(nextIndex: number): void {
    this.#state = "probe";
    this.#transfer = undefined;
    this.nextIndex = nextIndex;
    this.#isAsked = false;
    this.#inflight.length = 0;
    this.#inflightBytes = 0;
  }
}

/** How far a snapshot has been sent. */
export interface SnapshotTransfer {
  readonly place: SnapshotPlace;
  /** Number of the item with which the chunk begins that is on the way, or goes next. */
  nextItem: number;
  isSent: boolean;
  /** A heartbeat has passed since it was sent. */
  isOverdue: boolean;
}

interface Inflight {
  readonly lastIndex: number;
  readonly bytes: number;
}
