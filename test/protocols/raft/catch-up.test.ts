import { describe, expect, it } from "vitest";
import type { Message } from "../../../protocols/raft/types.ts";
import { Group } from "./group/group.ts";

/** Two hosts, three voting boards: the swarm of the design's point 8. */
const swarm = { hosts: ["a", "b"], boards: ["n", "s", "e"] };

const toOrFrom =
  (...ids: string[]) =>
  ({ to, from }: Message) =>
    ids.includes(to) || ids.includes(from);

/** a leads, and what it commits with n and s alone reaches nobody else; then it dies. */
function leaderDiesWithCommands(group: Group, commands: readonly string[]): void {
  group.elect("a");
  group.put("a", "first=1");
  group.deliver();
  group.pass(250);
  for (const command of commands) {
    group.put("a", command);
    group.deliver(toOrFrom("b", "e"));
  }
  expect(group.putsOf("a")).toEqual(["first=1", ...commands]);
  group.member("a").crash();
  group.waiting = [];
}

describe("a host catches up before it campaigns (design, point 8)", () => {
  const kinds = [
    ["with pre-vote and check-quorum", { preVote: true, checkQuorum: true }],
    ["in the plain protocol", { preVote: false, checkQuorum: false }],
  ] as const;

  describe.each(kinds)("%s", (_, kind) => {
    it("fetches what only voting boards hold, wins, and loses nothing", () => {
      const group = new Group({ ...swarm, ...kind });
      const commands = Array.from({ length: 40 }, (_, i) => `k${i}=${i}`);
      leaderDiesWithCommands(group, commands);
      expect(group.member("b").disk.lastIndex).toBeLessThan(group.member("n").disk.lastIndex);
      group.pass(4000);
      expect(group.node("b").role).toBe("leader");
      group.put("b", "later=1");
      group.deliver();
      group.pass(250);
      for (const id of ["b", "n", "s", "e"]) {
        expect(group.putsOf(id), id).toEqual(["first=1", ...commands, "later=1"]);
      }
      expect(group.violations).toEqual([]);
    });

    it("fetches a snapshot where the board no longer has what follows", () => {
      const group = new Group({ ...swarm, ...kind });
      leaderDiesWithCommands(
        group,
        Array.from({ length: 40 }, (_, i) => `k${i % 8}=${"v".repeat(200)}${i}`),
      );
      for (const id of ["n", "s"]) group.member(id).compact(group.member(id).appliedIndex - 3, 2);
      const messages: Message["type"][] = [];
      group.pass(4000, ({ type }) => {
        messages.push(type);
        return false;
      });
      expect(group.node("b").role).toBe("leader");
      expect(messages.filter((type) => type === "snapshot-chunk").length).toBeGreaterThan(1);
      group.put("b", "later=1");
      group.deliver();
      expect(group.node("b").configuration.voters).toEqual(["a", "b", "n", "s", "e"]);
      const state = new Set(group.putsOf("b"));
      for (const command of ["first=1", "later=1", `k7=${"v".repeat(200)}39`]) {
        expect(state.has(command), command).toBe(true);
      }
      expect(group.violations).toEqual([]);
    });

    it("goes to the next voter when its source dies half-way", () => {
      const group = new Group({ ...swarm, ...kind });
      const commands = Array.from({ length: 60 }, (_, i) => `k${i}=${i}`);
      leaderDiesWithCommands(group, commands);
      let source = "";
      let responses = 0;
      group.pass(8000, (message) => {
        if (message.type !== "log-response") return false;
        source ||= message.from;
        // The second answer of the first source is its last word.
        return message.from === source && ++responses > 1;
      });
      expect(["n", "s"]).toContain(source);
      expect(group.node("b").role).toBe("leader");
      group.pass(500);
      expect(group.putsOf("b")).toEqual(["first=1", ...commands]);
      expect(group.violations).toEqual([]);
    });

    it("asks again for what was lost on the way", () => {
      const group = new Group({ ...swarm, ...kind });
      const commands = Array.from({ length: 60 }, (_, i) => `k${i}=${i}`);
      leaderDiesWithCommands(group, commands);
      let count = 0;
      group.pass(
        6000,
        ({ type }) => (type === "log-request" || type === "log-response") && ++count % 3 === 0,
      );
      expect(group.node("b").role).toBe("leader");
      expect(group.putsOf("b")).toEqual(["first=1", ...commands]);
    });

    it("stops when it hears a leader meanwhile", () => {
      const group = new Group({ ...swarm, ...kind });
      leaderDiesWithCommands(group, ["x=1"]);
      group.pass(4000, ({ type }) => type === "log-request");
      group.pass(250, ({ type }) => type === "log-request");
      for (let i = 0; group.node("b").role !== "catching-up" && i < 20; i++) {
        group.pass(250, ({ type }) => type === "log-request");
      }
      expect(group.node("b").role).toBe("catching-up");
      expect(["n", "s"]).toContain(group.node("b").catchingUpFrom);
      group.restart("a");
      const { term } = group.node("b");
      for (const id of ["b", "n", "s", "e"]) group.act("a", (node) => node.addMember(id));
      group.pass(8000, ({ type }) => type === "log-request");
      expect(group.node("a").role).toBe("leader");
      expect(group.node("a").term).toBeGreaterThanOrEqual(term);
      expect(group.node("b")).toMatchObject({ role: "follower", leaderId: "a", catchingUpFrom: undefined });
      expect(group.putsOf("b")).toEqual(["first=1", "x=1"]);
    });

    it("drops only what nobody will ever commit", () => {
      const group = new Group({ ...swarm, ...kind });
      group.elect("b");
      group.put("b", "first=1");
      group.deliver();
      group.pass(250);
      // b's last entries reach nobody, then a is elected without it.
      for (const command of ["lost=1", "lost=2"]) group.put("b", command);
      group.waiting = [];
      const tail = group.member("b").disk.lastIndex;
      group.member("b").crash();
      group.pass(4000);
      expect(group.node("a").role).toBe("leader");
      for (const command of ["kept=1", "kept=2", "kept=3"]) group.put("a", command);
      group.deliver();
      group.member("a").crash();
      group.restart("b");
      expect(group.member("b").disk.lastIndex).toBe(tail);
      group.pass(4000);
      expect(group.node("b").role).toBe("leader");
      expect(group.putsOf("b")).toEqual(["first=1", "kept=1", "kept=2", "kept=3"]);
      expect(group.violations).toEqual([]);
    });
  });

  it("goes on from the items of a snapshot that it holds, also after a restart", () => {
    const group = new Group({ ...swarm, preVote: true, checkQuorum: true });
    leaderDiesWithCommands(
      group,
      Array.from({ length: 30 }, (_, i) => `k${i}=${"v".repeat(500)}`),
    );
    for (const id of ["n", "s"]) group.member(id).compact(group.member(id).appliedIndex);
    let chunks = 0;
    const firsts: number[] = [];
    group.pass(3000, (message) => message.type === "snapshot-chunk" && ++chunks > 5);
    const staged = group.member("b").disk.staged!.items;
    expect(staged).toBeGreaterThan(3);
    group.member("b").crash();
    group.waiting = [];
    group.restart("b");
    group.pass(6000, (message) => {
      if (message.type === "snapshot-chunk") firsts.push(message.first);
      return false;
    });
    expect(firsts[0]).toBe(staged);
    expect(group.node("b").role).toBe("leader");
  });

  /** b is catching up, and none of its requests has arrived. */
  function catchingUp(kind: { preVote: boolean; checkQuorum: boolean }): Group {
    const group = new Group({ ...swarm, ...kind });
    leaderDiesWithCommands(group, ["x=1", "x=2", "x=3"]);
    const isRequest = ({ type }: Message) => type === "log-request";
    for (let i = 0; group.node("b").role !== "catching-up" && i < 20; i++) group.pass(250, isRequest);
    expect(group.node("b").role).toBe("catching-up");
    return group;
  }

  it("campaigns as soon as what it lacked is durable", () => {
    const group = catchingUp({ preVote: true, checkQuorum: true });
    group.nowMs += 250;
    group.act("b", (node) => node.tick(group.nowMs));
    group.deliver();
    expect(group.node("b").role).toBe("leader");
  });

  it("does not stop for a candidate that it refuses, of a later term though it be", () => {
    const group = catchingUp({ preVote: false, checkQuorum: false });
    const term = group.node("b").term + 5;
    const stale = { lastLogIndex: 1, lastLogTerm: 1, purpose: "election" } as const;
    group.waiting.push({ type: "vote-request", from: "a", to: "b", term, ...stale });
    group.deliver();
    expect(group.node("b")).toMatchObject({ role: "catching-up", term, vote: undefined });
  });

  it("takes nothing from a voter whose log is not what it was", () => {
    const group = catchingUp({ preVote: true, checkQuorum: true });
    const { lastIndex } = group.member("b").disk;
    let answers = 0;
    group.pass(3000, (message) => {
      if (message.type !== "log-response") return false;
      // As if another leader had cut it back since it refused its vote.
      const entries = message.entries.slice(0, 1);
      Object.assign(message, { entries, lastLogIndex: message.lastLogIndex - 1 });
      answers++;
      return false;
    });
    expect(answers).toBeGreaterThan(0);
    expect(group.member("b").disk.lastIndex).toBe(lastIndex);
    expect(group.node("b").role).not.toBe("leader");
  });

  it("accuses nobody because of an answer that comes twice", () => {
    const group = catchingUp({ preVote: true, checkQuorum: true });
    const { term, commitIndex } = group.node("b");
    const end = { lastLogIndex: 60, lastLogTerm: term, commitIndex, entries: [] };
    const from = group.node("b").catchingUpFrom!;
    for (const prevLogIndex of [0, 0]) {
      const place = { isMatch: false, prevLogIndex, prevLogTerm: 0, ...end };
      group.waiting.push({ type: "log-response", from, to: "b", term, ...place });
    }
    group.deliver();
    expect(group.violations).toEqual([]);
    group.pass(4000);
    expect(group.node("b").role).toBe("leader");
  });

  it("does none of it when told not to, as in the paper", () => {
    const group = new Group({ ...swarm, preVote: false, catchesUp: false });
    leaderDiesWithCommands(group, ["x=1"]);
    const types = new Set<string>();
    group.pass(6000, ({ type }) => {
      types.add(type);
      return false;
    });
    expect(types).toEqual(new Set(["vote-request", "vote-response"]));
  });
});
