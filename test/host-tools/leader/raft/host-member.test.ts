import { describe, expect, it } from "vitest";
import type { Committed } from "../../../../host-tools/leader/raft/outcomes.ts";
import {
  ConditionFailed,
  OutcomeForgotten,
  ReplicaStopped,
  StateFull,
} from "../../../../host-tools/leader/raft/outcomes.ts";
import { nameOf } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { ShapeError } from "../../../../protocols/cbor/shape.ts";
import { NotLeader, TransferRefused } from "../../../../protocols/raft/errors.ts";
import { stateLimits } from "../../../../protocols/state/command.ts";
import { converged, HostWorld, smallSizes } from "./host-world.ts";

const three = ["a", "b", "c"];

describe("a host alone", () => {
  it("founds a group, leads at once and applies what it is given", async () => {
    const world = new HostWorld({ seed: 1, hostNames: ["a"] });
    const host = world.start("a", true);
    world.untilLeader();
    expect(await world.settled("a", { key: "fan.duty", value: 40 })).toEqual({ index: 3, term: 2 });
    expect(host.state.get("fan.duty")).toBe(40);
    expect(host.status(world.nowMs)).toMatchObject({
      role: "leader",
      commitIndex: 3,
      appliedIndex: 3,
      voters: [host.id],
    });
  });

  it("does not found one unless it may; then it waits, and may found later", () => {
    const world = new HostWorld({ seed: 1, hostNames: ["a"] });
    const host = world.start("a");
    world.run(5_000);
    expect([host.isLeader, host.isBlank]).toEqual([false, true]);
    expect(host.found(world.nowMs)).toBe(true);
    world.untilLeader();
    expect(host.found(world.nowMs)).toBe(false);
  });

  it("keeps its id and its state over power cuts, and replays what is not in the snapshot", async () => {
    const world = new HostWorld({ seed: 2, hostNames: ["a"], sizes: smallSizes });
    const { id } = world.start("a", true);
    world.untilLeader();
    for (let i = 0; i < 100; i++) await world.settled("a", { key: `k${i % 10}`, value: i });
    world.powerCut("a");
    const again = world.start("a");
    expect([again.id, world.host("a").restored > 0]).toEqual([id, true]);
    world.untilLeader();
    world.until(() => again.appliedIndex >= 102);
    expect(Array.from({ length: 10 }, (_, i) => again.state.get(`k${i}`))).toEqual([
      90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
    ]);
    expect(world.host("a").applied[0]!.index).toBe(97);
    expect(again.status(world.nowMs)).toMatchObject({ snapshotIndex: 96 });
    expect(again.status(world.nowMs).firstIndex).toBeGreaterThan(60);
  });

  it("syncs once for all that queued while the disk was busy, and answers only then", () => {
    const world = new HostWorld({ seed: 3, hostNames: ["a"] });
    const host = world.start("a", true);
    world.untilLeader();
    world.run(100);
    const before = world.host("a").disk.syncs;
    let answered = 0;
    for (let i = 0; i < 500; i++) host.propose({ key: "k", value: i }, world.nowMs, () => answered++);
    expect(answered).toBe(0);
    world.until(() => answered === 500);
    expect(world.host("a").disk.syncs - before).toBe(2);
  });

  it("stops for good, and says so once, when the disk refuses", async () => {
    const world = new HostWorld({ seed: 4, hostNames: ["a"] });
    const host = world.start("a", true);
    world.untilLeader();
    world.host("a").disk.fail(new Error("EIO: i/o error"));
    expect(await world.settled("a", { key: "k", value: 1 })).toBeInstanceOf(ReplicaStopped);
    expect(await world.settled("a", { key: "k", value: 2 })).toBeInstanceOf(ReplicaStopped);
    expect(world.failures.map(({ message }) => message)).toEqual(["EIO: i/o error"]);
    expect(host.state.get("k")).toBeUndefined();
  });

  it("refuses what would be skipped when it is applied", async () => {
    const world = new HostWorld({ seed: 5, hostNames: ["a"] });
    const host = world.start("a", true);
    world.untilLeader();
    const { lastIndex } = host.status(world.nowMs);
    expect(await world.settled("a", { key: "no blanks", value: 1 })).toBeInstanceOf(ShapeError);
    expect(
      await world.settled("a", { key: "k", value: "x".repeat(stateLimits.textBytesMax + 1) }),
    ).toBeInstanceOf(ShapeError);
    expect(host.status(world.nowMs).lastIndex).toBe(lastIndex);
  });

  it("refuses a key beyond the most, and takes it when another is gone", async () => {
    const world = new HostWorld({ seed: 5, hostNames: ["a"] });
    const host = world.start("a", true);
    world.untilLeader();
    // All at once: those on their way count, too.
    const outcomes: unknown[] = [];
    for (let i = 0; i <= stateLimits.keysMax; i++)
      host.propose({ key: `k${i}`, value: 1 }, world.nowMs, (o) => outcomes.push(o));
    world.until(() => outcomes.length > stateLimits.keysMax);
    expect(outcomes[0]).toBeInstanceOf(StateFull);
    expect(host.state.size).toBe(stateLimits.keysMax);
    await world.settled("a", { key: "k7", value: undefined });
    expect(await world.settled("a", { key: "new", value: 1 })).not.toBeInstanceOf(Error);
  });
});

