/** Copies the log of another member, the most up-to-date one that goes on answering. */
import type {
  LogRequest,
  LogResponse,
  MemberId,
  Message,
  SnapshotChunk,
} from "../../../protocols/raft/types.ts";
import type { HostLog } from "./host-log.ts";

/** Requests in a row that may bring nothing before the next member is asked. */
const failuresMax = 5;

/** Where a member's log ends. */
export interface FoundLog {
  readonly id: MemberId;
  readonly term: number;
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
  /** How far it knows its log to be committed. */
  readonly commitIndex: number;
}

/** The log was not rebuilt; the message says why and what to do. */
export class RecoveryRefused extends Error {
  override readonly name = "RecoveryRefused";
}

/** Tries `found` in turn; returns whose log it has now, to its end. @throws {RecoveryRefused} */
export async function copyLog(
  log: HostLog,
  found: readonly FoundLog[],
  ask: (request: LogRequest) => Promise<Message | undefined>,
): Promise<MemberId> {
  for (const { id } of found) {
    if (await copyFrom(log, id, ask)) return id;
  }
  throw new RecoveryRefused(
    `The members that have a log (${found.map(({ id }) => id).join(", ")}) stopped answering: see that their connections last, and try again.`,
  );
}

/** False when it stopped answering. What was copied by then stays: the next one's log has the same entries, or replaces them. */
async function copyFrom(
  log: HostLog,
  source: MemberId,
  ask: (request: LogRequest) => Promise<Message | undefined>,
): Promise<boolean> {
  let after = { index: log.lastIndex, term: log.termAt(log.lastIndex)! };
  for (let failures = 0; failures < failuresMax; ) {
    const { staged } = log;
    const answer = await ask({
      type: "log-request",
      from: log.memberId,
      to: source,
      term: 1,
      afterIndex: after.index,
      afterTerm: after.term,
      snapshotIndex: staged?.index ?? 0,
      snapshotFirst: staged?.items ?? 0,
    });
    const before = after;
    if (answer?.type === "snapshot-chunk") {
      if (!takeChunk(log, answer)) failures++;
      else if (answer.isLast) after = { index: answer.index, term: answer.indexTerm };
    } else if (answer?.type === "log-response") {
      const next = takeEntries(log, after, answer);
      if (next === undefined) return true;
      after = next;
      if (after.index === before.index) failures++;
      else failures = 0;
    } else {
      failures++;
    }
    await durable(log);
  }
  return false;
}

/** Resolves once all that was appended is durable. */
export function durable(log: HostLog): Promise<void> {
  return new Promise((resolve, reject) => {
    log.flush((error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** False when it is not what was asked for. */
function takeChunk(log: HostLog, chunk: SnapshotChunk): boolean {
  const { staged } = log;
  const isNext = chunk.first === 0 || (staged?.index === chunk.index && staged.items === chunk.first);
  if (!isNext || chunk.index <= log.lastIndex) return false;
  log.append({ hardState: undefined, truncateFrom: 0, entries: [], snapshot: chunk });
  return true;
}

/** Where to go on; undefined when the end is reached. */
function takeEntries(log: HostLog, after: Place, response: LogResponse): Place | undefined {
  const { isMatch, prevLogIndex, entries, lastLogIndex, lastLogTerm } = response;
  if (!isMatch) {
    // What came from another member and is not in this one's log.
    const index = Math.max(log.firstIndex - 1, Math.min(prevLogIndex, after.index - 1));
    return { index, term: log.termAt(index)! };
  }
  if (prevLogIndex !== after.index) return after;
  const fresh = entries.filter(({ index, term }) => log.termAt(index) !== term);
  const first = fresh[0]?.index ?? 0;
  const truncateFrom = first > 0 && first <= log.lastIndex ? first : 0;
  log.append({ hardState: undefined, truncateFrom, entries: fresh, snapshot: undefined });
  const last = entries.at(-1) ?? { index: after.index, term: after.term };
  return last.index === lastLogIndex && last.term === lastLogTerm
    ? undefined
    : { index: last.index, term: last.term };
}

interface Place {
  readonly index: number;
  readonly term: number;
}
