import { firstTurn, type Turn, type TurnPurpose, turnLimits } from "./turn.ts";
import type { TurnMessage, TurnSaying } from "./turn-message.ts";

/** What a board is about, at this moment. */
export interface Whereabouts {
  /** For what it wants to leave; undefined: it does not. */
  readonly wants: TurnPurpose | undefined;
  /** It has left, and is not yet in step again. */
  readonly isAway: boolean;
  /** It is where it ought to be, and in step with the leader. */
  readonly isInStep: boolean;
}

/**
 * A board's side of the turn to be away: what it says to the leader, and whether it may leave. It leaves only by what it asked for last, soon after it asked, so an
 * entry that comes late gives it nothing; and the leader, which counts from when it heard the board, counts longer. Keeps no clock; times are the board's.
 */
export class TurnClaim {
  readonly #board: string;
  readonly #startId: number;
  #turn: Turn = firstTurn;
  /** When it asked last, for what it has not called off; -Infinity for never. */
  #askedMs = -Infinity;
  #said: TurnSaying | undefined;
  #saidMs = -Infinity;

  /** @param startId drawn at random when the board started */
  constructor(board: string, startId: number) {
    this.#board = board;
    this.#startId = startId;
  }

  /** The agreed state says so; undefined for what this firmware cannot read. */
  take(turn: Turn | undefined): void {
    this.#turn = turn ?? firstTurn;
  }

  /** Whether the swarm counts this board as away. */
  get isMine(): boolean {
    return this.#turn.holder?.board === this.#board;
  }

  /** Whether it may leave for this now. */
  isGranted(purpose: TurnPurpose, nowMs: number): boolean {
    const { holder } = this.#turn;
    return (
      holder?.board === this.#board &&
      holder.purpose === purpose &&
      holder.startId === this.#startId &&
      holder.askedMs === this.#askedMs &&
      nowMs - this.#askedMs <= turnLimits.leaveMs
    );
  }

  /** When `next` may have something to say though nothing has changed; Infinity for never. */
  dueMs(wants: TurnPurpose | undefined): number {
    const mayGoOn = this.#said !== undefined && (wants !== undefined || this.isMine);
    return mayGoOn ? this.#saidMs + turnLimits.sayEveryMs : Infinity;
  }

  /** What to tell the leader now; undefined for nothing. What is given counts as said. */
  next(whereabouts: Whereabouts, nowMs: number): TurnMessage | undefined {
    const says = this.word(whereabouts);
    if (says === this.#said && nowMs < this.#saidMs + turnLimits.sayEveryMs) return undefined;
    this.#said = says;
    if (says === undefined) return undefined;
    this.#saidMs = nowMs;
    // By what it asked for before, it leaves no more.
    if (says === "asks") this.#askedMs = nowMs;
    else if (says === "back") this.#askedMs = -Infinity;
    return { says, startId: this.#startId, askedMs: nowMs, purpose: whereabouts.wants ?? "move" };
  }

  private word({ wants, isAway, isInStep }: Whereabouts): TurnSaying | undefined {
    if (isAway) return this.isMine ? "away" : undefined;
    if (!isInStep) return undefined;
    if (wants !== undefined) return "asks";
    return this.isMine ? "back" : undefined;
  }
}