describe("a command with an id", () => {
  it("is applied once, however often it is given: while it waits, after, after a restart, from a snapshot, to a new leader", async () => {
    const world = grown(6);
    const leader = world.leader!;
    const after = leader.member!.status(world.nowMs).commitIndex;
    const request = {
      key: "count",
      value: "once",
      id: { after, random: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
    };
    const outcomes: (Committed | Error)[] = [];
    for (let i = 0; i < 3; i++)
      leader.member!.propose(request, world.nowMs, (outcome) => outcomes.push(outcome));
    world.until(() => outcomes.length === 3);
    const first = outcomes[0] as Committed;
    expect(outcomes).toEqual([first, first, first]);
    expect(await world.settled(leader.name, { key: "count", value: "twice" })).not.toBeInstanceOf(Error);
    expect(await world.settled(leader.name, request)).toEqual(first);

    world.powerCut(leader.name);
    world.untilLeader();
    expect(world.leader).not.toBe(leader);
    expect(await world.settled(world.leader!.name, request)).toMatchObject({ index: first.index });
    expect(read(world, "count")).toBe("twice");

    for (const host of world.hosts.values()) if (host.member !== undefined) world.powerCut(host.name);
    for (const name of three) world.start(name);
    world.untilLeader();
    for (let i = 0; i < 34; i++) await world.settled(world.leader!.name, { key: "other", value: i });
    expect(world.status(world.leader!).snapshotIndex).toBeGreaterThan(first.index);
    for (const host of world.hosts.values()) world.powerCut(host.name);
    for (const name of three) world.start(name);
    world.untilLeader();
    expect(await world.settled(world.leader!.name, request)).toMatchObject({ index: first.index });
    expect(read(world, "count")).toBe("twice");
  });

  it("is refused, not applied, when it may have been forgotten; however long ago it was given first, not when nothing was", async () => {
    const world = new HostWorld({ seed: 7, hostNames: ["a"], sizes: smallSizes });
    world.start("a", true);
    world.untilLeader();
    const old = { key: "k", value: "old", id: { after: 2, random: Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9) } };
    await world.settled("a", old);
    for (let i = 0; i < 300; i++) await world.settled("a", { key: "k", value: i });
    const outcome = await world.settled("a", old);
    expect(outcome).toBeInstanceOf(OutcomeForgotten);
    expect((outcome as OutcomeForgotten).floor).toBeGreaterThan(3);
    expect(world.member("a").state.get("k")).toBe(299);
    const fresh = { ...old, id: { after: 250, random: Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 8) } };
    expect(await world.settled("a", fresh)).not.toBeInstanceOf(Error);
    expect(world.status(world.host("a")).commandsFloor).toBeGreaterThan(150);
  });
});

describe("compare-and-set", () => {
  it("is decided on what the log will make of the state, many at once", async () => {
    const world = new HostWorld({ seed: 8, hostNames: ["a"] });
    const host = world.start("a", true);
    world.untilLeader();
    const outcomes: (Committed | Error)[] = [];
    const increment = (from: number | undefined, to: number): void => {
      host.propose({ key: "n", value: to, expected: { value: from } }, world.nowMs, (outcome) =>
        outcomes.push(outcome),
      );
    };
    increment(undefined, 1);
    increment(1, 2);
    increment(1, 3);
    increment(2, 4);
    world.until(() => outcomes.length === 4);
    const failed = outcomes.filter((outcome) => outcome instanceof Error) as ConditionFailed[];
    expect(failed).toHaveLength(1);
    expect(failed[0]).toBeInstanceOf(ConditionFailed);
    expect(failed[0]).toMatchObject({ key: "n", found: 2 });
    expect(host.state.get("n")).toBe(4);
  });

  it("compares bytes by what they say, and absence", async () => {
    const world = new HostWorld({ seed: 9, hostNames: ["a"] });
    world.start("a", true);
    world.untilLeader();
    const put = (value: Uint8Array | undefined, expected: Uint8Array | undefined) =>
      world.settled("a", { key: "b", value, expected: { value: expected } });
    expect(await put(Uint8Array.of(1, 2), undefined)).not.toBeInstanceOf(Error);
    expect(await put(Uint8Array.of(3), Uint8Array.of(1, 3))).toBeInstanceOf(ConditionFailed);
    expect(await put(undefined, Uint8Array.of(1, 2))).not.toBeInstanceOf(Error);
    expect(await put(Uint8Array.of(3), undefined)).not.toBeInstanceOf(Error);
  });

  it("that is cut off with its leader fails for nobody's value", () => {
    const world = grown(10);
    const leader = world.leader!;
    for (const name of three) if (name !== leader.name) world.cut(leader.name, name);
    const outcomes: unknown[] = [];
    leader.member!.propose({ key: "k", value: "mine" }, world.nowMs, () => {});
    // What it finds, its own, may never be committed.
    world.run(timingSlack);
    leader.member!.propose({ key: "k", value: 1, expected: { value: "other" } }, world.nowMs, (o) =>
      outcomes.push(o),
    );
    world.until(() => outcomes.length === 1);
    expect(outcomes[0]).toBeInstanceOf(NotLeader);
  });
});

