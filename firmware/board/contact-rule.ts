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
 * **Voters** try a new one when the swarm has given them the turn to be away (`voter-turn.ts`): whether it has, the caller says. A contact that is lost they leave without: of
 * a board that reaches nobody, no vote is lost.
 *
 * A new one that is told to a board on its way back from the other waits until that board has heard its leader here: otherwise it would leave a contact that
 * works before it could be seen to work.
 *
 * A state machine without clock or chance of its own.
 */
import type { Random } from "../platform/ports.ts";

export const moveLimits = Object.freeze({
  /** A learner tries a new contact after at most so long. */
  learnerMs: 30_000,
  /** A voter asks for its turn after this: by then the others know of it too. */
  voterMs: 10_000,
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
  /** When to try the other, which is new; Infinity for not, or not yet. */
  #tryMs = Infinity;
  /** The other is new, and so long after the leader was heard here it is to be tried; -1 for not. */
  #delayMs = -1;
  /** It has come back from the other, and heard no leader here since. */
  #isReturning = false;
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
    return this.#tryMs < Infinity || this.#delayMs >= 0;
  }

  /** The time of that try has come; whether it may, the caller of `run` says. */
  isDue(nowMs: number): boolean {
    return !this.#isAway && nowMs >= this.#tryMs;
  }

  /** The other contact is a new one, to be tried after `delayMs`. */
  offer(delayMs: number, nowMs: number): void {
    if (this.#isReturning) this.#delayMs = delayMs;
    else this.#tryMs = nowMs + delayMs;
  }

  /** The leader spoke. */
  onLeader(nowMs: number): void {
    this.#leaderMs = nowMs;
    if (this.#isAway) return;
    this.#isLost = false;
    this.#isReturning = false;
    if (this.#delayMs < 0) return;
    this.#tryMs = nowMs + this.#delayMs;
    this.#delayMs = -1;
  }

  /** It stays here: this contact is in use from now on. */
  settle(nowMs: number): void {
    this.#isAway = false;
    this.#isLost = false;
    this.#isReturning = false;
    this.forgetNew();
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
   * @param mayTry it may leave a contact that works for a new one
   * @param hasOther there is another contact
   */
  run(nowMs: number, isJoined: boolean, mayTry: boolean, hasOther: boolean): boolean {
    if (isJoined) this.#joinedMs = nowMs;
    if (!hasOther) return false;
    const leaveMs = this.#isAway ? this.leaveAwayMs(nowMs) : this.leaveHomeMs(isJoined, mayTry);
    if (nowMs < leaveMs) return false;
    this.change(nowMs);
    return true;
  }

  private change(nowMs: number): void {
    const isTry = !this.#isAway && nowMs >= this.#tryMs;
    if (!this.#isAway) {
      this.#isLost = !isTry || nowMs - this.#joinedMs >= moveLimits.lostUntriedMs;
      this.forgetNew();
    }
    this.#isReturning = this.#isAway;
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

  private leaveHomeMs(isJoined: boolean, mayTry: boolean): number {
    const leaderlessMs = Math.max(this.#leaderMs, this.#sinceMs) + moveLimits.leaderlessMs;
    const lostMs = isJoined ? Infinity : this.#joinedMs + this.patienceMs();
    return Math.min(mayTry ? this.#tryMs : Infinity, this.#extraMs + Math.min(lostMs, leaderlessMs));
  }

  private patienceMs(): number {
    if (this.#tryMs < Infinity) return moveLimits.lostUntriedMs;
    return this.#isLost ? moveLimits.tryMs : moveLimits.lostMs;
  }

  private forgetNew(): void {
    this.#tryMs = Infinity;
    this.#delayMs = -1;
  }

  private extraMs(): number {
    const seed = new Uint8Array(1);
    this.#random.fill(seed);
    return Math.floor((moveLimits.extraMsMax * seed[0]!) / 255);
  }
}
