/** What is written down of a state that boards have chosen, as a pure rule: in the register's history once, whoever tells it however often, and as the log's copy if it is the latest. */
import { type Copy, copyOf } from "../../../protocols/paxos/copy.ts";
import type { Chosen } from "../../../protocols/paxos/types.ts";
import { isRecorded, newHistory, type RegisterHistory, withChange } from "./history.ts";

/** To be agreed on in one entry. */
export interface Recording {
  readonly history: RegisterHistory;
  /** undefined: the copy stays as it is. */
  readonly copy: Copy | undefined;
}

/** Beside the history and the copy that the register has; undefined for one that begins. Answers undefined where nothing is to be written. */
export function recordingOf(
  chosen: Chosen,
  history: RegisterHistory | undefined,
  copy: Copy | undefined,
): Recording | undefined {
  const { epoch, state } = chosen;
  if (history !== undefined && isRecorded(history, epoch, state.version)) return undefined;
  const isLatest = copy === undefined || copy.version < state.version;
  return {
    history: history === undefined ? newHistory(epoch, state) : withChange(history, state),
    copy: isLatest ? copyOf(chosen) : undefined,
  };
}
