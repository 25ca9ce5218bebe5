import { beforeEach, describe, expect, it } from "vitest";
import { emptyChain } from "../../../protocols/raft/chain.ts";
import {
  EntryTooLarge,
  NotLeader,
  ProposalQueueFull,
  TransferRefused,
} from "../../../protocols/raft/errors.ts";
import { Node } from "../../../protocols/raft/node.ts";
import { membersMax, type NodeOptions, uncommittedEntriesMax } from "../../../protocols/raft/node-options.ts";
import type { Entry, Message, RaftOutput } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { Disk, sha256 } from "./group/disk.ts";
import { foundingEntry } from "./group/member.ts";

const timing = { heartbeatMs: 250, electionMinMs: 1000, electionMaxMs: 2000 };
const vote = { from: "b", to: "a", term: 2, lastLogIndex: 9, lastLogTerm: 1, purpose: "election" } as const;

describe("a host's core", () => {
  let disk: Disk;
  let patience: number;

  beforeEach(() => {
    disk = new Disk();
    patience = 0.5;
  });

  /** A host `a`, with the given voters in its first entry. */
  function nodeAmong(...voters: string[]): Node {
    return started(foundingEntry(voters), { preVote: false, checkQuorum: false });
  }

  function started(entries: Entry | readonly Entry[], options: Partial<NodeOptions> = {}): Node {
    disk.write({
      hardState: { term: 1, vote: undefined },
      truncateFrom: 0,
      entries: [entries].flat(),
      snapshot: undefined,
    });
    return new Node({
      id: "a",
      hardState: disk.hardState,
      log: disk,
      sha256,
      commitIndex: 0,
      timing,
      random: () => patience,
      nowMs: 0,
      ...options,
    });
  }

  /** Carries out an output, and what making it durable brings. */
  function perform(node: Node, output: RaftOutput): Message[] {
    disk.write(output);
    const messages = [...output.messages];
    if (output.entries.length > 0) {
      const { index, term } = output.entries.at(-1)!;
      messages.push(...perform(node, node.persisted(index, term)));
    }
    return messages;
  }

  describe("waiting for a leader (5.2)", () => {
    it.each([0, 0.25, 0.999])("campaigns after a time drawn between the two limits: %s", (draw) => {
      patience = draw;
      const node = nodeAmong("a", "b");
      const timeoutMs = 1000 + Math.floor(draw * 1000);
      expect(node.deadlineMs).toBe(timeoutMs);
      node.tick(timeoutMs - 1);
      expect(node.role).toBe("follower");
      node.tick(timeoutMs);
      expect(node).toMatchObject({ role: "candidate", term: 2, vote: "a" });
    });

    it("starts to wait anew when it hears the leader or gives its vote", () => {
      const node = nodeAmong("a", "b");
      node.step({ type: "vote-request", ...vote }, 600);
      expect(node).toMatchObject({ vote: "b", deadlineMs: 2100 });
      node.step({ type: "append-request", from: "b", to: "a", term: 2, ...emptyAppend }, 900);
      expect(node).toMatchObject({ leaderId: "b", deadlineMs: 2400 });
    });

    it("does not wait longer for a candidate that it refuses, or a leader of an earlier term", () => {
      const node = nodeAmong("a", "b");
      node.step({ type: "vote-request", ...vote, term: 5, lastLogIndex: 0, lastLogTerm: 0 }, 600);
      node.step({ type: "append-request", from: "b", to: "a", term: 4, ...emptyAppend }, 700);
      expect(node).toMatchObject({ term: 5, deadlineMs: 1500 });
    });

    it("never campaigns when it has no vote itself", () => {
      const node = nodeAmong("b", "c");
      expect(node.tick(10_000)).toMatchObject({ hardState: undefined, messages: [] });
      expect(node).toMatchObject({ role: "follower", term: 1 });
    });

    it("ignores votes from an earlier campaign and from those who do not vote", () => {
      const node = nodeAmong("a", "b", "c");
      perform(node, node.campaign(0));
      perform(node, node.campaign(0));
      node.step({ ...granted, from: "b", term: 2 }, 0);
      node.step({ ...granted, from: "w", term: 3 }, 0);
      expect(node.role).toBe("candidate");
      node.step({ ...granted, from: "b", term: 3 }, 0);
      expect(node.role).toBe("leader");
    });

    it("asks a voter that connects during the election", () => {
      const node = nodeAmong("a", "n");
      perform(node, node.campaign(0));
      expect(node.addMember("n").messages).toMatchObject([{ type: "vote-request", to: "n", term: 2 }]);
      expect(node.addMember("w").messages).toEqual([]);
    });
  });

  describe("leading", () => {
    it("alone, commits what is durable, and not before", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      expect(node).toMatchObject({ role: "leader", commitIndex: 2 });
      const { index, term, output } = node.propose(EntryKind.put, Uint8Array.of(1));
      disk.write(output);
      expect([index, term, node.commitIndex]).toEqual([3, 2, 2]);
      expect(node.persisted(3, 2).commitIndex).toBe(3);
    });

    it("counts nothing for an entry that was overwritten while it was written", () => {
      const node = nodeAmong("a", "b");
      disk.write(node.campaign(0));
      disk.write(node.step({ ...granted, from: "b", term: 2 }, 0));
      const replaced = { index: 2, term: 3, kind: EntryKind.noop, version: 1, data: new Uint8Array(0) };
      const append = { type: "append-request", from: "b", to: "a", term: 3 } as const;
      const afterFounding = { prevLogIndex: 1, prevLogTerm: 1, prevHash: disk.hashAt(1)! };
      const output = node.step(
        { ...append, ...afterFounding, commitIndex: 0, readRound: 0, entries: [replaced] },
        0,
      );
      disk.write(output);
      expect(output.truncateFrom).toBe(2);
      node.persisted(2, 2);
      expect(node.persisted(2, 3)).toMatchObject({ messages: [], commitIndex: 0 });
    });

    it("steps down for a later term and sends its clients elsewhere", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      const output = node.step({ type: "append-request", from: "b", to: "a", term: 9, ...emptyAppend }, 50);
      expect(output.hardState).toEqual({ term: 9, vote: undefined });
      expect(node).toMatchObject({ role: "follower", leaderId: "b", deadlineMs: 1550 });
      expect(() => node.propose(EntryKind.put, new Uint8Array(1))).toThrow(NotLeader);
    });

    it("reports another leader of its own term, and stays", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      const output = node.step({ type: "append-request", from: "b", to: "a", term: 2, ...emptyAppend }, 0);
      expect(output.violation).toContain("b claims to lead term 2, which a leads");
      expect(node.role).toBe("leader");
    });

    it("reports a member that claims more than the log holds, and believes nothing of it", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      node.addMember("w");
      const output = node.step({ ...accepted("w", 2), matchIndex: 99 }, 0);
      expect(output.violation).toContain("w claims entry 99");
      expect(node.members.get("w")!.matchIndex).toBe(0);
    });

    it("speaks every 250 ms and in between only of news", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      perform(node, node.addMember("w"));
      expect(node.step(accepted("w", 2), 0).messages).toEqual([]);
      expect(node.tick(249).messages).toEqual([]);
      expect(node.tick(250).messages).toHaveLength(1);
      expect(node.deadlineMs).toBe(500);
    });

    it("does not answer a refusal that tells it nothing new", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      perform(node, node.addMember("w"));
      const refusal = { ...accepted("w", 0), success: false } as const;
      expect(node.step(refusal, 0).messages).toMatchObject([{ prevLogIndex: 0 }]);
      expect(node.step(refusal, 0).messages).toEqual([]);
    });

    // Seed 2910 of the simulation: the member's conflicting term began before the match, and it was never heard node.
    it("goes on after the match when a refusal proposes a place before it", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      perform(node, node.addMember("w"));
      node.step(accepted("w", 2), 0);
      perform(node, node.propose(EntryKind.put, new Uint8Array(8)).output);
      const refusal = { ...accepted("w", 1), success: false } as const;
      expect(node.step(refusal, 0).messages).toMatchObject([{ prevLogIndex: 2, entries: { length: 1 } }]);
    });

    it("has at most four appends on the way to a member", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      perform(node, node.addMember("w"));
      node.step(accepted("w", 2), 0);
      const sent = Array.from({ length: 9 }, () => {
        return perform(node, node.propose(EntryKind.put, new Uint8Array(8)).output).length;
      });
      expect(sent).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0]);
      const next = node.step(accepted("w", 3), 0).messages;
      expect(next).toMatchObject([{ prevLogIndex: 6, entries: { length: 5 } }]);
    });

    it("puts no more than 2,048 bytes of data into an append", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      for (let i = 0; i < 3; i++) perform(node, node.propose(EntryKind.put, new Uint8Array(900)).output);
      perform(node, node.addMember("w"));
      const messages = node.step({ ...accepted("w", 2) }, 0).messages;
      expect(messages.map((m) => (m.type === "append-request" ? m.entries.length : 0))).toEqual([2, 1]);
    });

    it("forgets a learner that disconnects, and keeps a voter", () => {
      const node = nodeAmong("a", "n");
      perform(node, node.campaign(0));
      perform(node, node.step({ ...granted, from: "n", term: 2 }, 0));
      node.addMember("w");
      node.removeMember("w");
      node.removeMember("n");
      expect([...node.members.keys()]).toEqual(["n"]);
    });
  });

  describe("asked for a read (thesis 6.4)", () => {
    function leaderOf3(): Node {
      const node = nodeAmong("a", "b", "c");
      perform(node, node.campaign(0));
      perform(node, node.step({ ...granted, from: "b", term: 2 }, 0));
      return node;
    }

    it("answers at its first own entry while it does not know how far the log is committed", () => {
      const node = leaderOf3();
      expect(node.read(0)).toMatchObject({ term: 2, round: 1, index: 2 });
      expect(node.commitIndex).toBe(0);
    });

    it("counts only answers to what it sent after it was asked", () => {
      const node = leaderOf3();
      perform(node, node.read(0).output);
      node.step({ ...accepted("b", 2), readRound: 0 }, 0);
      expect(node.confirmedRound).toBe(0);
      node.step({ ...accepted("b", 2), readRound: 1 }, 0);
      expect(node.confirmedRound).toBe(1);
      node.step({ ...accepted("c", 2), readRound: 9 }, 0);
      expect(node.confirmedRound).toBe(1);
    });

    it("lets all that are asked for during a round share the next, which begins when the round is over", () => {
      const node = leaderOf3();
      expect(perform(node, node.read(0).output)).toHaveLength(2);
      const later = [node.read(0), node.read(0), node.read(0)];
      expect(later.map((read) => [read.round, read.output.messages.length])).toEqual(Array(3).fill([2, 0]));
      const { messages } = node.step({ ...accepted("b", 2), readRound: 1 }, 0);
      expect(messages.filter((m) => m.type === "append-request" && m.readRound === 2)).toHaveLength(2);
    });

    it("says the round again with each heartbeat, as it may have been lost", () => {
      const node = leaderOf3();
      perform(node, node.read(0).output);
      node.read(0);
      expect(node.tick(250).messages).toMatchObject([{ readRound: 2 }, { readRound: 2 }]);
    });
  });

  it("keeps its term when it is told too late that it would have been elected", () => {
    const node = started(foundingEntry(["a", "b", "c"]));
    perform(node, node.campaign(0));
    node.step({ type: "append-request", from: "b", to: "a", term: 1, ...emptyAppend }, 0);
    node.step({ ...granted, isPreVote: true, from: "b", term: 2 }, 0);
    expect(node).toMatchObject({ role: "follower", term: 1, leaderId: "b" });
  });

  describe("refuses", () => {
    it("a proposal beyond the limit of an entry", () => {
      const node = nodeAmong("a");
      perform(node, node.campaign(0));
      expect(() => node.propose(EntryKind.put, new Uint8Array(1025))).toThrow(EntryTooLarge);
      expect(node.propose(EntryKind.put, new Uint8Array(1024)).index).toBe(3);
    });

    it(`a proposal when ${uncommittedEntriesMax} wait for a majority`, () => {
      const node = nodeAmong("a");
      disk.write(node.campaign(0));
      for (let i = disk.lastIndex; i < uncommittedEntriesMax; i++) {
        disk.write(node.propose(EntryKind.put, new Uint8Array(1)).output);
      }
      expect(() => node.propose(EntryKind.put, new Uint8Array(1))).toThrow(ProposalQueueFull);
    });

    it(`the member after the ${membersMax}th`, () => {
      const node = nodeAmong("a");
      for (let i = 0; i < membersMax; i++) node.addMember(`w${i}`);
      expect(() => node.addMember("one-more")).toThrow(RangeError);
    });
  });

  describe("who may lead", () => {
    const isHost = (id: string) => id === "a" || id === "b";

    it("is a host: leadership does not pass to a board, and one host must vote", () => {
      const node = started(foundingEntry(["a", "b", "n"]), { preVote: false, isHost });
      perform(node, node.campaign(0));
      perform(node, node.step({ ...granted, from: "b", term: 2 }, 0));
      perform(node, node.step(accepted("b", 2), 0));
      expect(() => node.transfer("n", 0)).toThrow(TransferRefused);
      const changes = ["a", "b"].map((id) => ({ kind: "remove", id }) as const);
      expect(() => node.change(changes)).toThrow("keep one host");
      expect(node.transfer("b", 0).messages).toMatchObject([{ type: "timeout-now", to: "b" }]);
    });

    it("is also one whose removal is not known to be committed; its own vote does not count (thesis 4.2.2)", () => {
      const removal = { ...foundingEntry(["b", "n"]), index: 2 };
      const node = started([foundingEntry(["a", "b"]), removal], { preVote: false });
      const asked = perform(node, node.campaign(0)).map(({ to }) => to);
      expect(asked).toEqual(["b", "n"]);
      perform(node, node.step({ ...granted, from: "b", term: 2 }, 0));
      expect(node.role).toBe("candidate");
      perform(node, node.step({ ...granted, from: "n", term: 2 }, 0));
      expect(node.role).toBe("leader");
      perform(node, node.step(accepted("b", 3), 0));
      perform(node, node.step(accepted("n", 3), 0));
      expect(node).toMatchObject({ role: "follower", commitIndex: 3 });
      perform(node, node.campaign(10_000));
      expect(node.role).toBe("follower");
    });

    it("is a leader that is removed until a host that stays knows that it may (4.2.2)", () => {
      const node = started(foundingEntry(["a", "b", "n", "s"]), { preVote: false, isHost });
      perform(node, node.campaign(0));
      for (const from of ["n", "s"]) perform(node, node.step({ ...granted, from, term: 2 }, 0));
      for (const from of ["b", "n", "s"]) perform(node, node.step(accepted(from, 2), 0));
      perform(node, node.change([{ kind: "remove", id: "a" }]).output);
      for (const from of ["n", "s"]) perform(node, node.step(accepted(from, 3), 0));
      expect(node).toMatchObject({ role: "leader", commitIndex: 3 });
      perform(node, node.step(accepted("b", 3), 0));
      expect(node.role).toBe("follower");
    });
  });

  it("does not campaign on a membership that it cannot read", () => {
    const node = started({ ...foundingEntry(["a"]), version: 3 });
    perform(node, node.campaign(0));
    expect(node).toMatchObject({ role: "follower", term: 1, voters: [] });
  });
});

const voteResponse = { type: "vote-response", to: "a", lastLogIndex: 1, lastLogTerm: 1 } as const;
const granted = { ...voteResponse, granted: true, isPreVote: false } as const;

const beginning = { prevLogIndex: 0, prevLogTerm: 0, prevHash: emptyChain() };
const emptyAppend = { ...beginning, commitIndex: 0, readRound: 0, entries: [] };

function accepted(from: string, matchIndex: number) {
  const place = { type: "append-response", from, to: "a", term: 2 } as const;
  return { ...place, success: true, matchIndex, appliedIndex: 0, readRound: 0 } as const;
}
