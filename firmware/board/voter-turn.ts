import { type Turn, type TurnPurpose, turnIn, turnKey } from "../../protocols/turns/turn.ts";
import { TurnClaim, type Whereabouts } from "../../protocols/turns/turn-claim.ts";
import type { TurnMessage } from "../../protocols/turns/turn-message.ts";
import type { Random } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";
import type { Links } from "./links.ts";

export interface VoterTurnParts {
  readonly board: string;
  readonly store: Pick<BoardStore, "isVoter" | "get">;
  readonly links: Pick<Links, "hearsLeader">;
  readonly random: Random;
}

/** The turn of a board that votes to be away on purpose: it leaves when the swarm has given it the turn, and says when it is back. A learner asks nobody. */
export class VoterTurn {
  readonly #of: VoterTurnParts;
  /** There from when it wants the turn first, or has it. */
  #claim: TurnClaim | undefined;

  constructor(of: VoterTurnParts) {
    this.#of = of;
    this.onStateReplaced();
  }

  /** Whether the board may leave its hosts for this: nobody whose vote would then be missing is away. */
  mayLeave(purpose: TurnPurpose, nowMs: number): boolean {
    const { store, links } = this.#of;
    if (!store.isVoter) return true;
    return this.#claim?.isGranted(purpose, nowMs) === true && links.hearsLeader(nowMs);
  }

  onStateChange(key: string): void {
    if (key === turnKey) this.onStateReplaced();
  }

  onStateReplaced(): void {
    const turn = this.agreed();
    if (this.#claim === undefined && turn?.holder?.board !== this.#of.board) return;
    this.claim().take(turn);
  }

  /** Whether there is anything to say of it; a learner gives back what it was given as a voter. */
  isConcerned(wants: TurnPurpose | undefined): boolean {
    return this.#claim?.isMine === true || (wants !== undefined && this.#of.store.isVoter);
  }

  /** When `next` may have something to say though nothing has changed; Infinity for never. */
  dueMs(wants: TurnPurpose | undefined): number {
    return this.isConcerned(wants) ? (this.#claim?.dueMs(wants) ?? Infinity) : Infinity;
  }

  /** What to tell the leader now; undefined for nothing. */
  next(whereabouts: Whereabouts, nowMs: number): TurnMessage | undefined {
    return this.claim().next(whereabouts, nowMs);
  }

  /** Kept once it is made: by its number the leader knows which words are of one run of the board. */
  private claim(): TurnClaim {
    if (this.#claim !== undefined) return this.#claim;
    const { board, random } = this.#of;
    const seed = new Uint8Array(4);
    random.fill(seed);
    this.#claim = new TurnClaim(board, new DataView(seed.buffer).getUint32(0));
    this.#claim.take(this.agreed());
    return this.#claim;
  }

  private agreed(): Turn | undefined {
    return turnIn(this.#of.store.get(turnKey));
  }
}
