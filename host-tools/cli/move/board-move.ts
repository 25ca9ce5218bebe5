/** How far a board is on its way to the contact that was agreed on: from what hosts see of it, and what was seen before. */

import type { ContactStatus } from "../../leader/api/types/contact.ts";
import type { BoardStatus } from "../../leader/api/types/status.ts";

export type MoveOutcome = "moved" | "went-back" | "away" | "keeps-none" | "pending";

export interface BoardMove {
  readonly id: string;
  readonly outcome: MoveOutcome;
  /** A few words. */
  readonly step: string;
  /** Beside it; empty for none. */
  readonly note: string;
}

export const moveViewLimits = {
  /** A try that fails takes two minutes; whoever was gone for less did not try, or the connection broke. */
  tryMsMin: 60_000,
  /** Until a board that is back has told by which contact. */
  toldMs: 10_000,
} as const;

/** Of one board, from the first look on. */
export class MoveWatch {
  #wasUp = false;
  /** Since when it is up or down, and for how long it was down before. */
  #sinceMs: number | undefined;
  #isUp = false;
  #goneMs = 0;

  look(board: BoardStatus, agreed: ContactStatus, nowMs: number): BoardMove {
    this.#note(board, nowMs);
    const { id, link, contact, appliedIndex, role } = board;
    if (link === "down") {
      if (this.#wasUp) return { id, outcome: "pending", step: "tries it", note: "" };
      return { id, outcome: "away", step: "is not connected", note: "learns of it when it is back" };
    }
    if (contact !== undefined && contact >= agreed.number)
      return { id, outcome: "moved", step: "has moved", note: "" };
    if (appliedIndex < agreed.index) return { id, outcome: "pending", step: "hears of it", note: "" };
    if (this.#goneMs >= moveViewLimits.tryMsMin) {
      if (nowMs - this.#sinceMs! < moveViewLimits.toldMs)
        return { id, outcome: "pending", step: "is back", note: "" };
      return {
        id,
        outcome: "went-back",
        step: "went back",
        note: "it did not reach the swarm by the new one",
      };
    }
    if (contact === undefined)
      return { id, outcome: "keeps-none", step: "stays", note: "it keeps no contact: it was built with one" };
    return {
      id,
      outcome: "pending",
      step: "knows it",
      note: role === "voter" ? "voters go one at a time" : "",
    };
  }

  #note({ link }: BoardStatus, nowMs: number): void {
    const isUp = link === "up";
    if (this.#sinceMs === undefined || isUp !== this.#isUp) {
      if (isUp && this.#sinceMs !== undefined && this.#wasUp) this.#goneMs = nowMs - this.#sinceMs;
      this.#sinceMs = nowMs;
      this.#isUp = isUp;
    }
    this.#wasUp ||= isUp;
  }
}

/** `has moved`, `went back: it did not ...`. */
export function moveText({ step, note }: BoardMove): string {
  return note === "" ? step : `${step}: ${note}`;
}
