/**
 * Which sets of voters are sound, which are merely allowed, and what would be better.
 *
 * A group of n voters commits with a majority, so it survives the loss of (n - 1) / 2 of them, rounded down. A fourth voter
 * therefore adds nothing but one more that can fail: an even number is never the best. Two voters are worse than one, because either one's
 * loss stops the group. And a group in which just a majority answers stands on its last leg, however many it names.
 */
import { majorityOf } from "../../../protocols/raft/quorum.ts";
import { limits } from "../../../protocols/raft/types.ts";

export interface NamedMember {
  /** In `swarm.ts`. */
  readonly name: string;
  readonly kind: "host" | "board";
  /** It was heard of within the last moments. */
  readonly answers: boolean;
}

export interface Verdict {
  /** Why the set cannot be had at all; one sentence. undefined when it can. */
  readonly refusal: string | undefined;
  /** Why it is unwise; one sentence. undefined when it is as good as any. */
  readonly warning: string | undefined;
  /** The boards that would better vote, all of them; undefined when no better set is known. */
  readonly better: readonly string[] | undefined;
}

/** @param voters as they would be. @param others boards that would not vote, but could. */
export function judgeVoters(voters: readonly NamedMember[], others: readonly NamedMember[]): Verdict {
  const refusal = tooMany(voters) ?? withoutQuorum(voters);
  const better = betterThan(voters, others);
  if (refusal !== undefined) return { refusal, warning: undefined, better };
  const warning = voters.length % 2 === 0 ? even(voters) : lastLeg(voters);
  // What cannot be made better is no reason to stop anybody.
  return { refusal, warning: better === undefined ? undefined : warning, better };
}

/** How many of `count` voters may be lost. */
export function survivedLosses(count: number): number {
  return count - majorityOf(count);
}

/** What to say of the voters that a `swarm.ts` names; undefined when they are well chosen. */
export function adviceOnDefinition(hosts: readonly string[], voters: readonly string[]): string | undefined {
  const count = hosts.length + voters.length;
  if (count % 2 === 1) return undefined;
  const more = voters.length + 1;
  const fewer = voters.length - 1;
  const choice = fewer < 0 ? `${more}` : `${fewer === 0 ? "none" : fewer} or ${more}`;
  const what = `${counted(hosts.length, "host")} and ${counted(voters.length, "voting board")}`;
  return `swarm.ts names ${what}: ${weakness(count, `${count} voters`)}. Name ${choice} to vote.`;
}

function tooMany(voters: readonly NamedMember[]): string | undefined {
  if (voters.length <= limits.votersMax) return undefined;
  return `${voters.length} voters are too many: at most ${limits.votersMax} vote, hosts included.`;
}

function withoutQuorum(voters: readonly NamedMember[]): string | undefined {
  const silent = voters.filter(({ answers }) => !answers).map(({ name }) => name);
  const answering = voters.length - silent.length;
  const needed = majorityOf(voters.length);
  if (answering >= needed) return undefined;
  return (
    `That would leave no quorum: ${answering} of the ${voters.length} voters (${namesOf(voters)}) answer at the moment, ` +
    `${needed} must; ${silent.join(" and ")} ${silent.length === 1 ? "does" : "do"} not.`
  );
}

function even(voters: readonly NamedMember[]): string {
  return `That makes ${voters.length} voters (${namesOf(voters)}): ${weakness(voters.length, "they")}.`;
}

function weakness(count: number, who: string): string {
  if (count === 2) return "the loss of either stops the swarm";
  const losses = survivedLosses(count);
  return `${who} survive the loss of ${losses}, as ${count - 1} do, and are one more that can fail`;
}

function lastLeg(voters: readonly NamedMember[]): string | undefined {
  const silent = voters.filter(({ answers }) => !answers);
  if (silent.length === 0 || voters.length - silent.length > majorityOf(voters.length)) return undefined;
  const names = silent.map(({ name }) => name).join(" and ");
  return `Of ${voters.length} voters only a majority answers (${names} ${silent.length === 1 ? "is" : "are"} silent): one more lost stops the swarm.`;
}

/** Silent boards give way to answering ones; then one more is added, or else taken away, to make the number odd. */
function betterThan(
  voters: readonly NamedMember[],
  others: readonly NamedMember[],
): readonly string[] | undefined {
  const spare = others.filter(({ kind, answers }) => kind === "board" && answers);
  const kept = voters.map((voter) => {
    if (voter.answers || voter.kind === "host") return voter;
    return spare.shift() ?? voter;
  });
  if (kept.length % 2 === 0) {
    const more = spare.shift();
    if (more !== undefined && kept.length < limits.votersMax) kept.push(more);
    else removeOne(kept);
  }
  if (kept.filter(({ answers }) => answers).length < majorityOf(kept.length)) return undefined;
  if (strength(kept) <= strength(voters)) return undefined;
  return kept.filter(({ kind }) => kind === "board").map(({ name }) => name);
}

/** A silent board before one that answers; hosts always vote. */
function removeOne(voters: NamedMember[]): void {
  const silent = voters.findIndex(({ kind, answers }) => kind === "board" && !answers);
  const last = voters.findLastIndex(({ kind }) => kind === "board");
  const at = silent < 0 ? last : silent;
  if (at >= 0) voters.splice(at, 1);
}

/** How many more may be lost from now on; among equals, fewer voters are stronger. */
function strength(voters: readonly NamedMember[]): number {
  const answering = voters.filter(({ answers }) => answers).length;
  return answering - majorityOf(voters.length) - voters.length / 100;
}

function namesOf(voters: readonly NamedMember[]): string {
  return voters.map(({ name }) => name).join(", ");
}

function counted(count: number, what: string): string {
  return `${count === 0 ? "no" : count} ${what}${count === 1 ? "" : "s"}`;
}
