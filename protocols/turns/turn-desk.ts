import type { Voters } from "../raft/quorum.ts";
import { majorityOf } from "../raft/quorum.ts";
import type { MemberId } from "../raft/types.ts";
import { type Turn, type TurnRequest, turnLimits } from "./turn.ts";
import type { TurnMessage } from "./turn-message.ts";

/**
 * The leader's side of the turn to be away, for one term of it: who has asked, and what is to be agreed on next. It counts from when it heard a board, or from when it
 * began to lead, so a turn that another leader gave is never cut short. Keeps no clock; times are the host's.
 */
export class TurnDesk {
  /** Who waits, the longest first. */
  readonly #asks = new Map<string, { readonly request: TurnRequest; readonly heardMs: number }>();
  #number = -1;
  #sinceMs: number;
  #heardMs: number;
  /** Whoever has the turn has said that it is here. */
  #isBack = false;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#heardMs = nowMs;
  }

  /**
   * A board that votes said so; `turn` is what is agreed on. What it says of being here must come in the order in which it said it, over its own session with this
   * host: after another run of the board has begun, nothing of the one before.
   */
  hear(board: string, { says, ...request }: TurnMessage, turn: Turn, nowMs: number): void {
    this.#look(turn, nowMs);
    const holder = turn.holder?.board === board ? turn.holder : undefined;
    if (holder !== undefined) this.#heardMs = nowMs;
    if (says === "away") return;
    // What the turn was given for is past; what was said since says that the board is here, and will not leave by that.
    if (holder?.startId === request.startId && request.askedMs <= holder.askedMs) return;
    if (holder !== undefined) this.#isBack = true;
    if (says === "back") this.#asks.delete(board);
    // It keeps its place among those who wait.
    else this.#asks.set(board, { request, heardMs: nowMs });
  }

  /** What to agree on in place of `turn`; undefined while that is as it ought to be. `maySpare`: the others are enough while that board is away. */
  next(turn: Turn, maySpare: (board: string) => boolean, nowMs: number): Turn | undefined {
    this.#look(turn, nowMs);
    for (const [board, { heardMs }] of this.#asks) {
      if (nowMs - heardMs > turnLimits.leaveMs) this.#asks.delete(board);
    }
    const { number, holder } = turn;
    if (holder !== undefined && !this.#isBack && !this.#isLapsed(nowMs)) return undefined;
    for (const [board, { request }] of this.#asks) {
      if (maySpare(board)) return { number: number + 1, holder: { board, ...request } };
    }
    return holder === undefined ? undefined : { number: number + 1, holder: undefined };
  }

  #isLapsed(nowMs: number): boolean {
    return nowMs - this.#heardMs >= turnLimits.silentMs || nowMs - this.#sinceMs >= turnLimits.heldMs;
  }

  #look({ number, holder }: Turn, nowMs: number): void {
    if (number === this.#number) return;
    this.#number = number;
    this.#sinceMs = nowMs;
    this.#heardMs = nowMs;
    this.#isBack = false;
    // Whoever is served asks again for the next time, behind the others.
    if (holder !== undefined) this.#asks.delete(holder.board);
  }
}

/**
 * Whether the group still commits while `board`, one of its voters, is away: the others that answer are a majority, of both halves while the voters change. Of a
 * group that nobody can be missing from, with two voters, all others must answer.
 */
export function maySpare(
  { voters, outgoing }: Voters,
  isBoard: (id: MemberId) => boolean,
  answers: (id: MemberId) => boolean,
): boolean {
  return [voters, outgoing].every((half) => {
    const others = half.filter((id) => !isBoard(id));
    const needed = Math.min(majorityOf(half.length), half.length - 1);
    return others.length === half.length || others.filter(answers).length >= needed;
  });
}
