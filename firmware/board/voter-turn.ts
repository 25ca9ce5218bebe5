import { type TurnPurpose, turnIn, turnKey } from "../../protocols/turns/turn.ts";
import { TurnClaim, type Whereabouts } from "../../protocols/turns/turn-claim.ts";
import type { TurnMessage } from "../../protocols/turns/turn-message.ts";
import { draw32 } from "../platform/draw.ts";
import type { Random } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";

/** Says whether the board may leave its hosts on purpose. */
export interface Leaving {
  /** A learner always may; a voter when nobody is away whose vote would then be missing. */
  mayLeave(purpose: TurnPurpose, nowMs: number): boolean;
}

/** Whether the agreed state has given the turn to be away to `board`. */
export function hasTurn(store: Pick<BoardStore, "get">, board: string): boolean {
  return turnIn(store.get(turnKey))?.holder?.board === board;
}

/**
 * The turn of a board that votes to be away on purpose: it leaves when the swarm has given it the turn, and says when it is back. There from when the board wants it
 * first, or has it; then for as long as the board runs, because by its number the leader knows which words are of one run.
 */
export class VoterTurn {
  readonly #store: Pick<BoardStore, "isVoter" | "get">;
  readonly #claim: TurnClaim;

  constructor(board: string, store: Pick<BoardStore, "isVoter" | "get">, random: Random) {
    this.#store = store;
    this.#claim = new TurnClaim(board, draw32(random));
    this.onStateReplaced();
  }

  isGranted(purpose: TurnPurpose, nowMs: number): boolean {
    return this.#claim.isGranted(purpose, nowMs);
  }

  onStateReplaced(): void {
    this.#claim.take(turnIn(this.#store.get(turnKey)));
  }

  /** When `next` may have something to say though nothing has changed; Infinity for never. */
  dueMs(wants: TurnPurpose | undefined): number {
    return this.isConcerned(wants) ? this.#claim.dueMs(wants) : Infinity;
  }

  /** What to tell the leader now; undefined for nothing. */
  next(whereabouts: Whereabouts, nowMs: number): TurnMessage | undefined {
    return this.isConcerned(whereabouts.wants) ? this.#claim.next(whereabouts, nowMs) : undefined;
  }

  /** A learner gives back what it was given as a voter, and asks for nothing. */
  private isConcerned(wants: TurnPurpose | undefined): boolean {
    return this.#claim.isMine || (wants !== undefined && this.#store.isVoter);
  }
}
