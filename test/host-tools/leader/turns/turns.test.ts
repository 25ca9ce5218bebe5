/** A host's part in turns; boards and hosts together under faults are in `test/simulation/turns`. */
import { describe, expect, test } from "vitest";
import type { ProposeRequest } from "../../../../host-tools/leader/raft/host-member-types.ts";
import { Turns } from "../../../../host-tools/leader/turns/turns.ts";
import { turnFromBytes } from "../../../../protocols/turns/turn.ts";
import type { TurnSaying } from "../../../../protocols/turns/turn-message.ts";

function host() {
  const it = {
    value: undefined as Uint8Array | undefined,
    isLeader: true,
    term: 1,
    nowMs: 0,
    silent: new Set<string>(),
    puts: [] as Pick<ProposeRequest, "key" | "value" | "expected">[],
    /** Whether what is proposed is agreed on. */
    agrees: true,
    says: (board: string, says: TurnSaying, askedMs: number, isHere = true) =>
      turns.heard(board, { says, startId: 1, askedMs, purpose: "move" }, isHere),
    look: () => turns.look(),
    get holder() {
      return it.value && turnFromBytes(it.value).holder?.board;
    },
  };
  const members = ["main.1", "a.1", "b.1"];
  const turns = new Turns({
    state: { get: () => (it.value === undefined ? undefined : { value: it.value, index: 1 }) },
    replica: {
      get isLeader() {
        return it.isLeader;
      },
      get term() {
        return it.term;
      },
      status: () => ({
        id: "main.1",
        configuration: {
          ...{ voters: members, outgoing: [], learners: [], learnersNext: [] },
          autoLeave: false,
        },
        members: members.slice(1).map((id) => ({
          ...{ id, isVoter: true, listens: false, matchIndex: 0, appliedIndex: 0 },
          silentMs: it.silent.has(id) ? 5_000 : 100,
        })),
      }),
    },
    put: async (request) => {
      it.puts.push(request);
      if (!it.agrees) throw new Error("another value");
      it.value = request.value as Uint8Array;
    },
    log: { info: () => {}, debug: () => {} },
    nowMs: () => it.nowMs,
  });
  return it;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a host that leads", () => {
  test("gives the turn at once, in place of what it looked at, and takes it back", async () => {
    const it = host();
    it.says("a", "asks", 10);
    expect(it.puts).toMatchObject([{ key: "covey/turn", expected: { value: undefined } }]);
    await settled();
    expect(it.holder).toBe("a");
    const { value } = it;
    it.says("b", "asks", 10);
    it.says("a", "back", 20);
    expect(it.puts[1]!.expected).toEqual({ value });
    await settled();
    expect(it.holder).toBe("b");
  });

  test("gives none while a voter is silent", async () => {
    const it = host();
    it.silent.add("b.1");
    it.says("a", "asks", 10);
    expect(it.puts).toEqual([]);
    it.silent.clear();
    it.look();
    expect(it.puts).toHaveLength(1);
  });

  test("proposes one thing at a time, and again what was not agreed on", async () => {
    const it = host();
    it.agrees = false;
    it.says("a", "asks", 10);
    it.says("b", "asks", 10);
    expect(it.puts).toHaveLength(1);
    await settled();
    it.agrees = true;
    it.look();
    await settled();
    expect([it.puts.length, it.holder]).toEqual([2, "a"]);
  });

  test("believes another host no more than that a board is away, and gives nothing to boards that do not vote", async () => {
    const it = host();
    it.says("a", "asks", 10, false);
    it.says("c", "asks", 10);
    expect(it.puts).toEqual([]);
    it.says("a", "asks", 10);
    await settled();
    it.says("a", "back", 20, false);
    it.look();
    expect([it.puts.length, it.holder]).toEqual([1, "a"]);
  });

  test("does nothing when it does not lead, or cannot read what is agreed on", () => {
    const it = host();
    it.isLeader = false;
    it.says("a", "asks", 10);
    it.isLeader = true;
    it.value = new Uint8Array([1]);
    it.says("a", "asks", 20);
    expect(it.puts).toEqual([]);
  });
});
