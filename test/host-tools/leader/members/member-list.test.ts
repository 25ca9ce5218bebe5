import { describe, expect, it } from "vitest";
import { listMembers } from "../../../../host-tools/leader/members/member-list.ts";
import type { HostMemberStatus } from "../../../../host-tools/leader/raft/host-member-types.ts";
import { sampleBoard, sampleHost } from "../../cli/live-view/sample-status.ts";

const hosts = [sampleHost("a"), sampleHost("b")];
const hostIds = ["a.00000001", "b.00000001"];

/** Host a leads, and hears of those whose ids are `answering`. */
function replica(voters: readonly string[], answering: readonly string[]): HostMemberStatus {
  return {
    id: "a.00000001",
    role: "leader",
    term: 2,
    leaderId: "a.00000001",
    firstIndex: 1,
    lastIndex: 9,
    commitIndex: 9,
    appliedIndex: 9,
    snapshotIndex: 0,
    commandsFloor: 0,
    configuration: { voters, outgoing: [], learners: [], learnersNext: [], autoLeave: false },
    voters,
    voterNames: undefined,
    transferringTo: undefined,
    members: answering.map((id) => ({
      ...{ id, isVoter: voters.includes(id), listens: true },
      ...{ matchIndex: 9, appliedIndex: 9, silentMs: 10 },
    })),
  };
}

describe("what is advised on the voters", () => {
  const boards = [sampleBoard("n1"), sampleBoard("n2")];
  const voterNames = ["n1", "n2"];
  const boardIds = boards.map(({ memberId }) => memberId!);

  it("is said of the future while those who are to vote don't yet: the group as it is has its quorum", () => {
    const list = listMembers({ replica: replica(hostIds, ["b.00000001"]), hosts, boards, voterNames });
    expect(list).toMatchObject({ answering: 2, quorum: 2, spare: 0 });
    expect(list.advice).toMatch(
      /^Once all vote that are to, there would be no quorum: 2 of the 4 voters \(a, b, n1, n2\) answer/,
    );
  });

  it("is said of the present once they vote", () => {
    const voters = [...hostIds, ...boardIds];
    const silent = replica(voters, ["b.00000001"]);
    expect(listMembers({ replica: silent, hosts, boards, voterNames }).advice).toMatch(
      /^There is no quorum: 2 of the 4 voters \(a, b, n1, n2\) answer/,
    );
    const well = replica(voters, ["b.00000001", ...boardIds]);
    expect(listMembers({ replica: well, hosts, boards, voterNames }).advice).toMatch(/^There are 4 voters/);
  });
});
