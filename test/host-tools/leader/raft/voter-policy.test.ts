import { describe, expect, it } from "vitest";
import type { VoterView } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { nameOf, nextVoters } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { Progress } from "../../../../protocols/raft/progress.ts";

describe("who votes next", () => {
  it("nobody new, when all named boards vote", () => {
    expect(
      nextVoters(view({ voters: ["h.1", "n.1"], members: { "n.1": alive, "w.1": alive } })),
    ).toBeUndefined();
  });

  it("a named board, one at a time, once it has caught up", () => {
    expect(
      nextVoters(view({ members: { "n.1": behind, "s.1": alive, "e.1": alive, "w.1": alive } })),
    ).toEqual(["h.1", "s.1"]);
  });

  it("not a board that was never heard, or not of late", () => {
    expect(nextVoters(view({ members: { "n.1": unheard, "s.1": silent } }))).toBeUndefined();
  });

  it("the new id of a board in place of its old one, once it has caught up", () => {
    const voters = ["h.1", "n.1", "s.1"];
    const early = { "n.1": silent, "n.2": behind, "s.1": alive };
    expect(nextVoters(view({ voters, members: early }))).toBeUndefined();
    const members = { "n.1": silent, "n.2": alive, "s.1": alive };
    expect(nextVoters(view({ voters, members }))).toEqual(["h.1", "s.1", "n.2"]);
  });

  it("removes the old id even where its vote was needed for a majority", () => {
    expect(nextVoters(view({ voters: ["h.1", "n.1"], members: { "n.1": silent, "n.2": alive } }))).toEqual([
      "h.1",
    ]);
    expect(nextVoters(view({ voters: ["h.1"], members: { "n.2": alive } }))).toEqual(["h.1", "n.2"]);
  });

  it("both of two living boards of one name keep what they have", () => {
    const members = { "n.1": alive, "n.2": alive };
    expect(nextVoters(view({ voters: ["h.1", "n.1"], members }))).toBeUndefined();
  });

  it("a voter out of reach is left alone", () => {
    const members = { "n.1": silent, "s.1": alive };
    expect(nextVoters(view({ voters: ["h.1", "n.1", "s.1"], members }))).toBeUndefined();
  });

  it("without a board that is not named any more", () => {
    const members = { "x.1": alive, "n.1": alive, "g.1": alive };
    const settled = { ...view({ voters: ["h.1", "g.1", "x.1", "n.1"], members }), voterNames: ["n"] };
    expect(nextVoters(settled)).toEqual(["h.1", "g.1", "n.1"]);
  });

  it("a board that is not named any more, as long as it lives and somebody who is named is not there", () => {
    const voters = ["h.1", "x.1", "n.1"];
    expect(nextVoters(view({ voters, members: { "x.1": alive, "n.1": alive } }))).toBeUndefined();
    const dead = { "x.1": silent, "n.1": alive };
    expect(nextVoters(view({ voters, members: dead }))).toEqual(["h.1", "n.1"]);
  });

  it("whoever is named instead, in one change with who is not named any more", () => {
    const voters = ["h.1", "x.1", "n.1"];
    const early = { "x.1": silent, "n.1": alive, "s.1": behind };
    expect(nextVoters(view({ voters, members: early }))).toBeUndefined();
    const members = { "x.1": silent, "n.1": alive, "s.1": alive };
    expect(nextVoters(view({ voters, members }))).toEqual(["h.1", "n.1", "s.1"]);
  });

  it("never leaves a group without a living majority", () => {
    // Without x the majority is two of three, and only the host lives.
    const removal = { "x.1": alive, "n.1": silent, "s.1": silent };
    expect(nextVoters(view({ voters: ["h.1", "x.1", "n.1", "s.1"], members: removal }))).toBeUndefined();
    // With e it would be three of four, and two live.
    const promotion = { "n.1": silent, "s.1": silent, "e.1": alive };
    expect(nextVoters(view({ voters: ["h.1", "n.1", "s.1"], members: promotion }))).toBeUndefined();
  });

  it("every host of the swarm, once it has caught up, and its new id when it lost its disk", () => {
    expect(nextVoters(view({ members: { "g.1": alive } }))).toEqual(["h.1", "g.1"]);
    expect(nextVoters(view({ members: { "g.1": behind } }))).toBeUndefined();
    const voters = ["h.1", "g.1", "n.1"];
    const members = { "g.1": silent, "g.2": alive, "n.1": alive };
    expect(nextVoters(view({ voters, members }))).toEqual(["h.1", "n.1", "g.2"]);
  });

  it("without a host that the swarm does not have any more", () => {
    const members = { "old.1": alive, "g.1": alive };
    const boardless = { ...view({ voters: ["h.1", "g.1", "old.1"], members }), voterNames: [] };
    expect(nextVoters(boardless)).toEqual(["h.1", "g.1"]);
  });

  it("boards stay as they are while nobody has said which ought to vote", () => {
    const members = { "x.1": alive, "n.1": alive };
    const unsaid = { ...view({ voters: ["h.1", "x.1"], members }), voterNames: undefined };
    expect(nextVoters(unsaid)).toBeUndefined();
    const returned = { "x.1": silent, "x.2": alive, "n.1": alive };
    const voters = ["h.1", "x.1", "n.1"];
    expect(nextVoters({ ...view({ voters, members: returned }), voterNames: undefined })).toEqual([
      "h.1",
      "n.1",
      "x.2",
    ]);
  });

  it("a member is named by what stands before its last dot", () => {
    expect([nameOf("north-1.5f3a90c2"), nameOf("a.b.1"), nameOf("bare")]).toEqual(["north-1", "a.b", "bare"]);
  });
});

const nowMs = 10_000;
const alive = { heardMs: nowMs - 100, matchIndex: 7 };
const behind = { heardMs: nowMs - 100, matchIndex: 6 };
const silent = { heardMs: nowMs - 2_001, matchIndex: 7 };
const unheard = { heardMs: undefined, matchIndex: 7 };

function view(part: {
  voters?: readonly string[];
  members: Record<string, { heardMs: number | undefined; matchIndex: number }>;
}): VoterView {
  const members = new Map(
    Object.entries(part.members).map(([id, facts]) => [id, Object.assign(new Progress(1), facts)] as const),
  );
  return {
    self: "h.1",
    voters: part.voters ?? ["h.1"],
    members,
    commitIndex: 7,
    hostNames: ["h", "g"],
    voterNames: ["n", "s", "e"],
    nowMs,
    aliveMs: 2_000,
  };
}
