import { beforeEach, describe, expect, it } from "vitest";
import { type Answer, RaftShell } from "../../../host-tools/raft-shell/shell.ts";
import { Random } from "../../simulation/raft/random.ts";

let shell: RaftShell;

beforeEach(() => {
  shell = new RaftShell();
});

describe("the Raft shell", () => {
  it("lets time pass as told, and each node wait as long as told", () => {
    run({ op: "create", voters: ["a", "b", "c"], timeouts: { a: 15, b: 12 } });
    run({ op: "tick", count: 9 });
    expect(run({ op: "messages" }).messages).toEqual([]);
    run({ op: "tick" });
    expect(stateOf("c").role).toBe("pre-candidate");
    expect(stateOf("b").role).toBe("follower");
    run({ op: "tick", node: "b", count: 2 });
    expect(stateOf("b").role).toBe("pre-candidate");
    run({ op: "timeout", node: "a", ticks: 19 });
    run({ op: "tick", node: "a", count: 5 });
    expect(stateOf("a").role).toBe("pre-candidate");
    run({ op: "drop" });
    run({ op: "tick", node: "a", count: 18 });
    expect(run({ op: "messages" }).messages).toEqual([]);
    run({ op: "tick", node: "a" });
    expect(run({ op: "messages" }).messages).toHaveLength(2);
  });

  it("runs the plain protocol when told to", () => {
    run({ op: "create", voters: ["a", "b"], preVote: false, checkQuorum: false });
    run({ op: "campaign", node: "a" });
    expect(stateOf("a")).toMatchObject({ role: "candidate", term: 1, vote: "a" });
    run({ op: "deliver", untilQuiet: true });
    run({ op: "tick", node: "a", count: 100 });
    expect(stateOf("a").role).toBe("leader");
  });

  it("steps down without a majority", () => {
    elect("a", "b", "c");
    run({ op: "tick", node: "a", count: 20 });
    expect(stateOf("a").role).toBe("leader");
    run({ op: "tick", node: "a", count: 1 });
    expect(stateOf("a")).toMatchObject({ role: "follower", lead: null });
  });

  it("begins where it is told, and brings up a member of the log before that by a snapshot", () => {
    run({ op: "create", voters: ["a", "b"], firstIndex: 11 });
    run({ op: "create", others: ["c"] });
    run({ op: "campaign", node: "a" });
    run({ op: "deliver", untilQuiet: true });
    expect(stateOf("b")).toMatchObject({ commit: 11, applied: 11, firstIndex: 11, lastIndex: 11, term: 2 });
    run({ op: "change", node: "a", changes: [{ kind: "learner", id: "c" }] });
    run({ op: "deliver", untilQuiet: true, count: 1000 });
    expect(stateOf("c")).toMatchObject({ snapshot: 10, firstIndex: 11, lastIndex: 12, commit: 12 });
    expect(stateOf("c").membership).toMatchObject({ voters: ["a", "b"], learners: ["c"] });
    expect(progressOf("a", "c")).toMatchObject({ state: "replicate", match: 12, snapshot: null });
  });

  it("sends a snapshot in chunks, and says how far it is", () => {
    run({ op: "create", voters: ["a", "b"], limits: { snapshotChunkBytes: 50 } });
    run({ op: "campaign", node: "a" });
    run({ op: "deliver", untilQuiet: true });
    for (let i = 0; i < 5; i++) run({ op: "propose", node: "a", data: `k${i}=${"v".repeat(30)}` });
    run({ op: "deliver", untilQuiet: true });
    run({ op: "compact", node: "a", index: 5, trailing: 1 });
    expect(stateOf("a")).toMatchObject({ snapshot: 5, firstIndex: 5 });
    run({ op: "create", others: ["c"] });
    run({ op: "change", node: "a", changes: [{ kind: "learner", id: "c" }] });
    run({ op: "deliver", untilQuiet: true, count: 6, type: "append-request" });
    run({ op: "deliver", from: "c", type: "append-response" });
    expect(progressOf("a", "c")).toMatchObject({ state: "snapshot", snapshot: { index: 5, item: 0 } });
    run({ op: "deliver", to: "c", type: "snapshot-chunk" });
    expect(stateOf("c").staged).toEqual({ index: 5, items: 2 });
    run({ op: "crash", node: "c" });
    run({ op: "restart", node: "c" });
    run({ op: "drop" });
    run({ op: "tick", node: "a", count: 2 });
    run({ op: "deliver", untilQuiet: true });
    expect(stateOf("c")).toMatchObject({ staged: null, snapshot: 5, lastIndex: 7, applied: 7 });
    const { snapshot } = run({ op: "log", node: "c" });
    expect((snapshot as { items: unknown[] }).items).toHaveLength(5);
  });

  it("copies a board's log to a host before that campaigns, unless told not to", () => {
    for (const catchesUp of [true, false]) {
      shell = new RaftShell();
      run({ op: "create", voters: ["a", "b", "n"], boards: ["n"], catchesUp });
      run({ op: "campaign", node: "a" });
      run({ op: "deliver", untilQuiet: true });
      run({ op: "propose", node: "a", data: "x" });
      run({ op: "deliver", to: "n" });
      run({ op: "deliver", from: "n" });
      run({ op: "drop" });
      expect(stateOf("a").commit).toBe(2);
      run({ op: "crash", node: "a" });
      for (let i = 0; i < 30; i++) {
        run({ op: "tick" });
        run({ op: "deliver", untilQuiet: true });
      }
      expect(stateOf("b").role === "leader").toBe(catchesUp);
      expect(stateOf("n").commit).toBe(catchesUp ? 3 : 1);
    }
  });

  it("publishes what is committed to those who listen", () => {
    run({ op: "create", voters: ["a", "b"], learners: ["w"], boards: ["w"], listeners: ["w"] });
    run({ op: "campaign", node: "a" });
    run({ op: "deliver", untilQuiet: true });
    run({ op: "tick", node: "a" });
    run({ op: "deliver", untilQuiet: true });
    expect(progressOf("a", "w")).toMatchObject({ listens: true, match: 1 });
    run({ op: "propose", node: "a", data: "x" });
    run({ op: "deliver", untilQuiet: true, from: "a", to: "b" });
    run({ op: "deliver", untilQuiet: true, from: "b" });
    expect(run({ op: "messages", to: "w" }).messages).toMatchObject([
      { type: "publication", entries: [{ index: 2, type: "put", data: "x" }] },
      { type: "append-request", prevLogIndex: 2, entries: [] },
    ]);
    run({ op: "deliver", untilQuiet: true });
    expect(stateOf("w")).toMatchObject({ lastIndex: 2, applied: 2 });
  });

  it("answers reads within the lease at once, when told to", () => {
    run({ op: "create", voters: ["a", "b"], leaseReads: true });
    run({ op: "campaign", node: "a" });
    run({ op: "deliver", untilQuiet: true });
    run({ op: "tick", node: "a" });
    run({ op: "deliver", untilQuiet: true });
    expect(run({ op: "read", node: "a" })).toMatchObject({ reads: [{ index: 1 }] });
    run({ op: "tick", node: "a", count: 9 });
    expect(run({ op: "read", node: "a" }).reads).toBeUndefined();
  });

  it("brings up a learner from the log, and compacts it after", () => {
    elect("a", "b");
    run({ op: "create", others: ["l"] });
    run({ op: "change", node: "a", changes: [{ kind: "learner", id: "l" }] });
    run({ op: "deliver", untilQuiet: true });
    expect(stateOf("l")).toMatchObject({ lastIndex: 2, applied: 2 });
    expect(refused({ op: "compact", node: "a", index: 3 }).message).toContain("from 0 to 2");
    run({ op: "compact", node: "a", index: 2 });
    run({ op: "crash", node: "a" });
    run({ op: "restart", node: "a" });
    expect(stateOf("a")).toMatchObject({ firstIndex: 3, applied: 2, membership: { learners: ["l"] } });
  });

  it("keeps of the unsynced writes as many as told", () => {
    elect("a", "b");
    run({ op: "hold", node: "a" });
    for (const data of ["x", "y", "z"]) run({ op: "propose", node: "a", data });
    expect(stateOf("a").unsyncedWrites).toBe(3);
    expect(run({ op: "crash", node: "a", kept: 1 }).lostWrites).toBe(2);
    run({ op: "restart", node: "a" });
    expect(stateOf("a").lastIndex).toBe(2);
  });

  it("has boards that vote and never campaign", () => {
    run({ op: "create", voters: ["a", "n", "s"], boards: ["n", "s"] });
    expect(refused({ op: "campaign", node: "n" }).message).toContain("only follows");
    run({ op: "tick", count: 10 });
    run({ op: "deliver", untilQuiet: true });
    expect(stateOf("a").role).toBe("leader");
    expect(stateOf("n")).toMatchObject({ kind: "board", role: "follower", lead: "a", applied: 1 });
  });

  it("answers the reads of a leader that was replaced with a refusal", () => {
    elect("a", "b", "c");
    const { read } = run({ op: "read", node: "a" });
    run({ op: "drop" });
    run({ op: "transfer", node: "a", to: "b" });
    const { reads } = run({ op: "deliver", untilQuiet: true });
    expect(reads).toEqual([{ read, refused: "NotLeader" }]);
  });

  it.each([
    ["no JSON", "{", "no JSON"],
    ["no object", "[1]", "it must be an object"],
    ["no operation", "{}", "op is missing"],
    ["an unknown operation", '{"op":"fly"}', "the operations are create"],
    ["an unknown field", '{"op":"tick","tims":3}', "has no field tims"],
    ["a node that is not there", '{"op":"campaign","node":"z"}', "no node z"],
    ["a wrong number", '{"op":"tick","count":0}', "count is 0; it must be an integer from 1 on"],
    ["an unknown limit", '{"op":"create","voters":["z"],"limits":{"x":1}}', "x is none of"],
    ["a listener that is no board", '{"op":"create","voters":["z"],"listeners":["z"]}', "none of the boards"],
    ["a node twice", '{"op":"create","voters":["z","z"]}', "a list of different texts"],
    ["an unknown message type", '{"op":"drop","type":"x"}', "one of vote-request"],
  ])("refuses %s in a sentence", (_, line, sentence) => {
    const answer = shell.run(line);
    expect(answer).toMatchObject({ ok: false, error: "WrongOperation" });
    expect(answer.message).toContain(sentence);
  });

  it("goes on under any operations, and nobody breaks a promise", () => {
    const known = ["WrongOperation", "NotLeader", "MembershipRefused", "TransferRefused", "TransferUnderWay"];
    for (let seed = 1; seed <= 40; seed++) {
      shell = new RaftShell();
      const random = new Random(seed);
      const firstIndex = random.pick([1, 11]);
      const voters = ["a", "b", "c"];
      run({
        op: "create",
        voters,
        others: ["d", "e"],
        boards: random.chance(0.5) ? ["e"] : ["c", "e"],
        listeners: random.chance(0.5) ? ["e"] : [],
        firstIndex,
        preVote: random.chance(0.7),
        checkQuorum: random.chance(0.7),
        leaseReads: random.chance(0.5),
        limits: { snapshotChunkBytes: random.pick([10, 1000]) },
      });
      for (let i = 0; i < 400; i++) {
        const operation = anyOperation(random);
        const answer = shell.run(JSON.stringify(operation));
        if (answer.ok !== true)
          expect(known, JSON.stringify([seed, operation, answer])).toContain(answer.error);
        expect(answer.violations).toBeUndefined();
      }
    }
  });
});

