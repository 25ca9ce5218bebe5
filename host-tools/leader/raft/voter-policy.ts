/**
 * Who ought to vote, and the next step towards it.
 *
 * The swarm names hosts, which all vote, and boards that shall; the group knows members, `name.incarnation`. One that ought to vote is promoted once its
 * log has caught up. One that lost its memory comes back under a new incarnation: its old id, which will never answer again, is replaced
 * by the new one in one joint change. Where the old id is needed for a majority, that cannot be agreed on: then it is removed
 * first, which makes the majority smaller, and the new one is promoted after. Whoever is no longer named stops voting, in one joint change with whoever is named instead, so that the
 * group is never smaller in between; while that one is awaited, it goes on voting if it lives. A voter that is merely out of reach is left alone.
 */
import type { Progress } from "../../../protocols/raft/progress.ts";
import { majorityOf } from "../../../protocols/raft/quorum.ts";
import type { MemberId } from "../../../protocols/raft/types.ts";
import { limits } from "../../../protocols/raft/types.ts";

export interface VoterView {
  /** The leader, which is asking. */
  readonly self: MemberId;
  readonly voters: readonly MemberId[];
  readonly members: ReadonlyMap<MemberId, Pick<Progress, "matchIndex" | "heardMs">>;
  readonly commitIndex: number;
  /** Names of all hosts of the swarm. */
  readonly hostNames: readonly string[];
  /** Names of the boards that ought to vote; undefined while nobody has said: then boards stay as they are. */
  readonly voterNames: readonly string[] | undefined;
  readonly nowMs: number;
  /** A member that answered within this time counts as alive. */
  readonly aliveMs: number;
}

/** The voters to propose next; undefined when nothing needs to, or safely can, change now. Never leaves a group without a living majority. */
export function nextVoters(view: VoterView): readonly MemberId[] | undefined {
  for (const voter of view.voters) {
    if (voter === view.self || !isOutdated(view, voter)) continue;
    const without = view.voters.filter((id) => id !== voter);
    const successor = isUnwanted(view, voter) ? livingCandidate(view) : livingSuccessor(view, voter);
    if (successor !== undefined && hasLivingMajority(view, view.voters)) {
      // It is worth waiting until it has caught up: nothing is gained by one voter less meanwhile.
      if (isCaughtUp(view, successor)) return [...without, successor];
    } else if (hasLivingMajority(view, without) && !(isAlive(view, voter) && isSomebodyAwaited(view))) {
      return without;
    }
  }
  if (view.voters.length >= limits.votersMax) return undefined;
  for (const id of view.members.keys()) {
    if (!isCandidate(view, id) || !isCaughtUp(view, id)) continue;
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

function isWanted({ hostNames, voterNames }: VoterView, id: MemberId): boolean {
  const name = nameOf(id);
  return hostNames.includes(name) || voterNames?.includes(name) === true;
}

function isUnwanted(view: VoterView, id: MemberId): boolean {
  return view.voterNames !== undefined && !isWanted(view, id);
}

function isOutdated(view: VoterView, voter: MemberId): boolean {
  if (isUnwanted(view, voter)) return true;
  // Two boards flashed with one name would otherwise replace each other for ever.
  return !isAlive(view, voter) && livingSuccessor(view, voter) !== undefined;
}

/** Another incarnation of the same host or board. */
function livingSuccessor(view: VoterView, voter: MemberId): MemberId | undefined {
  for (const id of view.members.keys()) {
    if (id !== voter && nameOf(id) === nameOf(voter) && isAlive(view, id)) return id;
  }
  return undefined;
}

/** Somebody who ought to vote and does not: at best one whose log has caught up. */
function livingCandidate(view: VoterView): MemberId | undefined {
  const candidates = [...view.members.keys()].filter((id) => isCandidate(view, id));
  return candidates.find((id) => isCaughtUp(view, id)) ?? candidates[0];
}

/** Whether somebody who ought to vote does not yet: until then a living voter more, named or not, is one that may be lost. */
function isSomebodyAwaited({ hostNames, voterNames = [], voters }: VoterView): boolean {
  const voting = voters.map(nameOf);
  return [...hostNames, ...voterNames].some((name) => !voting.includes(name));
}

function isCandidate(view: VoterView, id: MemberId): boolean {
  const isVoting = view.voters.some((voter) => nameOf(voter) === nameOf(id));
  return isWanted(view, id) && !isVoting && isAlive(view, id);
}

function isCaughtUp(view: VoterView, id: MemberId): boolean {
  return (view.members.get(id)?.matchIndex ?? 0) >= view.commitIndex;
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
