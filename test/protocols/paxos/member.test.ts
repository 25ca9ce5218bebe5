import { describe, expect, test } from "vitest";
import { settlePeriods } from "../../../protocols/paxos/changes.ts";
import { Member } from "../../../protocols/paxos/member.ts";
import type { Group } from "../../../protocols/paxos/types.ts";

const memberId = "north-1.00000001";
const members = [memberId, "south-1.00000002", "west-1.00000003"];
const base = [{ version: 0, value: 21, by: "", request: 0, atMs: 0 }];
const open: Group = {
  epoch: 1,
  isClosing: false,
  members,
  registers: [{ name: "setpoint", kind: "number", min: 0, max: 100 }],
  base,
};
const change = { register: "setpoint", ifVersion: undefined, atMs: 0, deadlineMs: 9_000 };

function member(): Member {
  const made = new Member({ memberId, random: () => 0.5 }, undefined);
  made.onGroup(open, 0);
  made.onKept();
  return made;
}

describe("when a member is due", () => {
  test("what waits for a group that is closing is due at its deadline, and not all the while", () => {
    const it = member();
    it.propose({ ...change, request: 1, value: 22 }, 100);
    it.onKept();
    expect(it.dueMs).toBeLessThan(1_000);
    it.onGroup({ ...open, isClosing: true }, 200);
    it.onKept();
    it.propose({ ...change, request: 2, value: 23 }, 300);
    expect(it.dueMs).toBe(9_000);
    it.run(5_000);
    expect(it.dueMs).toBe(9_000);
    const { outcomes } = it.run(9_000);
    expect(outcomes.map(({ request, kind }) => [request, kind])).toEqual([
      [1, "unreached"],
      [2, "unreached"],
    ]);
    expect(it.dueMs).toBe(Infinity);
  });

  test("after each time that it runs it is due later, whatever the group does", () => {
    const it = member();
    const state = { version: 1, value: 25, by: "south-1", request: 7, atMs: 0 };
    it.take("south-1", { kind: "accept", epoch: 1, register: 0, ballot: 9, state }, 100);
    it.onKept();
    it.propose({ ...change, request: 1, value: 22 }, 200);
    let nowMs = 200;
    const groups = [open, { ...open, isClosing: true }, { ...open, epoch: 2 }, undefined];
    for (const group of groups) {
      it.onGroup(group, nowMs);
      for (const endMs = nowMs + 2 * settlePeriods.settleMs; it.dueMs < endMs; ) {
        nowMs = it.dueMs;
        it.run(nowMs);
        expect(it.dueMs).toBeGreaterThan(nowMs);
      }
    }
  });

  test("without a group it is due for nothing, whatever it had accepted", () => {
    const it = member();
    const state = { version: 1, value: 25, by: "south-1", request: 7, atMs: 0 };
    it.take("south-1", { kind: "accept", epoch: 1, register: 0, ballot: 9, state }, 100);
    it.onKept();
    it.onGroup(undefined, 200);
    expect(it.dueMs).toBe(Infinity);
    expect(it.run(settlePeriods.settleMsMax).messages).toEqual([]);
  });
});
