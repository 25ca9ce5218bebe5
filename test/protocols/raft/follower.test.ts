import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { chainHash, emptyChain, isSameHash } from "../../../protocols/raft/chain.ts";
import { Follower, type FollowerOptions } from "../../../protocols/raft/follower.ts";
import type {
  AppendRequest,
  Entry,
  LogRequest,
  LogResponse,
  Message,
  Publication,
  RaftOutput,
  SnapshotChunk,
  SnapshotItem,
  VoteRequest,
} from "../../../protocols/raft/types.ts";
import { EntryKind, limits } from "../../../protocols/raft/types.ts";
import { Disk } from "./group/disk.ts";

const id = "n.1";
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());
const impatient = { id, sha256, leaderHeardMs: -Infinity, leaderSilenceMs: 0 };
/** Stands for the hash that the follower's own log has there. */
const ownHash = new Uint8Array(16).fill(0xee);

describe("a follower", () => {
  let disk: Disk;
  let follower: Follower;
  let nowMs: number;

  beforeEach(() => {
    disk = new Disk();
    nowMs = 0;
    follower = started({});
  });

  function started(options: Partial<FollowerOptions>): Follower {
    return new Follower({ ...impatient, hardState: disk.hardState, log: disk, commitIndex: 0, ...options });
  }

  function step(message: Message): RaftOutput {
    const isOwn = message.type === "append-request" && message.prevHash === ownHash;
    const prevHash = isOwn ? (disk.hashAt(message.prevLogIndex) ?? ownHash) : undefined;
    const output = follower.step(isOwn ? { ...message, prevHash: prevHash! } : message, nowMs);
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
      follower = started({});
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
      follower = started({ leaderSilenceMs: 1000 });
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
      follower = started({ leaderHeardMs: 5000, leaderSilenceMs: 1000 });
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
      const output = step(append({ from: "b", term: 2, prevLogIndex: 1, prevLogTerm: 1, commitIndex: 3 }));
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
      expect(() => started({ commitIndex: 3 })).toThrow(RangeError);
    });
  });

  it("reports in its answer what was applied before the answer is sent", () => {
    const output = step(append({ term: 1, entries: [entry(1, 1)], commitIndex: 1 }));
    expect(output.messages).toMatchObject([{ appliedIndex: 0 }]);
    follower.setApplied(1);
    expect(output.messages).toMatchObject([{ appliedIndex: 1 }]);
  });

  it("matches a log whose committed beginning was compacted away", () => {
    take(snapshot(4), 0);
    step(
      append({
        term: 3,
        prevLogIndex: 4,
        prevLogTerm: 2,
        entries: [entry(5, 3), entry(6, 3)],
        commitIndex: 5,
      }),
    );
    const entries = [entry(3, 1), entry(4, 2), entry(5, 3)];
    // The hash at 2 that leads to the one at 4 is unknown here; what is compared begins behind the compacted part.
    const output = step(append({ term: 3, prevLogIndex: 2, prevLogTerm: 1, entries: entries.slice(0, 1) }));
    expect(output).toMatchObject({ violation: undefined, entries: [], truncateFrom: 0 });
    expect(output.messages).toMatchObject([{ success: true, matchIndex: 5 }]);
  });

  describe("checking the chain of hashes (design, point 12)", () => {
    const forged = { ...entry(2, 1), data: Uint8Array.of(66) };

    it("replaces an entry of the same term that is not the leader's", () => {
      step(append({ term: 1, entries: [entry(1, 1), forged, entry(3, 1)] }));
      const output = step(append({ term: 1, entries: [entry(1, 1), entry(2, 1)], commitIndex: 2 }));
      expect(output).toMatchObject({ truncateFrom: 2, commitIndex: 2, violation: undefined });
      expect(output.entries).toEqual([entry(2, 1)]);
      expect(isSameHash(hashOf([entry(1, 1), entry(2, 1)]), disk.hashAt(2))).toBe(true);
    });

    it("commits nothing over an unequal hash, and has all sent again from its commit index on", () => {
      step(append({ term: 1, entries: [entry(1, 1)], commitIndex: 1 }));
      step(append({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: [forged, entry(3, 1)] }));
      const prevHash = hashOf([entry(1, 1), entry(2, 1), entry(3, 1)]);
      const output = step(append({ term: 1, prevLogIndex: 3, prevLogTerm: 1, prevHash, commitIndex: 3 }));
      expect(output).toMatchObject({ truncateFrom: 0, commitIndex: 1, violation: undefined });
      expect(output.messages).toMatchObject([{ success: false, matchIndex: 1 }]);
    });

    it("reports another entry than the one that is committed, though its term be the same", () => {
      step(append({ term: 1, entries: [entry(1, 1), entry(2, 1)], commitIndex: 2 }));
      for (const output of [
        step(append({ term: 1, entries: [entry(1, 1), forged] })),
        step(append({ term: 1, prevLogIndex: 2, prevLogTerm: 1, prevHash: new Uint8Array(16) })),
      ]) {
        expect(output.violation).toBe("a sent another entry 2 than the one that is committed here.");
        expect(output).toMatchObject({ truncateFrom: 0, entries: [], commitIndex: 2 });
      }
    });
  });

  describe("given a publication (design, point 12)", () => {
    beforeEach(() => {
      step(append({ term: 2, entries: [entry(1, 1), entry(2, 2)], commitIndex: 1 }));
    });

    function publish(part: Partial<Publication>): RaftOutput {
      const place = { prevLogIndex: 2, prevLogTerm: 2, prevHash: disk.hashAt(part.prevLogIndex ?? 2)! };
      const publication = {
        type: "publication",
        from: "a",
        term: 2,
        ...place,
        entries: [entry(3, 2)],
      } as const;
      const output = follower.takePublication({ ...publication, ...part });
      disk.write(output);
      return output;
    }

    it("appends what follows, commits nothing and answers nothing; the leader's next append commits it", () => {
      const output = publish({ entries: [entry(3, 2), entry(4, 2)] });
      expect(output).toMatchObject({ commitIndex: 1, messages: [], truncateFrom: 0, hardState: undefined });
      expect(disk.lastIndex).toBe(4);
      const next = step(append({ term: 2, prevLogIndex: 4, prevLogTerm: 2, commitIndex: 4 }));
      expect(next).toMatchObject({ commitIndex: 4, messages: [{ success: true, matchIndex: 4 }] });
    });

    it("appends only what is new of one that it has in part", () => {
      const output = publish({ prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 2), entry(3, 2)] });
      expect(output.entries).toEqual([entry(3, 2)]);
    });

    it.each<[string, Partial<Publication>]>([
      ["from somebody else than its leader", { from: "b" }],
      ["of an earlier term", { term: 1 }],
      ["of a later term", { term: 3 }],
      ["with a gap before it", { prevLogIndex: 3, prevHash: new Uint8Array(16) }],
      ["after another term", { prevLogTerm: 1 }],
      ["after another hash", { prevHash: new Uint8Array(16) }],
      [
        "that contradicts what it has",
        { prevLogIndex: 1, prevLogTerm: 1, entries: [{ ...entry(2, 2), kind: 9 }] },
      ],
      [
        "that contradicts what it has, and goes on",
        { prevLogIndex: 1, prevLogTerm: 1, entries: [{ ...entry(2, 2), kind: 9 }, entry(3, 2)] },
      ],
      ["of what it has", { prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 2)] }],
    ])("changes nothing by one %s", (_, part) => {
      const output = publish(part);
      expect(output).toMatchObject({ entries: [], truncateFrom: 0, messages: [], violation: undefined });
      expect(follower).toMatchObject({ term: 2, commitIndex: 1 });
    });

    it("stops before an entry that says who votes, so that nothing forged lies behind the one that makes it a voter", () => {
      const change = { ...entry(4, 2), kind: EntryKind.membership };
      const output = publish({ entries: [entry(3, 2), change, entry(5, 2)] });
      expect(output.entries).toEqual([entry(3, 2)]);
    });

    it("does not hear its leader in it, which anybody may have written", () => {
      follower = started({ leaderSilenceMs: 1000 });
      step(append({ term: 2, prevLogIndex: 2, prevLogTerm: 2 }));
      nowMs = 1000;
      publish({});
      expect(
        step(voteRequest({ from: "b", term: 9, lastLogIndex: 9, lastLogTerm: 2 })).messages,
      ).toMatchObject([{ granted: true }]);
    });
  });

  describe("sent a snapshot in chunks (section 7)", () => {
    it("stages it item by item, and is where it ends when it is whole", () => {
      const whole = snapshot(9);
      const part = (first: number, count: number) => chunkOf(whole, first, count);
      expect(step(part(0, 2))).toMatchObject({
        snapshot: { first: 0 },
        commitIndex: 0,
        messages: [{ type: "snapshot-response", index: 9, indexTerm: 2, received: 2, isInstalled: false }],
      });
      const last = step(part(2, 1));
      expect(last).toMatchObject({ commitIndex: 9, messages: [{ received: 3, isInstalled: true }] });
      expect(follower).toMatchObject({ commitIndex: 9, appliedIndex: 9, leaderId: "a", term: 3 });
      expect([disk.firstIndex, disk.lastIndex, disk.termAt(9)]).toEqual([10, 9, 2]);
      expect(
        step(append({ term: 3, prevLogIndex: 9, prevLogTerm: 2, entries: [entry(10, 3)] })).messages,
      ).toMatchObject([{ success: true, matchIndex: 10 }]);
    });

    it("says how far it is when a chunk is lost or comes again, and after a restart", () => {
      const whole = snapshot(9);
      step(chunkOf(whole, 0, 2));
      for (const again of [chunkOf(whole, 0, 2), chunkOf(whole, 3, 1), chunkOf(whole, 1, 1)]) {
        expect(step(again)).toMatchObject({
          snapshot: undefined,
          messages: [{ received: 2, isInstalled: false }],
        });
      }
      disk.sync();
      disk.crash();
      follower = started({});
      expect(step(chunkOf(whole, 2, 1)).messages).toMatchObject([{ received: 3, isInstalled: true }]);
    });

    it("begins anew with another snapshot, also one that differs only in its hash", () => {
      step(chunkOf(snapshot(9), 0, 2));
      const other = { ...snapshot(9), hash: new Uint8Array(16).fill(7) };
      expect(step(chunkOf(other, 2, 1)).messages).toMatchObject([{ received: 0, isInstalled: false }]);
      expect(step(chunkOf(other, 0, 1)).messages).toMatchObject([{ received: 1 }]);
    });

    it("whose last entry it has keeps what it acknowledged beyond, and only commits (figure 13, rule 6)", () => {
      step(append({ term: 2, entries: [entry(1, 1), entry(2, 2), entry(3, 2)] }));
      const { hash, ...rest } = snapshot(2);
      const output = step({ ...rest, hash: disk.hashAt(2) ?? hash });
      expect(output).toMatchObject({
        snapshot: undefined,
        commitIndex: 2,
        messages: [{ isInstalled: true }],
      });
      expect(disk.lastIndex).toBe(3);
      // What is committed already needs nothing either.
      expect(step(snapshot(1, 1, hashOf([entry(1, 1)])))).toMatchObject({
        snapshot: undefined,
        violation: undefined,
        messages: [{ isInstalled: true }],
      });
    });

    it("replaces a log that has another entry there, or a forged one of the same term", () => {
      step(append({ term: 2, entries: [entry(1, 1), entry(2, 2), entry(3, 2)] }));
      const output = take(snapshot(2), 3);
      expect(output).toMatchObject({ commitIndex: 2, messages: [{ isInstalled: true }] });
      expect(disk.lastIndex).toBe(2);
    });

    it("reports one that contradicts what is committed", () => {
      step(append({ term: 2, entries: [entry(1, 1), entry(2, 2)], commitIndex: 2 }));
      expect(step(snapshot(2))).toMatchObject({
        snapshot: undefined,
        violation: expect.stringMatching(/entry 2/),
      });
    });

    it("of an earlier term, or from a second leader, is refused", () => {
      step(append({ term: 5 }));
      expect(step(snapshot(9))).toMatchObject({
        snapshot: undefined,
        messages: [{ term: 5, isInstalled: false }],
      });
      expect(step({ ...snapshot(9), term: 5, from: "b" })).toMatchObject({
        snapshot: undefined,
        violation: "b claims to lead term 5, which a leads.",
      });
    });
  });

  describe("asked for its log by a host that catches up (design, point 8)", () => {
    const terms = [1, 1, 2, 4, 4];
    const ask = (
      afterIndex: number,
      afterTerm: number,
      part: Partial<LogRequest> = {},
    ): Message | undefined => {
      const none = { snapshotIndex: 0, snapshotFirst: 0 };
      const request = { type: "log-request", from: "h", to: id, term: 9, afterIndex, afterTerm } as const;
      const output = step({ ...request, ...none, ...part });
      // Whoever asks is no leader, and its term is only its own.
      expect(output).toMatchObject({
        hardState: undefined,
        entries: [],
        truncateFrom: 0,
        snapshot: undefined,
      });
      return output.messages[0];
    };

    beforeEach(() => {
      step(append({ term: 4, entries: terms.map((term, at) => entry(at + 1, term)), commitIndex: 2 }));
    });

    it("answers with what follows, uncommitted entries too, and how far it goes", () => {
      expect(ask(2, 1)).toEqual({
        type: "log-response",
        from: id,
        to: "h",
        term: 4,
        isMatch: true,
        prevLogIndex: 2,
        prevLogTerm: 1,
        lastLogIndex: 5,
        lastLogTerm: 4,
        commitIndex: 2,
        entries: [entry(3, 2), entry(4, 4), entry(5, 4)],
      });
      expect(ask(0, 0)).toMatchObject({ isMatch: true, entries: { length: 5 } });
      expect(ask(5, 4)).toMatchObject({ isMatch: true, entries: [] });
    });

    it("keeps to what a board can send", () => {
      const many = Array.from({ length: 20 }, (_, i) => entry(6 + i, 4));
      step(append({ term: 4, prevLogIndex: 5, prevLogTerm: 4, entries: many }));
      expect(ask(5, 4)).toMatchObject({ entries: { length: limits.appendEntriesMax } });
      const long = [26, 27, 28].map((index) => ({ ...entry(index, 4), data: new Uint8Array(1000) }));
      step(append({ term: 4, prevLogIndex: 25, prevLogTerm: 4, entries: long }));
      expect(ask(25, 4)).toMatchObject({ entries: { length: 2 } });
    });

    it("names the last place where the two may agree, each time an earlier one", () => {
      expect(ask(5, 3)).toMatchObject({ isMatch: false, prevLogIndex: 3, prevLogTerm: 2, entries: [] });
      expect(ask(9, 3)).toMatchObject({ isMatch: false, prevLogIndex: 3 });
      expect(ask(9, 9)).toMatchObject({ isMatch: false, prevLogIndex: 5 });
      expect(ask(3, 1)).toMatchObject({ isMatch: false, prevLogIndex: 2 });
      // Even before its own commit index: the other may have anything there.
      expect(ask(2, 9)).toMatchObject({ isMatch: false, prevLogIndex: 0 });
    });

    it("sends its snapshot when it no longer holds what follows, and goes on with the same one", () => {
      take(snapshot(9), 3);
      const first = ask(3, 2) as SnapshotChunk;
      expect(first).toMatchObject({
        type: "snapshot-chunk",
        from: id,
        term: 4,
        index: 9,
        indexTerm: 2,
        first: 0,
      });
      expect(first.items.length).toBeGreaterThan(0);
      expect(ask(9, 4)).toMatchObject({ type: "snapshot-chunk" });
      expect(ask(3, 2, { snapshotIndex: 9, snapshotFirst: 1 })).toMatchObject({ index: 9, first: 1 });
      expect(ask(3, 2, { snapshotIndex: 8, snapshotFirst: 1 })).toMatchObject({ index: 9, first: 0 });
      expect(ask(9, 2) as LogResponse).toMatchObject({ type: "log-response", isMatch: true, entries: [] });
    });

    it("says nothing when it holds nothing", () => {
      disk = new Disk();
      follower = started({});
      expect(ask(5, 3)).toBeUndefined();
    });
  });

  /** Sends all of a snapshot at once. */
  function take(whole: SnapshotChunk, term: number): RaftOutput {
    return step({ ...whole, term: Math.max(whole.term, term, follower.term) });
  }
});

