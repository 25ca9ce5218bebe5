import { describe, expect, it } from "vitest";
import type { Message } from "../../../protocols/raft/types.ts";
import { limits } from "../../../protocols/raft/types.ts";
import { Group } from "./group/group.ts";

type Chunk = Message & { type: "snapshot-chunk" };

/** a leads; w, a board that learns, is away while 30 keys are set and the log is compacted. */
function leaderAhead(valueBytes = 300): Group {
  const group = new Group({ hosts: ["a", "b"], boards: ["n", "w"], voters: ["a", "b", "n"] });
  group.elect("a");
  for (let i = 0; i < 30; i++) group.put("a", `key-${String(i).padStart(2, "0")}=${"v".repeat(valueBytes)}`);
  group.deliver();
  group.pass(250);
  const leader = group.member("a");
  leader.compact(leader.appliedIndex - 2);
  return group;
}

/** w connects, and what passes is noted. */
function connect(group: Group, isLost: (message: Message) => boolean = () => false): Message[] {
  const passed: Message[] = [];
  group.act("a", (node) => node.addMember("w"));
  group.deliver((message) => {
    const lost = isLost(message);
    if (!lost && (message.to === "w" || message.from === "w")) passed.push(message);
    return lost;
  });
  return passed;
}

const chunksOf = (messages: readonly Message[]): Chunk[] =>
  messages.filter((message): message is Chunk => message.type === "snapshot-chunk");

