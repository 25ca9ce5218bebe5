/** An action as the log has it, and as those who ask are told of it. */
import { stateLimits } from "../../../protocols/state/command.ts";
import { type Action, actionIdText } from "../../../protocols/two-phase-commit/action.ts";
import { actionToWire } from "../../../protocols/two-phase-commit/codec.ts";
import type { Progress } from "../../../protocols/two-phase-commit/coordinator.ts";
import { giverOf } from "../../../protocols/two-phase-commit/given-up.ts";
import { packedHas } from "../../../protocols/two-phase-commit/names.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { ActionOnBoard, ActionStatus } from "../api/types/actions.ts";

/** @throws {ApiFailure} where it is longer than an entry may be; `advice` says what to do then. */
export function encoded(action: Action, advice: string): Uint8Array {
  const value = encodeCbor(actionToWire(action));
  const { valueBytesMax } = stateLimits;
  if (value.length <= valueBytesMax) return value;
  const text = `The action takes ${value.length} bytes, and ${valueBytesMax} fit an entry; ${advice}.`;
  throw new ApiFailure("out-of-limits", text);
}

export function statusOf({ action, boards, reports }: Progress): ActionStatus {
  const { name, phase, isEnded, reason, deadlineMs, startMs } = action;
  const told = boards.map((board): ActionOnBoard => {
    const report = reports.get(board);
    const givenUpBy = giverOf(action, board);
    const stage = report?.stage ?? (givenUpBy === undefined ? stageInLog(action, board) : "silent");
    const { wallMs, boundMs } = report ?? {};
    return { board, stage, reason: report?.reason ?? "", wallMs, boundMs, givenUpBy };
  });
  return { id: actionIdText(action.id), name, phase, isEnded, reason, deadlineMs, startMs, boards: told };
}

/** What the log knows of a board that has told this host nothing. */
function stageInLog({ phase, isEnded, boards }: Action, board: string): ActionOnBoard["stage"] {
  if (!isEnded || phase !== "committed") return "silent";
  return packedHas(boards, board) ? "settled" : "acted";
}
