/** Whether a board may be given up: somebody says that it is lost for good, and nothing that the host knows speaks against it. */
import type { Action } from "../../../protocols/two-phase-commit/action.ts";
import { describeAction, type Progress } from "../../../protocols/two-phase-commit/coordinator.ts";
import { giverOf } from "../../../protocols/two-phase-commit/given-up.ts";
import { ApiFailure } from "../api/api-failure.ts";

/** A board is given up only after it was connected to no host for so long, beside what it sleeps at a time. */
export const silenceMs = 60_000;

export interface LostView {
  /** The action is committed, and it is not known what the board did. */
  readonly isWaitedFor: boolean;
  readonly isConnected: boolean;
  /** For how long the host that leads has missed it. */
  readonly silentMs: number;
  /** How long it has to be silent. */
  readonly patienceMs: number;
  /** Unix milliseconds. */
  readonly wallMs: number;
}

/** @throws {ApiFailure} where the board may not be given up. */
export function demandLost({ action, boards }: Progress, board: string, view: LostView): void {
  const what = describeAction(action);
  if (!boards.includes(board)) throw new ApiFailure("bad-request", `${board} is no board of ${what}.`);
  const giver = giverOf(action, board);
  if (giver !== undefined) throw new ApiFailure("conflict", `${board} was given up by ${giver} already.`);
  if (!view.isWaitedFor) throw new ApiFailure("conflict", `${what} ${whyNotWaiting(action, board)}.`);
  if (view.isConnected) {
    const text = `${board} is connected, so it is not lost; wait until it has told what it did.`;
    throw new ApiFailure("conflict", text);
  }
  // One that has promised to act then does so without hearing anything more, by a clock that may be off.
  const timeLeftMs = (action.startMs ?? Number.NEGATIVE_INFINITY) + silenceMs - view.wallMs;
  const leftMs = Math.max(view.patienceMs - view.silentMs, timeLeftMs);
  if (leftMs <= 0) return;
  const seconds = Math.ceil(leftMs / 1_000);
  const text =
    timeLeftMs > 0
      ? `${board} may act on ${what} at its time, connected or not; it can be given up in ${seconds} s.`
      : `The host that leads has not missed ${board} for long enough; it can be given up in ${seconds} s if it stays silent.`;
  throw new ApiFailure("conflict", text);
}

function whyNotWaiting({ phase, isEnded }: Action, board: string): string {
  if (phase === "begun") return "is not decided yet; it is aborted by itself at its deadline";
  if (phase === "aborted") return "was aborted, and waits for nobody";
  return isEnded ? "has ended, and waits for nobody" : `knows what ${board} did`;
}
