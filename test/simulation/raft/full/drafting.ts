/**
 * More than an entry holds, written by draft on whatever host is asked, as the leader's own program does it: pieces one after the other, then their adoption. Several
 * clients do so at a time, on one leader or on one after the other; so pieces of one lie over those of another, and of a leader that died some are left.
 */
import type { CommandId } from "../../../../host-tools/leader/raft/command-id.ts";
import type { ProposeAllRequest } from "../../../../host-tools/leader/raft/host-member-types.ts";
import type { Committed, Done } from "../../../../host-tools/leader/raft/outcomes.ts";
import { commandIdBytes, type PutCommand, stateLimits } from "../../../../protocols/state/command.ts";
import { draftKey, draftKeyPrefix, draftPieces } from "../../../../protocols/state/draft.ts";
import type { Random } from "../random.ts";
import type { SimulatedHost } from "./simulated-host.ts";

export interface DraftSurroundings {
  readonly random: Random;
  after(delayMs: number, what: () => void): void;
  /** The host was asked to adopt the pieces, which are there. */
  onAdopting(): void;
}

/** Written by drafts alone, all of them by each: long enough for several pieces, and each begins with the same text wherever anybody looks. */
export const bulkKeys: readonly string[] = ["bulk/1", "bulk/2", "bulk/3"];

export function bulkPuts(text: string, random: Random): PutCommand[] {
  return bulkKeys.map((key) => {
    const length = random.between(text.length + 1, stateLimits.valueBytesMax);
    return { key, value: new TextEncoder().encode(`${text} `.padEnd(length, ".")) };
  });
}

/** The text that the value under one of `bulkKeys` begins with. */
export function textOfBulk(value: unknown): string | undefined {
  return value instanceof Uint8Array ? new TextDecoder().decode(value).split(" ")[0] : undefined;
}

/** With `isRetry` it asks first whether a leader has adopted it already. Never `done` when the host dies. */
export function writeByDraft(
  host: SimulatedHost,
  request: ProposeAllRequest,
  isRetry: boolean,
  { random, after, onAdopting }: DraftSurroundings,
  done: Done<Committed>,
): void {
  const life = host.member;
  // The adoption then stands behind pieces in the log that are not committed yet.
  const isAtOnce = random.chance(0.3);
  const pieces = draftPieces(request.puts);
  const step = (what: Parameters<SimulatedHost["step"]>[0]) => {
    if (host.member === life) host.step(what);
  };
  const adopt = () => {
    step((member) =>
      member.adopt(request, host.nowMs, (outcome) => {
        if (outcome instanceof Error) after(0, () => removeOwn(host, pieces, random));
        done(outcome);
      }),
    );
    onAdopting();
  };
  const put = (piece: number) => {
    if (piece === pieces.length) {
      adopt();
      return;
    }
    step((member) =>
      member.propose({ key: draftKey(piece), value: pieces[piece] }, host.nowMs, (outcome) => {
        if (outcome instanceof Error) done(outcome);
        else if (!isAtOnce) after(random.between(0, random.chance(0.2) ? 400 : 10), () => put(piece + 1));
      }),
    );
    if (isAtOnce) put(piece + 1);
  };
  if (isRetry) {
    adopt();
    return;
  }
  removePieces(host, random, pieces.length);
  put(0);
}

/** The pieces that are there, from that one on. Whoever begins to lead does so. */
export function removePieces(host: SimulatedHost, random: Random, from = 0): void {
  host.step((member) => {
    const isOver = (key: string) =>
      key.startsWith(draftKeyPrefix) && Number(key.slice(draftKeyPrefix.length)) >= from;
    const puts = [...member.state.keys()].filter(isOver).map((key) => ({ key, value: undefined }));
    if (puts.length === 0) return;
    member.proposeAll({ puts, id: newId(member.commitIndex, random) }, host.nowMs, () => {});
  });
}

/** Unless one of them has another's in its place. */
function removeOwn(host: SimulatedHost, pieces: readonly Uint8Array[], random: Random): void {
  const puts = pieces.map((value, piece) => ({
    key: draftKey(piece),
    value: undefined,
    expected: { value },
  }));
  host.step((member) => {
    member.proposeAll({ puts, id: newId(member.commitIndex, random) }, host.nowMs, () => {});
  });
}

function newId(after: number, random: Random): CommandId {
  return { after, random: Uint8Array.from({ length: commandIdBytes }, () => random.between(1, 255)) };
}
