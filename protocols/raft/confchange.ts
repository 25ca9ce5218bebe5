/**
 * Changes of who belongs to a group, as pure functions from one configuration to the next.
 *
 * One voter more or less at a time is a simple change: any majority before shares a member with any majority after. More than
 * that takes two steps (joint consensus, thesis section 4.3): first both the outgoing and the incoming voters must agree, each
 * by a majority of their own, and once that is committed the incoming ones alone. A voter that becomes a learner while it is
 * still among the outgoing waits in `learnersNext` for the second step.
 *
 * The rules are those of etcd's `confchange`, whose cases run in `test/conformance/etcd-raft/`.
 */
import { MembershipRefused } from "./errors.ts";
import type { Voters } from "./quorum.ts";
import type { MemberId } from "./types.ts";

export interface Configuration extends Voters {
  /** Who votes, or will alone once a joint configuration is left. */
  readonly voters: readonly MemberId[];
  /** Who voted before, while the configuration is joint; else empty. */
  readonly outgoing: readonly MemberId[];
  /** Are sent the log, do not vote. Members that are merely connected are learners too, without being listed. */
  readonly learners: readonly MemberId[];
  /** Outgoing voters that become learners when the joint configuration is left. */
  readonly learnersNext: readonly MemberId[];
  /** Whether the leader leaves a joint configuration by itself as soon as that is committed. */
  readonly autoLeave: boolean;
}

export interface Change {
  readonly kind: "voter" | "learner" | "remove" | "update";
  /** An empty id names nobody: such a change changes nothing, and neither does `update`, which is for what others keep of a member. */
  readonly id: MemberId;
}

export const noConfiguration: Configuration = Object.freeze({
  voters: Object.freeze([]),
  outgoing: Object.freeze([]),
  learners: Object.freeze([]),
  learnersNext: Object.freeze([]),
  autoLeave: false,
});

/** Throws `MembershipRefused` unless at most one voter comes or goes. */
export function simpleChange(from: Configuration, changes: readonly Change[]): Configuration {
  if (isJoint(from)) {
    throw new MembershipRefused("A change of several voters is under way: try again when it is done.");
  }
  const to = changed(from, changes);
  const added = to.voters.filter((id) => !from.voters.includes(id)).length;
  const removed = from.voters.filter((id) => !to.voters.includes(id)).length;
  if (added + removed > 1) {
    throw new MembershipRefused(
      `A simple change is of one voter: this adds ${added} and removes ${removed}; make it a joint one.`,
    );
  }
  return to;
}

/** The first of the two steps. Throws `MembershipRefused`. */
export function enterJoint(
  from: Configuration,
  autoLeave: boolean,
  changes: readonly Change[],
): Configuration {
  if (isJoint(from)) {
    throw new MembershipRefused("The configuration is joint already: let it be left first.");
  }
  if (from.voters.length === 0) {
    throw new MembershipRefused("Nobody votes yet: a joint change needs voters to change from.");
  }
  return { ...changed({ ...from, outgoing: from.voters }, changes), autoLeave };
}

/** The second step. Throws `MembershipRefused`. */
export function leaveJoint(from: Configuration): Configuration {
  if (!isJoint(from))
    throw new MembershipRefused("The configuration is not joint: there is nothing to leave.");
  const learners = [...from.learners, ...from.learnersNext];
  return { voters: from.voters, outgoing: [], learners, learnersNext: [], autoLeave: false };
}

/** How a change is made: see `Node.change`. */
export type Transition = "auto" | "simple" | "joint" | "joint-auto-leave";

/** What `changes` make of `from`, by the steps that `transition` names: see `Node.change`. Throws `MembershipRefused`. */
export function configurationAfter(
  from: Configuration,
  changes: readonly Change[],
  transition: Transition,
): Configuration {
  if (transition === "simple") return simpleChange(from, changes);
  if (transition !== "auto") return enterJoint(from, transition === "joint-auto-leave", changes);
  const to = enterJoint(from, true, changes);
  const added = to.voters.filter((id) => !to.outgoing.includes(id)).length;
  const removed = to.outgoing.filter((id) => !to.voters.includes(id)).length;
  return added + removed > 1 ? to : simpleChange(from, changes);
}

export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0;
}

/** Whether `id` has a vote now, in either half. */
export function isVoter({ voters, outgoing }: Configuration, id: MemberId): boolean {
  return voters.includes(id) || outgoing.includes(id);
}

/** Everyone listed, each once; the incoming voters first. */
export function membersOf(configuration: Configuration): readonly MemberId[] {
  const { voters, outgoing, learners } = configuration;
  return [...new Set([...voters, ...outgoing, ...learners])];
}

/** The changes that make exactly `voters` vote; who votes no more is removed. */
export function changesTo(voters: readonly MemberId[], from: Configuration): readonly Change[] {
  const leaving = from.voters.filter((id) => !voters.includes(id));
  const coming = voters.filter((id) => !from.voters.includes(id));
  const removals = leaving.map((id): Change => ({ kind: "remove", id }));
  return [...removals, ...coming.map((id): Change => ({ kind: "voter", id }))];
}

function changed(from: Configuration, changes: readonly Change[]): Configuration {
  const to = {
    voters: [...from.voters],
    outgoing: from.outgoing,
    learners: [...from.learners],
    learnersNext: [...from.learnersNext],
    autoLeave: from.autoLeave,
  };
  for (const { kind, id } of changes) {
    if (id === "" || kind === "update" || (kind === "learner" && to.learners.includes(id))) continue;
    const wasVoter = to.voters.includes(id);
    to.learners = without(to.learners, id);
    to.learnersNext = without(to.learnersNext, id);
    if (kind === "voter") {
      if (!wasVoter) to.voters.push(id);
      continue;
    }
    to.voters = without(to.voters, id);
    if (kind === "learner") (to.outgoing.includes(id) ? to.learnersNext : to.learners).push(id);
  }
  if (to.voters.length === 0) throw new MembershipRefused("Nobody would vote any more: keep one voter.");
  return to;
}

function without(ids: readonly MemberId[], id: MemberId): MemberId[] {
  return ids.filter((each) => each !== id);
}
