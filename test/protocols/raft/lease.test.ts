import { describe, expect, it } from "vitest";
import type { Read } from "../../../protocols/raft/node-options.ts";
import { leaseMsOf } from "../../../protocols/raft/node-options.ts";
import type { Message } from "../../../protocols/raft/types.ts";
import { limits } from "../../../protocols/raft/types.ts";
import { Group } from "./group/group.ts";

const swarm = { hosts: ["a", "b"], boards: ["n"], checkQuorum: true, leaseReads: true };
const leaseMs = 900;

function led(options: Partial<ConstructorParameters<typeof Group>[0]> = {}): Group {
  const group = new Group({ ...swarm, ...options });
  group.elect("a");
  return group;
}

function read(group: Group): Omit<Read, "output"> {
  let asked: Read | undefined;
  group.act("a", (node) => {
    asked = node.read(group.nowMs);
    return asked.output;
  });
  return asked!;
}

describe("a leader answers reads within its lease (thesis, section 6.4.1)", () => {
  it("which is shorter than any voter's silence by what clocks may differ in pace", () => {
    expect(leaseMsOf({ heartbeatMs: 250, electionMinMs: 1000, electionMaxMs: 2000 })).toBe(leaseMs);
    expect(leaseMsOf({ heartbeatMs: 250, electionMinMs: 5000, electionMaxMs: 9000 })).toBe(
      0.9 * limits.leaderSilenceMs,
    );
  });

  it("from when a majority answered, without asking, at its commit index", () => {
    const group = led();
    group.pass(250);
    const { commitIndex } = group.node("a");
    group.waiting = [];
    expect(read(group)).toMatchObject({ round: 0, isConfirmed: true, index: commitIndex });
    expect(group.waiting).toEqual([]);
  });

  it("counted from when the answered append was sent, not from when the answer came", () => {
    const group = led();
    group.nowMs = 250;
    group.act("a", (node) => node.tick(250));
    // The answers take half a second.
    group.nowMs = 750;
    group.deliver();
    group.nowMs = 250 + leaseMs - 1;
    expect(read(group).isConfirmed).toBe(true);
    group.nowMs = 250 + leaseMs;
    expect(read(group).isConfirmed).toBe(false);
  });

  it("else asks a majority, and has the lease again when that has answered", () => {
    const group = led();
    const { round, isConfirmed } = read(group);
    expect(isConfirmed).toBe(false);
    group.deliver();
    expect(group.node("a").confirmedRound).toBeGreaterThanOrEqual(round);
    expect(read(group).isConfirmed).toBe(true);
  });

  it("not by the answers of a minority, or of those who only learn", () => {
    const group = led({ boards: ["n", "s", "e", "w"], voters: ["a", "b", "n", "s", "e"] });
    group.act("a", (node) => node.addMember("w"));
    group.deliver();
    group.pass(250, ({ from, to }) => [from, to].some((id) => ["n", "s", "e"].includes(id)));
    expect(read(group).isConfirmed).toBe(false);
  });

  it("no longer in this term once it has told another to campaign, whom voters obey at once (3.10)", () => {
    const group = led();
    group.pass(250);
    expect(read(group).isConfirmed).toBe(true);
    const isHandOver = ({ type }: Message) => type === "timeout-now";
    group.act("a", (node) => node.transfer("b", group.nowMs));
    group.deliver(isHandOver);
    expect(read(group).isConfirmed).toBe(false);
    group.pass(3000, isHandOver);
    expect(group.node("a").transferringTo).toBeUndefined();
    expect(read(group).isConfirmed).toBe(false);
  });

  it("never while anybody else can lead: the other host waits out the voters' silence", () => {
    let overlaps = 0;
    for (let cutAtMs = 250; cutAtMs <= 2000; cutAtMs += 50) {
      const group = led();
      group.pass(250);
      const isCut = ({ from, to }: Message) => from === "a" || to === "a";
      for (group.nowMs = 250; group.nowMs < 8000; ) {
        group.nowMs += 25;
        for (const id of ["a", "b"]) group.act(id, (node) => node.tick(group.nowMs));
        group.deliver(group.nowMs > cutAtMs ? isCut : undefined);
        if (group.node("b").role !== "leader" || group.node("a").role !== "leader") continue;
        if (group.node("b").term < group.node("a").term) continue;
        overlaps++;
        expect(read(group).isConfirmed).toBe(false);
      }
      expect(group.node("b").role).toBe("leader");
    }
    expect(overlaps).toBeGreaterThan(0);
  });

  it("not without check-quorum, where voters promise no silence, nor when told not to", () => {
    for (const options of [{ checkQuorum: false }, { leaseReads: false }]) {
      const group = led(options);
      group.pass(500);
      expect(read(group).isConfirmed).toBe(false);
    }
  });

  it("always when nobody else votes", () => {
    const group = led({ hosts: ["a"], boards: [] });
    expect(read(group).isConfirmed).toBe(true);
  });
});
