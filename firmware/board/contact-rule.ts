/**
 * By which of its two contacts a board is to reach its swarm. One is in use: it has proved to lead to the swarm. The other is new, or what was in use
 * before.
 *
 * ```
 *                 a new one, after a pause; or lost for long
 *   home ---------------------------------------------------------> away
 *   (on the one  <-------- not in step in time --------------------  (on the other)
 *   in use)      <-------- in step with the leader: that one is in use now
 * ```
 *
 * A contact is lost that leads to no host, or, much later, to hosts but to no leader: then the other gets its turn, and so on in turns for as long as it
 * takes. So a board that has a contact which works is back within `moveLimits.backMs`, whatever it does at the moment; `leaderlessMs` later if the one on
 * which it is still leads to a host that has been left behind.
 *
 * **Voters** leave one after the other, by their rank, with a pause longer than a try may take, and none leaves that hears no leader through a host that
 * it is connected to: its vote may be what is missing. So of the voters that heard of the new contact together, one at a time is away. With three voters
 * or more the others have a majority; when the new contact works, that one is back in seconds.
 *
 * A state machine without clock or chance of its own.
 */
import type { Random } from "../platform/ports.ts";

export const moveLimits = Object.freeze({
  /** A learner tries a new contact after at most so long. */
  learnerMs: 30_000,
  /** The first of the boards that vote. */
  voterFirstMs: 10_000,
  /** And each further one so long after the one before: more than a try, and the way back. */
  voterNextMs: 150_000,
  /** On the contact that is not in use, until the board is in step with the leader. */
  tryMs: 120_000,
  /** The same for a board that hears the leader there, and has much to catch up on. */
  catchUpMs: 600_000,
  /** Without any host, until the contact in use counts as lost. */
  lostMs: 180_000,
  /** The same while there is a new one that was not tried yet. */
  lostUntriedMs: 20_000,
  /** With a host, without a leader. */
  leaderlessMs: 900_000,
  /** A leader that was heard so long ago still speaks: to a learner it does so every few seconds. */
  heardMs: 20_000,
  /** The same for a voter. */
  heardByVoterMs: 3_000,
  /** To join over a contact that works: Wi-Fi, address, connection, session. */
  joinMs: 60_000,
  /** Each turn takes up to so much longer, at random. */
  extraMsMax: 30_000,
  /** The longest that a board stays off a contact that works, where the other leads to no host: `lostMs`, `extraMsMax` and `joinMs`. */
  backMs: 270_000,
});

export class ContactRule {
  readonly #random: Random;
  #isAway = false;
  /** Since when it is on the contact on which it is. */
  #sinceMs: number;
  /** When it had a host last, or came to be here. */
  #joinedMs: number;
  /** When it heard the leader last, here; -Infinity for not yet. */
  #leaderMs = -Infinity;
  /** When to try the other, which is new; Infinity for not. */
  #tryMs = Infinity;
  /** The contact in use was lost, and not found again since. */
  #isLost = false;
  /** By how much this turn is longer than the shortest, so that boards that were lost together do not come and go together. */
  #extraMs: number;

  constructor(random: Random, nowMs: number) {
    this.#random = random;
    this.#sinceMs = nowMs;
    this.#joinedMs = nowMs;
    this.#extraMs = this.extraMs();
  }

  /** Whether it is on the contact that is not in use. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Whether the contact in use leads to the leader. */
  get isInContact(): boolean {
    return !this.#isAway && this.#leaderMs > -Infinity;
  }

  /** A new contact waits for its try. */
  get isWaiting(): boolean {
    return this.#tryMs < Infinity;
  }

  /** The other contact is a new one, to be tried after `delayMs`. */
  offer(delayMs: number, nowMs: number): void {
    this.#tryMs = nowMs + delayMs;
  }

  /** The leader spoke. */
  onLeader(nowMs: number): void {
    this.#leaderMs = nowMs;
    if (!this.#isAway) this.#isLost = false;
  }

  /** It stays here: this contact is in use from now on. */
  settle(nowMs: number): void {
    this.#isAway = false;
    this.#isLost = false;
    this.#tryMs = Infinity;
    this.#joinedMs = nowMs;
    this.#extraMs = this.extraMs();
  }

  /** It was held here for another reason; its time begins anew. */
  stay(nowMs: number): void {
    this.#joinedMs = nowMs;
    this.#sinceMs = nowMs;
  }

  /** Leaves what it tries, and is on the contact in use again. */
  goHome(nowMs: number): void {
    if (this.#isAway) this.change(nowMs);
  }

  /**
   * True when the board is to change to its other contact now; it counts as there. To be asked in every turn.
   *
   * @param isJoined the board has a session with a host
   * @param hasOther there is another contact
   */
  run(nowMs: number, isJoined: boolean, isVoter: boolean, hasOther: boolean): boolean {
    if (isJoined) this.#joinedMs = nowMs;
    if (!hasOther) return false;
    const leaveMs = this.#isAway ? this.leaveAwayMs(nowMs) : this.leaveHomeMs(nowMs, isJoined, isVoter);
    if (nowMs < leaveMs) return false;
    this.change(nowMs);
    return true;
  }

  private change(nowMs: number): void {
    const isTry = !this.#isAway && nowMs >= this.#tryMs;
    if (!this.#isAway) {
      this.#isLost = !isTry || nowMs - this.#joinedMs >= moveLimits.lostUntriedMs;
      this.#tryMs = Infinity;
    }
    this.#isAway = !this.#isAway;
    this.#sinceMs = nowMs;
    this.#joinedMs = nowMs;
    this.#leaderMs = -Infinity;
    // A try of one that is not lost is never longer than it says.
    this.#extraMs = this.#isAway && !this.#isLost ? 0 : this.extraMs();
  }

  private leaveAwayMs(nowMs: number): number {
    const isHeard = nowMs - this.#leaderMs <= moveLimits.heardMs;
    return this.#sinceMs + (isHeard ? moveLimits.catchUpMs : moveLimits.tryMs + this.#extraMs);
  }

  private leaveHomeMs(nowMs: number, isJoined: boolean, isVoter: boolean): number {
    const leaderlessMs = Math.max(this.#leaderMs, this.#sinceMs) + moveLimits.leaderlessMs;
    const lostMs = isJoined ? Infinity : this.#joinedMs + this.patienceMs();
    const isNeeded = isVoter && isJoined && nowMs - this.#leaderMs > moveLimits.heardByVoterMs;
    return Math.min(isNeeded ? Infinity : this.#tryMs, this.#extraMs + Math.min(lostMs, leaderlessMs));
  }

  private patienceMs(): number {
    if (this.isWaiting) return moveLimits.lostUntriedMs;
    return this.#isLost ? moveLimits.tryMs : moveLimits.lostMs;
  }

  private extraMs(): number {
    const seed = new Uint8Array(1);
    this.#random.fill(seed);
    return Math.floor((moveLimits.extraMsMax * seed[0]!) / 255);
  }
}

/** After which a board that votes tries a new contact: `rank` counts the voting boards before it. */
export function voterDelayMs(rank: number): number {
  return moveLimits.voterFirstMs + rank * moveLimits.voterNextMs;
}
