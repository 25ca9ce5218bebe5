import { describe, expect, it } from "vitest";
import {
  adviceOnDefinition,
  judgeVoters,
  type NamedMember,
} from "../../../../host-tools/leader/members/voter-advice.ts";

/** `a` and `b` are hosts; a name with `!` after it does not answer. */
function members(text: string): NamedMember[] {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => {
      const name = word.replace("!", "");
      return { name, kind: ["a", "b", "c"].includes(name) ? "host" : "board", answers: name === word };
    });
}

const judged = (voters: string, others = "") => judgeVoters(members(voters), members(others));

describe("a set of voters", () => {
  it.each([
    ["a", ""],
    ["a n1 n2", "n3"],
    ["a b n1", "n2 n3"],
    ["a b c", "n1"],
    ["a b n1 n2 n3", ""],
    ["a b n1 n2 n3!", "n4!"],
  ])("%s is sound (others: %s)", (voters, others) => {
    expect(judged(voters, others)).toEqual({ refusal: undefined, warning: undefined, better: undefined });
  });

  it("without a living majority is refused, with who is silent", () => {
    const { refusal, better } = judged("a b! n1!", "n2");
    expect(refusal).toBe(
      "That would leave no quorum: 1 of the 3 voters (a, b, n1) answer at the moment, 2 must; b and n1 do not.",
    );
    expect(better).toEqual(["n2"]);
  });

  it("beyond nine is refused", () => {
    expect(judged("a b c n1 n2 n3 n4 n5 n6 n7").refusal).toBe(
      "10 voters are too many: at most 9 vote, hosts included.",
    );
  });

  it("of two is unwise: one alone is better, three are best", () => {
    expect(judged("a n1")).toMatchObject({
      warning: "That makes 2 voters (a, n1): the loss of either stops the swarm.",
      better: [],
    });
    expect(judged("a n1", "n2! n3").better).toEqual(["n1", "n3"]);
    expect(judged("a b", "n1").better).toEqual(["n1"]);
  });

  it("of two hosts without any board is as it is", () => {
    expect(judged("a b").warning).toBeUndefined();
  });

  it("that is even is unwise, and one more or one less is suggested", () => {
    const { warning, better } = judged("a b n1 n2", "n3");
    expect(warning).toBe(
      "That makes 4 voters (a, b, n1, n2): they survive the loss of 1, as 3 do, and are one more that can fail.",
    );
    expect(better).toEqual(["n1", "n2", "n3"]);
    expect(judged("a b n1 n2").better).toEqual(["n1"]);
    expect(judged("a b n1! n2").better).toEqual(["n2"]);
  });

  it("that stands on its last leg is unwise where another board could take over", () => {
    expect(judged("a n1 n2!", "n3")).toMatchObject({
      warning: "Of 3 voters only a majority answers (n2 is silent): one more lost stops the swarm.",
      better: ["n1", "n3"],
    });
    expect(judged("a n1 n2!").warning).toBeUndefined();
  });
});

describe("the voters of a swarm.ts", () => {
  it.each([
    [["a"], []],
    [["a"], ["n1", "n2"]],
    [["a", "b"], ["n1"]],
    [["a", "b", "c"], []],
  ])("%j with %j are well chosen", (hosts, voters) => {
    expect(adviceOnDefinition(hosts, voters)).toBeUndefined();
  });

  it.each([
    [
      ["a"],
      ["n1"],
      "swarm.ts names 1 host and 1 voting board: the loss of either stops the swarm. Name none or 2 to vote.",
    ],
    [
      ["a", "b"],
      [],
      "swarm.ts names 2 hosts and no voting boards: the loss of either stops the swarm. Name 1 to vote.",
    ],
    [
      ["a", "b"],
      ["n1", "n2"],
      "swarm.ts names 2 hosts and 2 voting boards: 4 voters survive the loss of 1, as 3 do, and are one more that can fail. Name 1 or 3 to vote.",
    ],
  ])("%j with %j are not", (hosts, voters, advice) => {
    expect(adviceOnDefinition(hosts, voters)).toBe(advice);
  });
});
