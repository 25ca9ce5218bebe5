/**
 * The leader's decisions on who keeps whose readings: looks once a second, proposes what has to change (`placing.ts`) in place of the very value that it looked at. What it knows
 * beside the agreed state (since when a keeper is gone, which ring it has) it learns anew when it begins to lead.
 */

import type { RingState } from "../../../protocols/keeping/messages.ts";
import { type Shelf, shelfKeyPrefix } from "../../../protocols/keeping/shelf.ts";
import type { MemberId } from "../../../protocols/raft/types.ts";
import type { BoardMember } from "../boards/board-registry.ts";
import { type AgreedShelves, encodeShelf } from "./agreed-shelves.ts";
import { type KeeperFacts, placeShelves, type Wanted } from "./placing.ts";
import { NoAnswer, type Questions } from "./questions.ts";

/** A board as far as it matters to what it may keep. */
export type KeepingBoard = Pick<BoardMember, "memberId" | "isUp" | "isWell">;

export interface ShelfKeeperOptions {
  readonly agreed: AgreedShelves;
  readonly questions: Questions;
  /** By board that `swarm.ts` has keep readings: its zone. */
  readonly zones: ReadonlyMap<string, string>;
  readonly wanted: ReadonlyMap<string, Wanted>;
  readonly lostAfterMs: number;
  boardOf(board: string): KeepingBoard;
  /** Puts, or deletes, if what is there is still `expected`. */
  put(key: string, value: Uint8Array | undefined, expected: Uint8Array | undefined): Promise<unknown>;
  nowMs(): number;
  log(event: string, facts: Record<string, string | number>): void;
}

interface Ring {
  /** The ring is this member's. */
  readonly memberId: MemberId | undefined;
  readonly state: RingState;
}

export const shelfKeeperLimits = {
  lookEveryMs: 1_000,
  /** Before a board that did not say what ring it has is asked again. */
  askAgainMs: 5_000,
} as const;

export class ShelfKeeper {
  readonly #options: ShelfKeeperOptions;
  readonly #rings = new Map<string, Ring>();
  /** Why a board keeps nothing though it is to. */
  readonly #refusals = new Map<string, string>();
  readonly #goneSinceMs = new Map<string, number>();
  readonly #askedMs = new Map<string, number>();
  readonly #inFlight = new Set<string>();
  #wasLeader = false;
  #lookedMs = -Infinity;

  constructor(options: ShelfKeeperOptions) {
    this.#options = options;
  }

  /** The ring that a board has said that it has. */
  takeRing(board: string, state: RingState): void {
    this.#rings.set(board, { memberId: this.#options.boardOf(board).memberId, state });
    this.#refusals.delete(board);
  }

  /** As the board last said; undefined before. */
  ringOf(board: string): RingState | undefined {
    return this.#rings.get(board)?.state;
  }

  /** Why a board keeps nothing; undefined for one that does, or has not said. */
  refusalOf(board: string): string | undefined {
    return this.#refusals.get(board);
  }

  /** For how long a board is gone, as this leader has seen it; 0 for one that is here. */
  goneMs(board: string): number {
    const sinceMs = this.#goneSinceMs.get(board);
    return sinceMs === undefined ? 0 : this.#options.nowMs() - sinceMs;
  }

  /** Proposes what is due. */
  look(isLeader: boolean): void {
    const nowMs = this.#options.nowMs();
    if (!isLeader) {
      this.#wasLeader = false;
      return;
    }
    if (!this.#wasLeader) {
      this.#wasLeader = true;
      this.#goneSinceMs.clear();
      this.#rings.clear();
      this.#askedMs.clear();
    }
    if (nowMs - this.#lookedMs < shelfKeeperLimits.lookEveryMs) return;
    this.#lookedMs = nowMs;
    this.#watch(nowMs);
    const { agreed, wanted } = this.#options;
    const shelves = new Map(Array.from(agreed.shelves, ([board, { shelf }]) => [board, shelf]));
    for (const [board, next] of placeShelves(wanted, shelves, this.#facts())) this.#propose(board, next);
    for (const board of shelves.keys()) if (!wanted.has(board)) this.#propose(board, undefined);
  }

  #watch(nowMs: number): void {
    const { zones, boardOf } = this.#options;
    for (const board of zones.keys()) {
      const { isUp, memberId } = boardOf(board);
      if (!isUp) {
        if (!this.#goneSinceMs.has(board)) this.#goneSinceMs.set(board, nowMs);
        continue;
      }
      this.#goneSinceMs.delete(board);
      const ring = this.#rings.get(board);
      const isKnown = ring !== undefined && ring.memberId === memberId;
      if (isKnown || nowMs - (this.#askedMs.get(board) ?? -Infinity) < shelfKeeperLimits.askAgainMs) continue;
      this.#askedMs.set(board, nowMs);
      void this.#ask(board);
    }
  }

  async #ask(board: string): Promise<void> {
    try {
      const answer = await this.#options.questions.ask(board, { kind: "list", cursor: 0 });
      if (answer.kind !== "refused") this.takeRing(board, answer.ring);
      else {
        this.#rings.delete(board);
        this.#refusals.set(board, answer.reason);
      }
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }

  #facts(): Map<string, KeeperFacts> {
    const { agreed, zones, boardOf, lostAfterMs } = this.#options;
    const facts = new Map<string, KeeperFacts>();
    for (const [board, zone] of zones) {
      const { memberId, isUp, isWell } = boardOf(board);
      const known = this.#rings.get(board);
      // Whoever lost its memory has another ring, which it has not told yet.
      const ring = known?.memberId === memberId ? known?.state : undefined;
      const isDrained = agreed.drained.includes(board);
      const isRefused = this.#refusals.has(board);
      facts.set(board, {
        zone,
        ring: ring?.name,
        sectors: ring?.sectors ?? 1,
        isUsable: isUp && isWell && !isDrained && !isRefused,
        isLost: isDrained || isRefused || this.goneMs(board) >= lostAfterMs,
      });
    }
    return facts;
  }

  #propose(board: string, next: Shelf | undefined): void {
    if (this.#inFlight.has(board)) return;
    const { agreed, put, log } = this.#options;
    const present = agreed.shelves.get(board);
    const value = next === undefined ? undefined : encodeShelf(next);
    this.#inFlight.add(board);
    put(shelfKeyPrefix + board, value, present?.value)
      .then(() => {
        const names = next?.keepers.map((keeper) => keeper.board).join(",") ?? "nobody";
        const before = present?.shelf.keepers.map((keeper) => keeper.board).join(",") ?? "nobody";
        log("keep-placed", { board, keepers: names, before });
      })
      // Tried again with the next look.
      .catch((error: Error) => log("keep-not-placed", { board, reason: error.message }))
      .finally(() => this.#inFlight.delete(board));
  }
}