function anyOperation(random: Random): object {
  const nodes = ["a", "b", "c", "d", "e"];
  const node = random.pick(nodes);
  const kind = () => random.pick(["voter", "learner", "remove"]);
  return random.pick([
    { op: "tick", count: random.between(1, 12) },
    { op: "tick", node, count: random.between(1, 25) },
    { op: "timeout", node, ticks: random.between(10, 19) },
    { op: "campaign", node },
    { op: "propose", node, data: `x=${random.between(1, 99)}` },
    { op: "propose", node, data: "y" },
    {
      op: "change",
      node,
      changes: nodes.filter(() => random.chance(0.3)).map((id) => ({ kind: kind(), id })),
      transition: random.pick(["auto", "auto", "simple", "joint", "joint-auto-leave", "leave"]),
    },
    { op: "transfer", node, to: random.pick(nodes) },
    { op: "read", node },
    { op: "deliver", count: random.between(1, 20) },
    { op: "deliver", from: node },
    { op: "deliver", untilQuiet: true, count: 300 },
    { op: "deliver", untilQuiet: true, count: 300 },
    { op: "drop", to: node },
    { op: "hold", node },
    { op: "sync", node, once: random.chance(0.5) },
    { op: "crash", node },
    { op: "restart", node },
    { op: "restart", node },
    { op: "compact", node, index: random.between(0, 30), trailing: random.pick([0, 3]) },
  ]);
}

function run(operation: object): Answer {
  const answer = shell.run(JSON.stringify(operation));
  expect(answer, JSON.stringify(operation)).toMatchObject({ ok: true });
  return answer;
}

function refused(operation: object): Answer {
  const answer = shell.run(JSON.stringify(operation));
  expect(answer.ok).toBe(false);
  return answer;
}

function stateOf(node: string): Record<string, unknown> {
  const { nodes } = run({ op: "state", node });
  return (nodes as Record<string, unknown>[])[0]!;
}

function progressOf(leader: string, node: string): unknown {
  const progress = stateOf(leader).progress as { id: string }[];
  return progress.find(({ id }) => id === node);
}

function elect(...voters: string[]): void {
  run({ op: "create", voters });
  run({ op: "campaign", node: voters[0] });
  run({ op: "deliver", untilQuiet: true });
}