/** All of a snapshot of three items, from a leader of term 3. */
function snapshot(index: number, indexTerm = 2, hash = new Uint8Array(16).fill(index)): SnapshotChunk {
  const item = (key: string): SnapshotItem => ({ kind: 1, version: 1, data: new TextEncoder().encode(key) });
  return {
    type: "snapshot-chunk",
    from: "a",
    to: id,
    term: 3,
    index,
    indexTerm,
    hash,
    first: 0,
    items: [item("a=1"), item("b=2"), item("c=3")],
    isLast: true,
  };
}

function chunkOf(whole: SnapshotChunk, first: number, count: number): SnapshotChunk {
  const items = whole.items.slice(first, first + count);
  return { ...whole, first, items, isLast: first + count >= whole.items.length };
}

/** The chain hash of a log of these entries. */
function hashOf(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  return entries.reduce(
    (hash, entry) => new Uint8Array(chainHash(hash, entry, sha256)),
    new Uint8Array(emptyChain()),
  );
}

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
    prevHash: ownHash,
  } as const;
  return { ...heartbeat, commitIndex: 0, readRound: 0, entries: [], ...part };
}

function voteRequest(part: Partial<VoteRequest>): VoteRequest {
  const place = { lastLogIndex: 0, lastLogTerm: 0, purpose: "election" } as const;
  return { type: "vote-request", from: "a", to: id, term: 1, ...place, ...part };
}
