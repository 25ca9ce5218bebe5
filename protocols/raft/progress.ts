/**
 * What the leader knows of one member's log, and how much may be on the way to it.
 *
 * A member starts in `probe`: the leader does not know where its log agrees, so it sends one append at a time and waits for
 * the answer or the next heartbeat. An accepted append moves it to `replicate`: appends follow each other without
 * waiting, up to `inflightAppendsMax`. A refused one (something was lost on the way) moves it back.
 */
export const inflightAppendsMax = 4;

export class Progress {
  state: "probe" | "replicate" = "probe";
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
  readonly #inflightMax: number;
  /** Last index of each append on the way, oldest first. */
  readonly #inflight: number[] = [];
  #probing = false;

  constructor(nextIndex: number, inflightMax: number = inflightAppendsMax) {
    this.nextIndex = nextIndex;
    this.#inflightMax = inflightMax;
  }

  get isPaused(): boolean {
    return this.state === "probe" ? this.#probing : this.#inflight.length >= this.#inflightMax;
  }

  /**
   * The connection is new or gone: whatever was on the way is lost. A member of which nothing is known is thought to have
   * all up to `lastIndex`; its refusal says better.
   */
  reset(lastIndex: number): void {
    this.#probeFrom((this.matchIndex > 0 ? this.matchIndex : lastIndex) + 1);
    this.sentCommitIndex = 0;
  }

  /** An append up to `lastIndex` is handed over; empty when that is before `nextIndex`. */
  sent(lastIndex: number, commitIndex: number): void {
    this.sentCommitIndex = Math.max(this.sentCommitIndex, commitIndex);
    if (this.state === "probe") {
      this.#probing = true;
    } else if (lastIndex >= this.nextIndex) {
      this.nextIndex = lastIndex + 1;
      this.#inflight.push(lastIndex);
    }
  }

  accepted(matchIndex: number): void {
    this.matchIndex = Math.max(this.matchIndex, matchIndex);
    while (this.#inflight.length > 0 && this.#inflight[0]! <= matchIndex) this.#inflight.shift();
    if (this.state === "probe") {
      this.state = "replicate";
      this.nextIndex = this.matchIndex + 1;
    } else {
      this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1);
    }
  }

  /**
   * The member refused and proposes to try after `hint`, which may lie before what it is known to have: it passes over a
   * whole term at a time. Returns whether that is news. As each refusal that counts lowers `nextIndex`, old and repeated ones
   * cost a few entries sent twice at most, and they cannot go on for ever.
   */
  refused(hint: number): boolean {
    const nextIndex = Math.max(hint, this.matchIndex) + 1;
    if (nextIndex >= this.nextIndex) return false;
    this.#probeFrom(nextIndex);
    return true;
  }

  #probeFrom(nextIndex: number): void {
    this.state = "probe";
    this.nextIndex = nextIndex;
    this.#probing = false;
    this.#inflight.length = 0;
  }
}
