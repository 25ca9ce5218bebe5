/**
 * Who ought to vote, and the next single step towards it.
 *
 * The definition names boards; the group knows members, `name.incarnation`. A board named as voter is promoted once its log
 * has caught up. One that lost its memory comes back under a new incarnation: its old id, which will never answer again, is
 * removed first (that makes the majority smaller, so it works even where the old id was needed for one), then the new one is
 * promoted. A board no longer named stops voting. A voter that is merely out of reach is left alone.
 */
import type { Progress } from "../../../protocols/raft/progress.ts";
import { majorityOf } from "../../../protocols/raft/quorum.ts";
import type { MemberId } from "../../../protocols/raft/types.ts";
import { limits } from "../../../protocols/raft/types.ts";

export interface VoterView {
  /** The leader, which is asking. */
  readonly self: MemberId;
  readonly voters: readonly MemberId[];
  readonly members: ReadonlyMap<MemberId, Readonly<Progress>>;
  readonly commitIndex: number;
  /** Names of all hosts of the swarm; they are neither promoted nor removed here. */
  readonly hostNames: readonly string[];
  /** Names of the boards that the definition wants to vote. */
  readonly voterNames: readonly string[];
  readonly nowMs: number;
  /** A member that answered within this time counts as alive. */
  readonly aliveMs: number;
}

/** The voters to propose next; undefined when nothing needs to, or safely can, change now. Never leaves a group without a living majority. */
export function nextVoters(view: VoterView): readonly MemberId[] | undefined {
  for (const voter of view.voters) {
    if (voter === view.self || !isOutdated(view, voter)) continue;
    const without = view.voters.filter((id) => id !== voter);
    if (hasLivingMajority(view, without)) return without;
  }
  if (view.voters.length >= limits.votersMax) return undefined;
  for (const [id, progress] of view.members) {
    if (!isPromotable(view, id, progress)) continue;
    const withIt = [...view.voters, id];
    if (hasLivingMajority(view, withIt)) return withIt;
  }
  return undefined;
}

/** `north-1` of `north-1.5f3a90c2`. */
export function nameOf(id: MemberId): string {
  const dot = id.lastIndexOf(".");
  return dot < 0 ? id : id.slice(0, dot);
}

function isOutdated(view: VoterView, voter: MemberId): boolean {
  const name = nameOf(voter);
  if (view.hostNames.includes(name)) return false;
  if (!view.voterNames.includes(name)) return true;
  // Two boards flashed with one name would otherwise replace each other for ever.
  if (isAlive(view, voter)) return false;
  for (const id of view.members.keys()) {
    if (id !== voter && nameOf(id) === name && isAlive(view, id)) return true;
  }
  return false;
}

function isPromotable(view: VoterView, id: MemberId, progress: Readonly<Progress>): boolean {
  const name = nameOf(id);
  return (
    view.voterNames.includes(name) &&
    !view.voters.some((voter) => nameOf(voter) === name) &&
    isAlive(view, id) &&
    progress.matchIndex >= view.commitIndex
  );
}

function hasLivingMajority(view: VoterView, voters: readonly MemberId[]): boolean {
  const living = voters.filter((id) => isAlive(view, id)).length;
  return living >= majorityOf(voters.length);
}

function isAlive(view: VoterView, id: MemberId): boolean {
  if (id === view.self) return true;
  const heardMs = view.members.get(id)?.heardMs;
  return heardMs !== undefined && view.nowMs - heardMs <= view.aliveMs;
}
