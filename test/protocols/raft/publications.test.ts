import { describe, expect, it } from "vitest";
import type { Message } from "../../../protocols/raft/types.ts";
import { Group } from "./group/group.ts";

const learners = ["w", "x", "y"];

/** a leads; three boards listen, and have all. */
function listeningGroup(): Group {
  const group = new Group({ hosts: ["a"], boards: ["n", ...learners], voters: ["a", "n"] });
  group.elect("a");
  group.act("a", (node) => node.addMember("n"));
  for (const id of learners) group.act("a", (node) => node.addMember(id, { listens: true }));
  group.deliver();
  group.pass(500);
  return group;
}

function sent(group: Group, act: () => void): Message[] {
  const messages: Message[] = [];
  act();
  group.deliver((message) => {
    messages.push(message);
    return false;
  });
  return messages;
}

const entriesTo = (messages: readonly Message[], id: string): number =>
  messages.reduce((sum, m) => sum + (m.to === id && m.type === "append-request" ? m.entries.length : 0), 0);

describe("a committed entry is published once (design, point 12)", () => {
  it("to all who listen; they commit it when the leader's own append names its hash", () => {
    const group = listeningGroup();
    const before = group.published.length;
    const messages = sent(group, () => group.put("a", "fan=on"));
    expect(group.published.length - before).toBe(1);
    const publication = group.published.at(-1)!;
    expect(publication.entries).toHaveLength(1);
    expect(publication.prevHash).toEqual(group.member("a").disk.hashAt(publication.prevLogIndex));
    for (const id of learners) {
      expect(entriesTo(messages, id), id).toBe(0);
      expect(group.putsOf(id)).toEqual(["fan=on"]);
    }
    // The voter was sent it individually, before it was committed.
    expect(entriesTo(messages, "n")).toBe(1);
    const appends = messages.filter(({ to, type }) => to === "w" && type === "append-request");
    expect(appends).toMatchObject([{ entries: [], commitIndex: publication.entries[0]!.index }]);
  });

  it("costs the leader as many publications however many listen, and one empty append each", () => {
    const costs = [1, 10, 100].map((count) => {
      const boards = Array.from({ length: count }, (_, i) => `w${i}`);
      const group = new Group({ hosts: ["a"], boards, voters: ["a"] });
      group.elect("a");
      for (const id of boards) group.act("a", (node) => node.addMember(id, { listens: true }));
      group.deliver();
      group.pass(500);
      const before = group.published.length;
      const messages = sent(group, () => group.put("a", "fan=on"));
      const appends = messages.filter(({ type }) => type === "append-request");
      return { publications: group.published.length - before, appends: appends.length / count };
    });
    expect(costs).toEqual(Array(3).fill({ publications: 1, appends: 1 }));
  });

  it("sends who missed one what it missed, and then publishes to it again", () => {
    const group = listeningGroup();
    group.isDeaf = (id) => id === "w";
    const missed = sent(group, () => group.put("a", "fan=on"));
    expect(entriesTo(missed, "w")).toBe(1);
    expect(entriesTo(missed, "x")).toBe(0);
    group.isDeaf = () => false;
    const heard = sent(group, () => group.put("a", "fan=off"));
    expect(entriesTo(heard, "w")).toBe(0);
    for (const id of learners) expect(group.putsOf(id), id).toEqual(["fan=on", "fan=off"]);
  });

  it("never sends uncommitted entries to who listens", () => {
    const group = listeningGroup();
    group.put("a", "fan=on");
    group.deliver(({ to }) => to === "n");
    expect(group.member("a").disk.lastIndex).toBe(group.member("w").disk.lastIndex + 1);
    expect(group.published.every(({ entries }) => entries.at(-1)!.index <= group.node("a").commitIndex)).toBe(
      true,
    );
    group.pass(500);
    expect(group.putsOf("w")).toEqual(["fan=on"]);
  });

  it("has one append on the way to who listens, however fast commits follow each other", () => {
    const group = listeningGroup();
    const isFromLearner = ({ from }: Message) => learners.includes(from);
    let appends = 0;
    for (let i = 0; i < 20; i++) {
      group.put("a", `k=${i}`);
      group.deliver((message) => {
        if (message.to === "w" && message.type === "append-request") appends++;
        return isFromLearner(message);
      });
    }
    expect(appends).toBe(1);
    group.pass(500);
    expect(group.putsOf("w")).toHaveLength(20);
  });

  it("keeps within a board's limits: at most 16 entries and 2,048 bytes", () => {
    const group = listeningGroup();
    const before = group.published.length;
    const isCut = ({ to }: Message) => to === "n";
    for (let i = 0; i < 20; i++) group.put("a", `k${i}=1`);
    for (let i = 0; i < 4; i++) group.put("a", `l${i}=${"v".repeat(900)}`);
    group.deliver(isCut);
    group.pass(1000);
    const sizes = group.published.slice(before).map(({ entries }) => ({
      count: entries.length,
      bytes: entries.reduce((sum, { data }) => sum + data.length, 0),
    }));
    expect(sizes.length).toBeGreaterThan(2);
    for (const { count, bytes } of sizes) {
      expect(count).toBeLessThanOrEqual(16);
      expect(bytes).toBeLessThanOrEqual(2048);
    }
    expect(group.putsOf("w")).toHaveLength(24);
  });

  it("publishes nothing when nobody listens", () => {
    const group = listeningGroup();
    for (const id of learners) group.act("a", (node) => node.addMember(id, { listens: false }));
    group.deliver();
    const before = group.published.length;
    const messages = sent(group, () => group.put("a", "fan=on"));
    expect(group.published.length).toBe(before);
    expect(learners.map((id) => entriesTo(messages, id))).toEqual([1, 1, 1]);
  });

  it("sends a learner individually from when it is to vote, whatever the driver said", () => {
    const group = listeningGroup();
    group.act("a", (node) => node.change([{ kind: "voter", id: "w" }]).output);
    group.deliver();
    group.pass(500);
    expect(group.node("a").members.get("w")).toMatchObject({ listens: false, state: "replicate" });
    group.act("a", (node) => node.addMember("w", { listens: true }));
    group.deliver();
    expect(group.node("a").members.get("w")!.listens).toBe(false);
    const messages = sent(group, () => group.put("a", "fan=on"));
    expect(entriesTo(messages, "w")).toBe(1);
    expect(entriesTo(messages, "x")).toBe(0);
  });
});
