/**
 * Majorities, as pure functions over the voters. An empty set of voters commits and wins everything, so that a joint quorum
 * (both halves must agree: thesis, section 4.3) is made of two of these, and one whose outgoing half is empty is a plain one.
 */
import type { MemberId } from "./types.ts";

export type VoteResult = "won" | "lost" | "pending";

/** Who must agree: a majority of the incoming voters and, while they change, one of the outgoing too. */
export interface Voters {
  readonly voters: readonly MemberId[];
  readonly outgoing: readonly MemberId[];
}

/** The highest index that a majority of both halves has; `matchIndexOf` answers undefined for a voter never heard of. */
export function jointCommittedIndex(
  { voters, outgoing }: Voters,
  matchIndexOf: (voter: MemberId) => number | undefined,
): number {
  return Math.min(committedIndex(voters, matchIndexOf), committedIndex(outgoing, matchIndexOf));
}

/** What the votes so far decide in both halves: won when both are, lost when either is. */
export function jointVoteResult(
  { voters, outgoing }: Voters,
  voteOf: (voter: MemberId) => boolean | undefined,
): VoteResult {
  const incomingResult = voteResult(voters, voteOf);
  const outgoingResult = voteResult(outgoing, voteOf);
  if (incomingResult === outgoingResult) return incomingResult;
  return incomingResult === "lost" || outgoingResult === "lost" ? "lost" : "pending";
}

/** The highest index that a majority of `voters` has; `matchIndexOf` answers undefined for a voter never heard of. */
export function committedIndex(
  voters: readonly MemberId[],
  matchIndexOf: (voter: MemberId) => number | undefined,
): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  const matches = voters.map((voter) => matchIndexOf(voter) ?? 0).sort((a, b) => b - a);
  return matches[majorityOf(voters.length) - 1]!;
}

/** What the votes so far decide; `voteOf` answers undefined for a voter that has not answered. */
export function voteResult(
  voters: readonly MemberId[],
  voteOf: (voter: MemberId) => boolean | undefined,
): VoteResult {
  let granted = 0;
  let refused = 0;
  for (const voter of voters) {
    const vote = voteOf(voter);
    if (vote === true) granted++;
    else if (vote === false) refused++;
  }
  const needed = majorityOf(voters.length);
  if (voters.length === 0 || granted >= needed) return "won";
  return voters.length - refused < needed ? "lost" : "pending";
}

export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}
