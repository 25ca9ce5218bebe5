/**
 * Majorities, as pure functions over the voters. An empty set of voters commits and wins everything, so that a joint quorum
 * (both halves must agree) can be built from two of these.
 */
import type { MemberId } from "./types.ts";

export type VoteResult = "won" | "lost" | "pending";

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
