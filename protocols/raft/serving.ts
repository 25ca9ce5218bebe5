import type { Entry, LogRequest, Message, RaftLog } from "./types.ts";
import { limits } from "./types.ts";

/**
 * What a voter answers to a host that copies its log (design, point 8): what follows in `log`; else where the two may still
 * agree; else a chunk of the snapshot, when it no longer holds what follows. undefined when it has nothing to say, as of a
 * snapshot that went away meanwhile. Never more than a board can send.
 */
export function logAnswer(
  log: RaftLog,
  request: LogRequest,
  term: number,
  commitIndex: number,
): Message | undefined {
  const { afterIndex, afterTerm } = request;
  const termThere = log.termAt(afterIndex);
  const isMatch = termThere === afterTerm;
  const guess = isMatch ? afterIndex : lastPossibleMatch(log, afterIndex, afterTerm);
  if (guess < log.firstIndex - 1) return snapshotAnswer(log, request, term);
  const { lastIndex } = log;
  return {
    type: "log-response",
    from: request.to,
    to: request.from,
    term,
    isMatch,
    prevLogIndex: guess,
    prevLogTerm: log.termAt(guess)!,
    lastLogIndex: lastIndex,
    lastLogTerm: log.termAt(lastIndex)!,
    commitIndex,
    entries: isMatch ? entriesAfter(log, guess) : nothing,
  };
}

const nothing: readonly never[] = Object.freeze([]);

/** As in `Follower`, but the other log is no leader's, so it may differ before the commit index. At least one before `afterIndex`. */
function lastPossibleMatch(log: RaftLog, afterIndex: number, afterTerm: number): number {
  const conflictTerm = log.termAt(afterIndex);
  let index = Math.min(afterIndex, log.lastIndex);
  for (; index >= log.firstIndex - 1; index--) {
    const term = log.termAt(index)!;
    if (term !== conflictTerm && term <= afterTerm) break;
  }
  return index;
}

function entriesAfter(log: RaftLog, afterIndex: number): readonly Entry[] {
  const entries: Entry[] = [];
  let bytes = 0;
  for (let index = afterIndex + 1; index <= log.lastIndex; index++) {
    if (entries.length === limits.appendEntriesMax) break;
    const entry = log.entry(index);
    bytes += entry.data.length;
    if (bytes > limits.appendBytesMax) break;
    entries.push(entry);
  }
  return entries;
}

function snapshotAnswer(log: RaftLog, request: LogRequest, term: number): Message | undefined {
  const place = log.snapshot;
  if (place === undefined) return undefined;
  const { index, term: indexTerm, hash } = place;
  const first = request.snapshotIndex === index ? request.snapshotFirst : 0;
  const part = log.snapshotItems(index, request.from, first, limits.snapshotChunkBytes);
  if (part === undefined) return undefined;
  const ends = { from: request.to, to: request.from, term };
  return { type: "snapshot-chunk", ...ends, index, indexTerm, hash, first, ...part };
}
