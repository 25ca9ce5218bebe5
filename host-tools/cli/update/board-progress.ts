/** How far a board is on its way to a release: what it and the host said last, in words. */
import type { BoardUpdate } from "../../leader/api/types/releases.ts";

export type Outcome = "runs" | "rolled-back" | "refused" | "overtaken" | "away" | "pending";

export interface BoardProgress {
  readonly outcome: Outcome;
  /** A few words: `fetching`, `on trial`. */
  readonly step: string;
  /** Beside it: `40 %`, a reason; empty for none. */
  readonly note: string;
  /** 0 to 1; undefined where nobody knows. */
  readonly done: number | undefined;
}

/** `fetching 40 %`, `rolled back to 0.1.0: it did not join`. */
export function progressText({ step, note, done = 1 }: BoardProgress): string {
  const percent = done < 1 ? ` ${Math.floor(done * 100)} %` : "";
  return `${step}${percent}${note === "" ? "" : `: ${note}`}`;
}

/** @param sequence of the release @param wasSeen it was connected at some time since */
export function progressOf(board: BoardUpdate, sequence: number, wasSeen: boolean): BoardProgress {
  const { firmware, link, target } = board;
  const update = firmware?.update;
  if (target !== sequence)
    return step("overtaken", "is to run another release", target === 0 ? "" : `release ${target}`);
  if (link === "down") {
    if (!wasSeen) return step("away", "is not connected", "updates when it is back");
    return step("pending", "restarts", "", 1);
  }
  if (update === undefined) return step("pending", "has not told yet");
  if (update.sequence === sequence && update.stage === "steady")
    return step("runs", `runs ${firmware!.version}`, "", 1);
  // It has not heard of it yet.
  if (update.target !== sequence) return step("pending", "hears of it");
  const { percent, reason = "" } = update;
  const isVoter = board.role === "voter";
  switch (update.stage) {
    case "fetching":
      return step("pending", "fetching", "", percent / 100);
    case "ready":
      return step(
        "pending",
        "ready",
        isVoter ? "voters restart one at a time" : "restarts within a minute",
        1,
      );
    case "trial":
      return step("pending", "on trial", "", 1);
    case "rolled-back":
      return step("rolled-back", `rolled back to ${firmware!.version}`, reason);
    case "refused":
      return step("refused", "refuses it", reason);
    case "steady":
      return step("pending", "begins");
  }
}

function step(outcome: Outcome, text: string, note = "", done?: number): BoardProgress {
  return { outcome, step: text, note, done };
}
