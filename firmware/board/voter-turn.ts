import { type TurnPurpose, turnIn, turnKey } from "../../protocols/turns/turn.ts";
import { TurnClaim, type Whereabouts } from "../../protocols/turns/turn-claim.ts";
import type { TurnMessage } from "../../protocols/turns/turn-message.ts";
import type { Random } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";
import type { Links } from "./links.ts";

/** The turn of a board that votes to be away on purpose: it leaves when the swarm has given it the turn, and says when it is back. A learner asks nobody. */
export class VoterTurn {
  readonly #store: Pick<BoardStore, "isVoter" | "get">;
  readonly #links: Pick<Links, "hearsLeader">;
  readonly #claim: TurnClaim;

  constructor(
    board: string,
    store: Pick<BoardStore, "isVoter" | "get">,
    links: Pick<Links, "hearsLeader">,
    random: Random,
  ) {
    const seed = new Uint8Array(4);
    random.fill(seed);
    this.#store = store;
    this.#links = links;
    this.#claim = new TurnClaim(board, new DataView(seed.buffer).getUint32(0));
    this.onStateReplaced();
  }

  /** Whether the board may leave its hosts for this: nobody whose vote would then be missing is away. */
  mayLeave(purpose: TurnPurpose, nowMs: number): boolean {
    if (!this.#store.isVoter) return true;
    return this.#claim.isGranted(purpose, nowMs) && this.#links.hearsLeader(nowMs);
  }

  onStateChange(key: string): void {
    if (key === turnKey) this.onStateReplaced();
  }

  onStateReplaced(): void {
    this.#claim.take(turnIn(this.#store.get(turnKey)));
  }

  /** Whether there is anything to say of it; a learner gives back what it was given as a voter. */
  isConcerned(wants: TurnPurpose | undefined): boolean {
    return this.#claim.isMine || (wants !== undefined && this.#store.isVoter);
  }

  /** When `next` may have something to say though nothing has changed; Infinity for never. */
  dueMs(wants: TurnPurpose | undefined): number {
    return this.isConcerned(wants) ? this.#claim.dueMs(wants) : Infinity;
  }

  /** What to tell the leader now; undefined for nothing. */
  next(whereabouts: Whereabouts, nowMs: number): TurnMessage | undefined {
    return this.#claim.next(whereabouts, nowMs);
  }
}
