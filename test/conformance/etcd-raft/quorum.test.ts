import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  committedIndex,
  jointCommittedIndex,
  jointVoteResult,
  voteResult,
} from "../../../protocols/raft/quorum.ts";
import { readCases } from "../raft/case-file.ts";

describe("etcd's majority cases", () => {
  const commits = readCases(join(import.meta.dirname, "quorum/majority_commit.txt"));
  it.each(commits)("line $line: $command", ({ command, expected }) => {
    const voters = listOf(command, "cfg");
    const indexes = byVoter(voters, listOf(command, "idx"), Number);
    const index = committedIndex(voters, (voter) => indexes.get(voter));
    const shown = index === Number.POSITIVE_INFINITY ? "<empty majority quorum>∞" : String(index);
    expect(shown).toBe(expected.split("\n").at(-1));
  });

  const votes = readCases(join(import.meta.dirname, "quorum/majority_vote.txt"));
  it.each(votes)("line $line: $command", ({ command, expected }) => {
    const voters = listOf(command, "cfg");
    const cast = byVoter(voters, listOf(command, "votes"), (vote) => vote === "y");
    const result = voteResult(voters, (voter) => cast.get(voter));
    expect(result).toBe({ VoteWon: "won", VoteLost: "lost", VotePending: "pending" }[expected]);
  });

  it("are all there", () => {
    expect([commits.length, votes.length]).toEqual([16, 22]);
  });
});

describe("etcd's joint cases", () => {
  const commits = readCases(join(import.meta.dirname, "quorum/joint_commit.txt"));
  it.each(commits)("line $line: $command", ({ command, expected }) => {
    const halves = halvesOf(command);
    const indexes = byVoter(halves.everyone, listOf(command, "idx"), Number);
    const index = jointCommittedIndex(halves, (voter) => indexes.get(voter));
    expect(String(index)).toBe(expected.split("\n").at(-1));
  });

  const votes = readCases(join(import.meta.dirname, "quorum/joint_vote.txt"));
  it.each(votes)("line $line: $command", ({ command, expected }) => {
    const halves = halvesOf(command);
    const cast = byVoter(halves.everyone, listOf(command, "votes"), (vote) => vote === "y");
    const result = jointVoteResult(halves, (voter) => cast.get(voter));
    expect(result).toBe({ VoteWon: "won", VoteLost: "lost", VotePending: "pending" }[expected]);
  });

  it("are all there", () => {
    expect([commits.length, votes.length]).toEqual([50, 39]);
  });
});

/** `cfgj=zero` is an empty outgoing half. Values are listed for the incoming voters, then for those only outgoing. */
function halvesOf(command: string): { voters: string[]; outgoing: string[]; everyone: string[] } {
  const voters = listOf(command, "cfg");
  const outgoing = listOf(command, "cfgj");
  return { voters, outgoing, everyone: [...new Set([...voters, ...outgoing])] };
}

/** `cfg=(1, 2)` is ["1", "2"]. */
function listOf(command: string, name: string): string[] {
  const inside = new RegExp(`${name}=\\(([^)]*)\\)`).exec(command)?.[1] ?? "";
  return inside.split(",").flatMap((word) => (word.trim() === "" ? [] : [word.trim()]));
}

/** `_` is a voter of whom nothing is known. */
function byVoter<T>(
  voters: readonly string[],
  words: readonly string[],
  read: (word: string) => T,
): Map<string, T> {
  const known = new Map<string, T>();
  voters.forEach((voter, at) => {
    const word = words[at];
    if (word !== undefined && word !== "_") known.set(voter, read(word));
  });
  return known;
}