describe("a leader brings up a member from a snapshot (Raft paper, section 7)", () => {
  it("in chunks that a board can hold, one at a time, and then by entries", () => {
    const group = leaderAhead();
    const messages = connect(group);
    const chunks = chunksOf(messages);
    expect(chunks.length).toBeGreaterThan(5);
    for (const { items } of chunks) {
      const bytes = items.reduce((sum, { data }) => sum + data.length, 0);
      expect(items.length === 1 || bytes <= limits.snapshotChunkBytes).toBe(true);
    }
    expect(chunks.map(({ isLast }) => isLast)).toEqual(chunks.map((_, i) => i === chunks.length - 1));
    // Never two on the way: after each chunk comes its answer.
    const sequence = messages.filter(({ type }) => type.startsWith("snapshot")).map(({ type }) => type);
    for (const [i, type] of sequence.entries()) {
      expect(type).toBe(i % 2 === 0 ? "snapshot-chunk" : "snapshot-response");
    }
    const { disk } = group.member("w");
    expect(disk.lastIndex).toBe(group.member("a").disk.lastIndex);
    expect(disk.hashAt(disk.lastIndex)).toEqual(group.member("a").disk.hashAt(disk.lastIndex));
    expect(new Set(group.putsOf("w"))).toEqual(new Set(group.putsOf("a")));
    expect(group.node("a").members.get("w")).toMatchObject({
      state: "replicate",
      matchIndex: disk.lastIndex,
    });
    expect(group.violations).toEqual([]);
  });

  it("repeats a chunk that was not answered by the second heartbeat after it", () => {
    const group = leaderAhead();
    let lost = 0;
    connect(group, ({ type }) => type === "snapshot-chunk" && ++lost === 3);
    expect(group.node("a").members.get("w")!.state).toBe("snapshot");
    const staged = group.member("w").disk.staged!.items;
    group.pass(250);
    expect(group.member("w").disk.staged!.items).toBe(staged);
    group.pass(250);
    expect(group.member("w").disk.lastIndex).toBe(group.member("a").disk.lastIndex);
  });

  it("goes on where it broke off, though the connection or the member's power failed meanwhile", () => {
    const group = leaderAhead();
    let count = 0;
    connect(group, ({ type }) => type === "snapshot-chunk" && ++count > 4);
    const staged = group.member("w").disk.staged!.items;
    expect(staged).toBeGreaterThan(4);
    group.node("a").removeMember("w");
    group.member("w").crash();
    group.restart("w");
    const firsts = chunksOf(connect(group)).map(({ first }) => first);
    // The first chunk asks how far it is.
    expect(firsts.slice(0, 2)).toEqual([0, staged]);
    expect(group.member("w").disk.lastIndex).toBe(group.member("a").disk.lastIndex);
  });

  it("goes on with another leader's snapshot of the same entry", () => {
    const group = leaderAhead();
    const { index } = group.member("a").disk.snapshot!;
    let count = 0;
    connect(group, ({ type }) => type === "snapshot-chunk" && ++count > 4);
    const staged = group.member("w").disk.staged!.items;
    group.waiting = [];
    group.elect("b");
    group.member("b").compact(index);
    const firsts: number[] = [];
    group.act("b", (node) => node.addMember("w"));
    group.deliver((message) => {
      if (message.type === "snapshot-chunk") firsts.push(message.first);
      return false;
    });
    expect(firsts.slice(0, 2)).toEqual([0, staged]);
    expect(group.member("w").disk.lastIndex).toBe(group.member("b").disk.lastIndex);
  });

  it("begins again with a newer snapshot when the one it was sending is gone", () => {
    const group = leaderAhead();
    let count = 0;
    connect(group, ({ type }) => type === "snapshot-chunk" && ++count > 4);
    const old = group.member("w").disk.staged!.index;
    group.put("a", "key-00=new");
    group.deliver(({ type }) => type === "snapshot-chunk");
    group.pass(250, ({ type }) => type === "snapshot-chunk");
    group.member("a").compact(group.member("a").appliedIndex);
    group.pass(500);
    const { disk } = group.member("w");
    expect(disk.snapshot!.index).toBeGreaterThan(old);
    expect(group.putsOf("w")).toContain("key-00=new");
    expect(disk.lastIndex).toBe(group.member("a").disk.lastIndex);
  });

  it("hears it, and its reads count it, while it receives one", () => {
    const group = new Group({ hosts: ["a", "b"], boards: ["n"], checkQuorum: true });
    group.elect("a");
    for (let i = 0; i < 10; i++) group.put("a", `k${i}=${"v".repeat(900)}`);
    group.deliver(({ to }) => to === "n");
    group.pass(250, ({ to }) => to === "n");
    group.member("a").compact(group.member("a").appliedIndex);
    group.member("b").crash();
    // No chunk arrives for longer than any patience: heartbeats do.
    group.pass(3000, ({ type }) => type === "snapshot-chunk");
    expect(group.node("a").role).toBe("leader");
    expect(group.node("a").members.get("n")!.state).toBe("snapshot");
    let confirmed = 0;
    group.act("a", (node) => {
      const { round, output } = node.read(group.nowMs);
      confirmed = round;
      return output;
    });
    group.deliver(({ type }) => type === "snapshot-chunk");
    expect(group.node("a").confirmedRound).toBeGreaterThanOrEqual(confirmed);
  });

  it("has from it who belongs to the group, and so has a host that starts with a compacted log", () => {
    const group = new Group({ hosts: ["a", "b", "c"], voters: ["a", "b"] });
    group.elect("a");
    group.member("c").crash();
    group.act("a", (node) => node.change([{ kind: "learner", id: "c" }]).output);
    group.deliver();
    for (let i = 0; i < 5; i++) group.put("a", `k${i}=1`);
    group.deliver();
    group.pass(250);
    group.member("a").compact(group.member("a").appliedIndex - 1);
    group.restart("c");
    group.pass(1000);
    const { configuration } = group.node("a");
    expect(configuration).toMatchObject({ voters: ["a", "b"], learners: ["c"] });
    expect(group.member("c").disk.snapshot!.index).toBe(group.member("a").disk.snapshot!.index);
    expect(group.node("c").configuration).toEqual(configuration);
    group.member("a").crash();
    group.restart("a");
    expect(group.node("a").configuration).toEqual(configuration);
    expect(group.node("a").commitIndex).toBe(group.member("a").disk.snapshot!.index);
  });

  it("reports a member that claims a snapshot which its leader has not", () => {
    const group = leaderAhead();
    connect(group);
    const place = { index: 999, indexTerm: 1, received: 0, isInstalled: true };
    const { term } = group.node("a");
    group.waiting.push({ type: "snapshot-response", from: "w", to: "a", term, ...place });
    group.deliver();
    expect(group.violations).toEqual([expect.stringContaining("w claims snapshot 999")]);
    expect(group.node("a").members.get("w")!.matchIndex).toBe(group.member("w").disk.lastIndex);
  });

  it("takes no late chunk of a catch-up for the word of a leader", () => {
    const group = leaderAhead();
    const { snapshot } = group.member("a").disk;
    const { items } = group.member("a").disk.snapshotItems(snapshot!.index, "b", 0, 1000)!;
    const place = { index: 500, indexTerm: 2, hash: snapshot!.hash, first: 0, items, isLast: false };
    const { term } = group.node("b");
    group.waiting.push({ type: "snapshot-chunk", from: "n", to: "b", term: term + 3, ...place });
    group.deliver();
    expect(group.node("b")).toMatchObject({ leaderId: "a", term });
    expect(group.member("b").disk.staged).toBeUndefined();
    expect(group.violations).toEqual([]);
  });
});
