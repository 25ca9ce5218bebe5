/**
 * Whether this host still leads: rounds of appends that a majority must answer, each counted from when it began (thesis, section 6.4).
 *
 * A read asked for before a round that is confirmed sees the newest state (ReadIndex, 6.4.1). And as every voter that answered
 * gives nobody its vote for a while after it heard the leader (4.2.3), nobody else leads until `leaseMs` after the confirmed
 * round began: within this lease a read need not ask at all. The lease counts from before the append was sent, a voter's silence from
 * after it arrived, and `leaseMs` is shorter than any voter's silence by what their clocks may differ in pace.
 */
import type { Progress } from "./progress.ts";
import type { Voters } from "./quorum.ts";
import { jointCommittedIndex } from "./quorum.ts";
import type { MemberId } from "./types.ts";

/** Rounds begun and not confirmed; a leader that hears nobody begins no more. */
const openRoundsMax = 64;

export class ReadRounds {
  readonly #leaderId: MemberId;
  readonly #members: ReadonlyMap<MemberId, Progress>;
  readonly #leaseMs: number;
  /** The latest round begun, the one that reads wait for, and the latest that a majority has answered. */
  #round = 0;
  #wanted = 0;
  #confirmed = 0;
  /** When each round after the confirmed one began, oldest first; and the confirmed one. */
  #openMs: number[] = [];
  #confirmedMs = -Infinity;
  #isLeaseGivenUp = false;

  /** `leaseMs` 0 for no lease. */
  constructor(leaderId: MemberId, members: ReadonlyMap<MemberId, Progress>, leaseMs: number) {
    this.#leaderId = leaderId;
    this.#members = members;
    this.#leaseMs = leaseMs;
  }

  /** Up to this round a majority has answered. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** The latest round begun. */
  get latest(): number {
    return this.#round;
  }

  /** What an append says, to be sent back; 0 when there is nothing to confirm. */
  get toConfirm(): number {
    return this.#round > this.#confirmed ? this.#round : 0;
  }

  isLeaseHeld(nowMs: number): boolean {
    return !this.#isLeaseGivenUp && nowMs < this.#confirmedMs + this.#leaseMs;
  }

  /** For the rest of the term: a voter obeys a candidate whom the leader itself has told to campaign, however late. */
  giveUpLease(): void {
    this.#isLeaseGivenUp = true;
  }

  /** A heartbeat goes out at `nowMs`: a new round, if reads wait for one or the lease is to be renewed. */
  heartbeat(nowMs: number): void {
    if (this.#wanted > this.#round || (this.#leaseMs > 0 && !this.#isLeaseGivenUp)) this.#begin(nowMs);
  }

  /** The round that must be confirmed for a read asked for now: one begun now, or after the one under way. */
  ask(nowMs: number): { readonly round: number; readonly isBegun: boolean } {
    const isBegun = this.#round === this.#confirmed;
    if (isBegun) this.#begin(nowMs);
    else this.#wanted = this.#round + 1;
    return { round: this.#wanted, isBegun };
  }

  /** Counts the answers, after each. Returns whether a round was begun that reads wait for. */
  confirm(voters: Voters, nowMs: number): boolean {
    if (this.#round === this.#confirmed) return false;
    const round = jointCommittedIndex(voters, (id) =>
      id === this.#leaderId ? this.#round : this.#members.get(id)?.readRound,
    );
    if (round <= this.#confirmed) return false;
    const openMs = this.#openMs.splice(0, round - this.#confirmed);
    this.#confirmedMs = openMs.at(-1)!;
    this.#confirmed = round;
    if (this.#wanted <= this.#round) return false;
    this.#begin(nowMs);
    return true;
  }

  #begin(nowMs: number): void {
    // Reads that wait for a round beyond these are served by the one that begins when an answer comes.
    if (this.#openMs.length >= openRoundsMax) return;
    this.#round++;
    this.#wanted = Math.max(this.#wanted, this.#round);
    this.#openMs.push(nowMs);
  }
}