describe("three hosts", () => {
  it("are all made voters, and stay one group when any of them dies", async () => {
    const world = grown(11);
    expect(world.status(world.leader!).voters.map(nameOf).sort()).toEqual(three);
    for (const name of three) {
      world.powerCut(name);
      world.untilLeader();
      expect(await world.settled(world.leader!.name, { key: name, value: 1 })).not.toBeInstanceOf(Error);
      world.start(name);
      world.until(() => converged(world));
    }
    expect(world.violations).toEqual([]);
  });

  it("replace one that lost its disk by its new self, which catches up from a snapshot with the commands in it", async () => {
    const world = grown(12);
    const id = { after: 0, random: Uint8Array.of(4, 4, 4, 4, 4, 4, 4, 4) };
    const { leader } = world;
    for (let i = 0; i < 70; i++) await world.settled(leader!.name, { key: `k${i % 5}`, value: i });
    id.after = world.status(leader!).commitIndex;
    const first = await world.settled(leader!.name, { key: "x", value: 1, id });
    for (let i = 0; i < 40; i++) await world.settled(leader!.name, { key: `k${i % 5}`, value: i });
    const lost = three.find((name) => name !== leader!.name)!;
    const oldId = world.member(lost).id;
    world.loseDisk(lost);
    world.run(1000);
    world.start(lost);
    world.until(() => world.status(leader!).voters.includes(world.member(lost).id));
    expect(world.status(leader!).voters).not.toContain(oldId);
    expect(world.host(lost).restored).toBe(1);
    world.until(() => converged(world));
    expect(world.member(lost).status(world.nowMs)).toMatchObject({
      commandsFloor: world.status(leader!).snapshotIndex - 64,
    });
    world.powerCut(leader!.name);
    world.untilLeader();
    world.until(() => world.leader !== undefined);
    expect(await world.settled(world.leader!.name, { key: "x", value: 1, id })).toMatchObject({
      index: (first as Committed).index,
    });
  });

  it("pass leadership on, to a host and to nobody else", () => {
    const world = grown(13);
    const leader = world.leader!.member!;
    const to = three.find((name) => name !== world.leader!.name)!;
    expect(() => leader.transfer("n.1", world.nowMs)).toThrow(TransferRefused);
    expect(() => leader.transfer(leader.id, world.nowMs)).toThrow(TransferRefused);
    leader.transfer(to, world.nowMs);
    world.until(() => world.member(to).isLeader);
    expect(() => leader.transfer(to, world.nowMs)).toThrow(NotLeader);
  });

  it("confirm reads, at once within the lease", () => {
    const world = grown(14);
    world.run(300);
    const leader = world.leader!.member!;
    let index: number | Error | undefined;
    leader.read(world.nowMs, (outcome) => {
      index = outcome;
    });
    expect(index).toBe(leader.status(world.nowMs).commitIndex);
    const other = [...world.hosts.values()].find(({ member }) => member !== leader)!;
    other.member!.read(world.nowMs, (outcome) => {
      index = outcome;
    });
    expect(index).toMatchObject({ name: "NotLeader", leaderId: leader.id });
  });
});

function grown(seed: number): HostWorld {
  const world = new HostWorld({ seed, hostNames: three, sizes: smallSizes });
  world.startAll();
  world.until(() => world.leader !== undefined && world.status(world.leader).voters.length === 3);
  world.until(() => world.status(world.leader!).commitIndex === world.status(world.leader!).lastIndex);
  return world;
}

/** What the leader has for a key, once that is confirmed. */
function read(world: HostWorld, key: string): unknown {
  const leader = world.leader!.member!;
  let outcome: number | Error | undefined;
  leader.read(world.nowMs, (answer) => {
    outcome = answer;
  });
  world.until(() => outcome !== undefined);
  return outcome instanceof Error ? outcome : leader.state.get(key);
}

/** Shorter than any election. */
const timingSlack = 50;
