import { beforeEach, describe, expect, it } from "vitest";
import { Follower } from "../../../protocols/raft/follower.ts";
import type {
  AppendRequest,
  Entry,
  Message,
  RaftOutput,
  VoteRequest,
} from "../../../protocols/raft/types.ts";
import { Disk } from "./group/disk.ts";

const id = "n.1";
const impatient = { leaderHeardMs: -Infinity, leaderSilenceMs: 0 };

describe("a follower", () => {
  let disk: Disk;
  let follower: Follower;
  let nowMs: number;

  beforeEach(() => {
    disk = new Disk();
    nowMs = 0;
    follower = new Follower({ id, hardState: disk.hardState, log: disk, commitIndex: 0, ...impatient });
  });

  function step(message: Message): RaftOutput {
    const output = follower.step(message, nowMs);
    disk.write(output);
    return output;
  }

  function termsInLog(): number[] {
    return disk.entries.map((entry) => entry.term);
  }

  describe("asked for its vote (5.2, 5.4.1)", () => {
    it("gives one vote a term, and the same again when asked again", () => {
      const first = step(voteRequest({ from: "a", term: 2 }));
      expect(first.hardState).toEqual({ term: 2, vote: "a" });
      expect(first.messages).toMatchObject([{ type: "vote-response", to: "a", term: 2, granted: true }]);

      expect(step(voteRequest({ from: "b", term: 2 })).messages).toMatchObject([{ granted: false }]);

      const again = step(voteRequest({ from: "a", term: 2 }));
      expect(again.messages).toMatchObject([{ granted: true }]);
      expect(again.hardState).toBeUndefined();
    });

    it("keeps its vote over a restart", () => {
      step(voteRequest({ from: "a", term: 2 }));
      disk.sync();
      disk.crash();
      follower = new Follower({ id, hardState: disk.hardState, log: disk, commitIndex: 0, ...impatient });
      expect(step(voteRequest({ from: "b", term: 2 })).messages).toMatchObject([{ granted: false }]);
    });

    it("refuses an earlier term and names its own", () => {
      step(voteRequest({ from: "a", term: 5 }));
      const late = step(voteRequest({ from: "b", term: 4 }));
      expect(late.messages).toMatchObject([{ granted: false, term: 5 }]);
      expect(late.hardState).toBeUndefined();
    });

    it.each([
      { lastLogTerm: 1, lastLogIndex: 9, granted: false, why: "an earlier last term, however long" },
      { lastLogTerm: 2, lastLogIndex: 1, granted: false, why: "the same last term but shorter" },
      { lastLogTerm: 2, lastLogIndex: 2, granted: true, why: "the same log" },
      { lastLogTerm: 3, lastLogIndex: 1, granted: true, why: "a later last term, however short" },
    ])("answers $granted to $why", ({ lastLogTerm, lastLogIndex, granted }) => {
      step(append({ term: 2, entries: [entry(1, 1), entry(2, 2)] }));
      const output = step(voteRequest({ from: "b", term: 4, lastLogTerm, lastLogIndex }));
      expect(output.messages).toMatchObject([{ granted }]);
      // The later term is entered either way.
      expect(output.hardState).toEqual({ term: 4, vote: granted ? "b" : undefined });
    });
  });

  describe("asked whether it would vote (thesis 9.6)", () => {
    it("says so, and gives nothing and enters no term by it", () => {
      const output = step(voteRequest({ term: 7, purpose: "pre-vote" }));
      expect(output).toMatchObject({
        hardState: undefined,
        messages: [{ term: 7, granted: true, isPreVote: true }],
      });
      expect(follower).toMatchObject({ term: 0, vote: undefined });
      expect(step(voteRequest({ from: "b", term: 7 })).messages).toMatchObject([
        { granted: true, isPreVote: false },
      ]);
    });

    it("would not for an older log, nor for a term that it is in already, which it names", () => {
      step(append({ term: 2, entries: [entry(1, 2)] }));
      const shorter = step(voteRequest({ term: 3, purpose: "pre-vote" }));
      expect(shorter.messages).toMatchObject([{ term: 2, granted: false, isPreVote: true }]);
      const late = step(voteRequest({ term: 2, purpose: "pre-vote", lastLogIndex: 9, lastLogTerm: 2 }));
      expect(late.messages).toMatchObject([{ term: 2, granted: false }]);
    });
  });

  describe("that hears its leader (thesis 4.2.3)", () => {
    beforeEach(() => {
      follower = new Follower({
        id,
        hardState: disk.hardState,
        log: disk,
        commitIndex: 0,
        leaderHeardMs: -Infinity,
        leaderSilenceMs: 1000,
      });
      step(append({ term: 1 }));
    });

    it.each(["election", "pre-vote"] as const)(
      "ignores an %s of another until the leader was silent for long enough",
      (purpose) => {
        nowMs = 999;
        expect(step(voteRequest({ from: "b", term: 9, purpose }))).toMatchObject({
          hardState: undefined,
          messages: [],
        });
        expect(follower).toMatchObject({ term: 1, leaderId: "a" });
        nowMs = 1000;
        expect(step(voteRequest({ from: "b", term: 9, purpose })).messages).toMatchObject([
          { granted: true },
        ]);
      },
    );

    it("votes for the one that the leader passes its place to, and for the leader itself, which leads no more when it asks", () => {
      expect(step(voteRequest({ from: "a", term: 2 })).messages).toMatchObject([{ granted: true }]);
      expect(step(voteRequest({ from: "b", term: 3, purpose: "transfer" })).messages).toMatchObject([
        { granted: true },
      ]);
    });

    it("does not forget that over a restart, as it cannot know how long ago it was", () => {
      disk.sync();
      disk.crash();
      follower = new Follower({
        id,
        hardState: disk.hardState,
        log: disk,
        commitIndex: 0,
        leaderHeardMs: 5000,
        leaderSilenceMs: 1000,
      });
      nowMs = 5999;
      expect(step(voteRequest({ from: "b", term: 9 })).messages).toEqual([]);
      nowMs = 6000;
      expect(step(voteRequest({ from: "b", term: 9 })).messages).toMatchObject([{ granted: true }]);
    });
  });

  it("sends the round of a read back, whether it takes the entries or not (thesis 6.4)", () => {
    expect(step(append({ term: 1, readRound: 3 })).messages).toMatchObject([{ success: true, readRound: 3 }]);
    expect(step(append({ term: 1, readRound: 4, prevLogIndex: 5, prevLogTerm: 1 })).messages).toMatchObject([
      { success: false, readRound: 4 },
    ]);
  });

  describe("sent entries (5.3)", () => {
    it("keeps them and says how far it matches", () => {
      const output = step(append({ term: 1, entries: [entry(1, 1), entry(2, 1)], commitIndex: 1 }));
      expect(output).toMatchObject({
        truncateFrom: 0,
        commitIndex: 1,
        hardState: { term: 1, vote: undefined },
      });
      expect(output.entries).toHaveLength(2);
      expect(output.messages).toMatchObject([{ success: true, matchIndex: 2 }]);
      expect(follower.leaderId).toBe("a");
    });

    it("changes nothing when it hears them again", () => {
      step(append({ term: 1, entries: [entry(1, 1), entry(2, 1)] }));
      const again = step(append({ term: 1, entries: [entry(1, 1)] }));
      expect(again).toMatchObject({ truncateFrom: 0, entries: [], hardState: undefined });
      expect(again.messages).toMatchObject([{ success: true, matchIndex: 1 }]);
      expect(termsInLog()).toEqual([1, 1]);
    });

    it("appends only what is new of an overlapping append", () => {
      step(append({ term: 1, entries: [entry(1, 1), entry(2, 1)] }));
      const output = step(
        append({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 1), entry(3, 1)] }),
      );
      expect(output.entries.map((each) => each.index)).toEqual([3]);
      expect(output.messages).toMatchObject([{ success: true, matchIndex: 3 }]);
    });

    it("drops what conflicts, and all after it", () => {
      step(append({ term: 1, entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }));
      const output = step(
        append({ from: "b", term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 2)] }),
      );
      expect(output.truncateFrom).toBe(2);
      expect(termsInLog()).toEqual([1, 2]);
    });

    it("refuses what does not follow, and proposes the end of its log", () => {
      step(append({ term: 1, entries: [entry(1, 1)] }));
      const output = step(append({ term: 1, prevLogIndex: 7, prevLogTerm: 1 }));
      expect(output.messages).toMatchObject([{ success: false, matchIndex: 1 }]);
      expect(output.violation).toBeUndefined();
    });

    it("proposes the place before the whole conflicting term, but never before what is committed", () => {
      const terms = [1, 1, 2, 2, 2];
      step(append({ term: 2, entries: terms.map((term, at) => entry(at + 1, term)), commitIndex: 1 }));
      const inTerm2 = step(append({ from: "b", term: 4, prevLogIndex: 5, prevLogTerm: 3 }));
      expect(inTerm2.messages).toMatchObject([{ success: false, matchIndex: 2 }]);
      const allLater = step(append({ from: "b", term: 4, prevLogIndex: 5, prevLogTerm: 0 }));
      expect(allLater.messages).toMatchObject([{ success: false, matchIndex: 1 }]);
    });

    it("commits no further than it is known to match", () => {
      step(append({ term: 1, entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }));
      // A later leader knows 3 to be committed; that ours of index 2 and 3 are the same is not known yet.
      const output = step(
        append({ from: "b", term: 2, prevLogIndex: 1, prevLogTerm: 1, commitIndex: 3, ...impatient }),
      );
      expect(output.commitIndex).toBe(1);
    });

    it("never lowers its commit index", () => {
      step(append({ term: 1, entries: [entry(1, 1), entry(2, 1)], commitIndex: 2 }));
      const late = step(append({ term: 1, entries: [entry(1, 1)], commitIndex: 1 }));
      expect(late.commitIndex).toBe(2);
      expect(late.messages).toMatchObject([{ success: true, matchIndex: 2 }]);
    });

    it("refuses a leader of an earlier term and names its own", () => {
      step(append({ term: 3 }));
      expect(step(append({ from: "b", term: 2, entries: [entry(1, 2)] })).messages).toMatchObject([
        { success: false, term: 3 },
      ]);
      expect(follower.leaderId).toBe("a");
      expect(disk.lastIndex).toBe(0);
    });
  });

  describe("told something impossible", () => {
    beforeEach(() => {
      step(append({ term: 1, entries: [entry(1, 1), entry(2, 1)], commitIndex: 2 }));
    });

    it.each([
      ["another entry in a committed place", append({ term: 1, entries: [entry(1, 1), entry(2, 0)] })],
      ["another term before committed entries", append({ term: 1, prevLogIndex: 1, prevLogTerm: 9 })],
      ["a second leader of the term", append({ from: "b", term: 1 })],
    ])("refuses %s, reports it, and loses nothing", (_, message) => {
      const output = step(message);
      expect(output.violation).toMatch(/\.$/);
      expect(output).toMatchObject({ truncateFrom: 0, entries: [], commitIndex: 2 });
      expect(output.messages).toMatchObject([{ success: false, matchIndex: 2 }]);
      expect(termsInLog()).toEqual([1, 1]);
    });

    it("is silent about what is meant for an earlier incarnation", () => {
      const output = step({ ...append({ term: 9 }), to: "n.0" });
      expect(output).toMatchObject({ messages: [], hardState: undefined });
      expect(follower.term).toBe(1);
    });

    it("does not start with a log that ends before its commit index", () => {
      const hardState = { term: 1, vote: undefined };
      expect(() => new Follower({ id, hardState, log: disk, commitIndex: 3, ...impatient })).toThrow(
        RangeError,
      );
    });
  });

  it("reports in its answer what was applied before the answer is sent", () => {
    const output = step(append({ term: 1, entries: [entry(1, 1)], commitIndex: 1 }));
    expect(output.messages).toMatchObject([{ appliedIndex: 0 }]);
    follower.setApplied(1);
    expect(output.messages).toMatchObject([{ appliedIndex: 1 }]);
  });

  it("matches a log whose committed beginning was compacted away", () => {
    const log = { firstIndex: 5, lastIndex: 6, termAt: (index: number) => ({ 4: 1, 5: 1, 6: 2 })[index] };
    follower = new Follower({
      id,
      hardState: { term: 2, vote: undefined },
      log,
      commitIndex: 5,
      ...impatient,
    });
    const output = follower.step(
      append({
        term: 2,
        prevLogIndex: 2,
        prevLogTerm: 1,
        entries: [3, 4, 5].map((index) => entry(index, 1)),
      }),
      0,
    );
    expect(output).toMatchObject({ violation: undefined, entries: [] });
    expect(output.messages).toMatchObject([{ success: true, matchIndex: 5 }]);
  });
});

function entry(index: number, term: number): Entry {
  return { index, term, kind: 1, version: 1, data: Uint8Array.of(index) };
}

function append(part: Partial<AppendRequest>): AppendRequest {
  const heartbeat = {
    type: "append-request",
    from: "a",
    to: id,
    term: 1,
    prevLogIndex: 0,
    prevLogTerm: 0,
  } as const;
  return { ...heartbeat, commitIndex: 0, readRound: 0, entries: [], ...part };
}

function voteRequest(part: Partial<VoteRequest>): VoteRequest {
  const place = { lastLogIndex: 0, lastLogTerm: 0, purpose: "election" } as const;
  return { type: "vote-request", from: "a", to: id, term: 1, ...place, ...part };
}
