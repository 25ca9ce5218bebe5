import { describe, expect, it } from "vitest";
import { encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { HostLog } from "../../../../host-tools/leader/raft/host-log.ts";
import { RecoveryRefused, recover } from "../../../../host-tools/leader/raft/recover.ts";
import { sha256 } from "../../../../host-tools/leader/raft/sha256.ts";
import { nameOf } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { messageFromWire, messageToWire } from "../../../../protocols/raft/codec.ts";
import { noConfiguration } from "../../../../protocols/raft/confchange.ts";
import { Follower } from "../../../../protocols/raft/follower.ts";
import { configurationToEntry } from "../../../../protocols/raft/membership.ts";
import type { Entry, LogRequest, MemberId, Message, SnapshotItem } from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import { SimulatedDisk } from "../../../simulation/raft/simulated-disk.ts";
import { HostWorld, seeded } from "./host-world.ts";

describe("recovering a host's log", () => {
  it("copies the most up-to-date one, votes alone above all terms, and says that nothing is lost when a majority answered", async () => {
    const voters = ["a.1", "n.1", "s.1"];
    const north = board("n.1", entries(voters, 40, 3), { commitIndex: 38, term: 5 });
    const south = board("s.1", entries(voters, 37, 3), { commitIndex: 37, term: 7 });
    const { report, disk } = await recovered([south, north]);
    expect(report).toMatchObject({
      source: "n.1",
      lastIndex: 40,
      lastTerm: 3,
      term: 8,
      voters,
      votersNotHeard: ["a.1"],
      isComplete: true,
    });
    expect(report.text).toMatch(
      /rebuilt from n\.1 up to entry 40 of term 3.*up to entry 38 it was known.*did not answer: a\.1.*nothing that was acknowledged is lost/,
    );
    const log = logOn(disk);
    expect([log.lastIndex, log.hardState]).toEqual([41, { term: 8, vote: report.memberId }]);
    expect(log.hashAt(40)).toEqual(north.log.hashAt(40));

    // A plain start goes on from it.
    const world = new HostWorld({ seed: 1, hostNames: ["a"] });
    world.host("a").disk = disk.powerCut(seeded(1), { schedule: (complete) => world.after(1, complete) });
    const host = world.start("a");
    world.untilLeader();
    expect([host.id, host.state.get("k"), host.status(0).voters]).toEqual([
      report.memberId,
      40,
      [report.memberId],
    ]);
  });

  it("says what may be lost when no majority answered", async () => {
    const voters = ["a.1", "b.1", "n.1"];
    const { report } = await recovered(
      [board("n.1", entries(voters, 20, 2), { commitIndex: 20, term: 2 })],
      ["a", "b"],
    );
    expect(report.isComplete).toBe(false);
    expect(report.text).toContain(
      "changes after entry 20 that were acknowledged by the missing ones are lost, if there were any",
    );
    expect(report.text).toContain("empty its Raft folder before you start it");
  });

  it("takes a snapshot where the entries are gone, in parts, and goes to the next member when one stops answering", async () => {
    const voters = ["a.1", "n.1", "s.1"];
    const north = board("n.1", entries(voters, 300, 3), { commitIndex: 300, term: 3 });
    const south = board("s.1", entries(voters, 290, 3), { commitIndex: 290, term: 3 });
    const items: SnapshotItem[] = [
      { kind: EntryKind.membership, ...configurationToEntry({ ...noConfiguration, voters }) },
      ...Array.from({ length: 50 }, (_, i) => put(`key-${i}`, "x".repeat(100))),
    ];
    for (const each of [north, south]) {
      each.log.compact(200, items);
      each.settle();
    }
    let answers = 0;
    const silent = {
      ...north,
      answer: (request: LogRequest) => (answers++ < 4 ? north.answer(request) : undefined),
    };
    const { report, disk } = await recovered([silent, south]);
    expect(report).toMatchObject({ source: "s.1", lastIndex: 290, voters });
    const log = logOn(disk);
    expect([log.snapshot?.index, log.lastIndex, log.snapshotContents.length]).toEqual([200, 291, 51]);
  });

  it("gives up entries of a member that stopped answering, where the next one has others", async () => {
    const voters = ["a.1", "n.1", "s.1"];
    const north = board("n.1", [...entries(voters, 20, 2), ...more(21, 60, 4)], { commitIndex: 20, term: 4 });
    const south = board("s.1", [...entries(voters, 20, 2), ...more(21, 25, 3)], { commitIndex: 20, term: 4 });
    let answers = 0;
    const silent = {
      ...north,
      answer: (request: LogRequest) => (answers++ < 3 ? north.answer(request) : undefined),
    };
    const { report, disk } = await recovered([silent, south]);
    expect(report).toMatchObject({ source: "s.1", lastIndex: 25, lastTerm: 3 });
    expect(logOn(disk).hashAt(25)).toEqual(south.log.hashAt(25));
  });

  it("refuses where the group goes on without, unless forced; where nobody answers; and where there is a log", async () => {
    const voters = ["a.1", "b.1", "n.1"];
    const members = [
      board("b.1", entries(voters, 9, 2), { commitIndex: 9, term: 2 }),
      board("n.1", entries(voters, 9, 2), { commitIndex: 9, term: 2 }),
    ];
    await expect(recovered(members, ["a", "b"])).rejects.toThrow(/b can lead it: start host a plainly/);
    expect((await recovered(members, ["a", "b"], true)).report.lastIndex).toBe(9);
    await expect(recovered([])).rejects.toThrow(RecoveryRefused);
    const { disk } = await recovered([members[1]!]);
    await expect(recover({ ...optionsFor([members[1]!], disk), disk })).rejects.toThrow(
      /move its folder aside/,
    );
  });
});

interface Board {
  readonly id: MemberId;
  readonly log: HostLog;
  settle(): void;
  answer(request: LogRequest): Message | undefined;
}

/** A member that holds these entries, and answers as every follower does, in the bytes of the wire. */
function board(
  id: MemberId,
  some: readonly Entry[],
  { commitIndex, term }: { commitIndex: number; term: number },
): Board {
  const agenda: (() => void)[] = [];
  const disk = new SimulatedDisk({ schedule: (complete) => agenda.push(complete) });
  const log = HostLog.create({ disk, sha256, isHost: () => false, sizes: { trailingEntries: 5 } }, id);
  log.append({ hardState: { term, vote: undefined }, truncateFrom: 0, entries: some, snapshot: undefined });
  const settle = (): void => {
    log.flush(() => {});
    while (agenda.length > 0) agenda.shift()!();
  };
  settle();
  const hardState = log.hardState;
  const follower = new Follower({
    id,
    hardState,
    log,
    sha256,
    commitIndex,
    leaderHeardMs: 0,
    leaderSilenceMs: 1000,
  });
  const answer = (request: LogRequest): Message | undefined => {
    const [message] = follower.step(messageFromWire(messageToWire(request)), 1).messages;
    return message === undefined ? undefined : messageFromWire(messageToWire(message));
  };
  return { id, log, settle, answer };
}

async function recovered(members: readonly Board[], hostNames = ["a"], isForced = false) {
  const disk = new SimulatedDisk({ schedule: (complete) => setImmediate(complete) });
  const report = await recover({ ...optionsFor(members, disk), hostNames, isForced });
  return { report, disk: disk.powerCut(() => 0) };
}

function optionsFor(members: readonly Board[], disk: SimulatedDisk) {
  return {
    hostName: "a",
    hostNames: ["a"],
    disk,
    sha256,
    random: seeded(5),
    members: [...members.map(({ id }) => id), "gone.1"],
    ask: async (request: LogRequest) => members.find(({ id }) => id === request.to)?.answer(request),
  };
}

function logOn(disk: SimulatedDisk): HostLog {
  const log = HostLog.open({ disk, sha256, isHost: (id) => nameOf(id) === "a" });
  if (log === undefined) throw new Error("There is no log.");
  return log;
}

function entries(voters: readonly MemberId[], count: number, term: number): Entry[] {
  const first = {
    index: 1,
    term: 1,
    kind: EntryKind.membership,
    ...configurationToEntry({ ...noConfiguration, voters }),
  };
  return [first, ...more(2, count, term)];
}

function more(from: number, to: number, term: number): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({ index: from + i, term, ...put("k", from + i) }));
}

function put(key: string, value: number | string): SnapshotItem {
  return { kind: EntryKind.put, version: 1, data: encodeCbor([key, value]) };
}
