/**
 * Carrying out more puts than an entry holds, all at once: first the pieces of a draft (`protocols/state/draft.ts`), a few at a time, then the entry that adopts it.
 *
 * Until that one is committed nothing has changed. If it does not come so far, this host removes the pieces; if it leads no more, whoever leads next does, before
 * it puts anything else.
 */
import { type Adoption, draftKey, draftKeyPrefix, draftPieces } from "../../../protocols/state/draft.ts";
import { putsLimits } from "../../../protocols/state/puts.ts";
import type { ExpectedPut } from "../raft/host-member-types.ts";
import type { Committed } from "../raft/outcomes.ts";
import type { Replica } from "../raft/replica.ts";
import type { AgreedState } from "./agreed-state.ts";
import { type CommandGroup, explainAll, notLeading } from "./commands.ts";

export interface DraftGroup extends Pick<CommandGroup, "replica" | "deployment"> {
  readonly state: Pick<AgreedState, "keys">;
}

/** How many pieces are agreed on, of how many. */
export type DraftProgress = (pieces: number, of: Adoption["pieces"]) => void;

/**
 * While this host leads: all are carried out or none. Resolves once the draft is adopted. One at a time; rejects with an `ApiFailure`, of which `timeout` means that
 * they may still be.
 */
export async function carryOutDraft(
  group: DraftGroup,
  puts: readonly ExpectedPut[],
  progress: DraftProgress,
): Promise<Committed> {
  const { replica, deployment, state } = group;
  const id = replica.newCommandId();
  try {
    const pieces = draftPieces(puts);
    if (!replica.isLeader) throw notLeading(replica);
    await deployment.proposed(replica);
    await removePieces(replica, piecesIn(state));
    try {
      await putPieces(replica, pieces, progress);
      return await replica.adopt({ puts, id });
    } catch (error) {
      // All that was put stands before this in the log, and what it says of a piece that is not there counts for nothing.
      await removePieces(
        replica,
        pieces.map((_, piece) => draftKey(piece)),
      ).catch(() => {});
      throw error;
    }
  } catch (error) {
    throw explainAll(replica, id, error);
  }
}

/** The keys of the pieces that were left behind. */
export function piecesIn(state: Pick<AgreedState, "keys">): string[] {
  return [...state.keys()].filter((key) => key.startsWith(draftKeyPrefix));
}

/** In as few entries as hold that. Rejects with what the replica rejects with. */
export async function removePieces(replica: Replica, keys: readonly string[]): Promise<void> {
  const { putsMax } = putsLimits;
  const removed: Promise<Committed>[] = [];
  for (let at = 0; at < keys.length; at += putsMax) {
    const puts = keys.slice(at, at + putsMax).map((key) => ({ key, value: undefined }));
    removed.push(replica.proposeAll({ puts, id: replica.newCommandId() }));
  }
  await Promise.all(removed);
}

/** Twice what a board is sent before it has answered (`boardFlow`: four appends, of two pieces each), so that the next ones are there when it has. */
const piecesAtOnce = 16;

async function putPieces(
  replica: Replica,
  pieces: readonly Uint8Array[],
  progress: DraftProgress,
): Promise<void> {
  const { term } = replica;
  let agreed = 0;
  progress(agreed, pieces.length);
  const put = async (value: Uint8Array, piece: number) => {
    const nothing = { value: undefined };
    await replica.propose({ key: draftKey(piece), value, id: replica.newCommandId(), expected: nothing });
    progress(++agreed, pieces.length);
  };
  for (let at = 0; at < pieces.length; at += piecesAtOnce) {
    // Whoever began to lead again in between is removing what there is.
    if (!replica.isLeader || replica.term !== term) throw notLeading(replica);
    await Promise.all(pieces.slice(at, at + piecesAtOnce).map((value, i) => put(value, at + i)));
  }
}
