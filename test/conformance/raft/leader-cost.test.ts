import { describe, expect, it } from "vitest";
import { growth, learnerCounts, measureLeaderCost, votingBoards } from "../../../bench/raft/leader-cost.ts";

describe("A committed entry is published once (design, point 12)", () => {
  it("costs the leader the same with 100 learners as with one", () => {
    const costs = learnerCounts.map((learners) => measureLeaderCost(learners));
    for (const { entriesEncoded, publishes } of costs) {
      expect({ entriesEncoded, publishes }).toEqual({
        entriesEncoded: 1 + votingBoards,
        publishes: 1 + votingBoards,
      });
    }
    expect(growth(costs)).toBeLessThanOrEqual(1.2);
  });

  it("tells each member once what is committed, and no more", () => {
    expect(measureLeaderCost(10).confirmations).toBe(votingBoards + 10);
  });
});
