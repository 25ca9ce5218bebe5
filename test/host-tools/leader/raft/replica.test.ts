import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { votersKey } from "../../../../host-tools/leader/raft/host-member-types.ts";
import { DamagedLog } from "../../../../host-tools/leader/raft/log-records.ts";
import { ForeignLog, OutcomeUnknown, ReplicaStopped } from "../../../../host-tools/leader/raft/outcomes.ts";
import type { ReplicaOptions } from "../../../../host-tools/leader/raft/replica.ts";
import { Replica } from "../../../../host-tools/leader/raft/replica.ts";
import { nameOf } from "../../../../host-tools/leader/raft/voter-policy.ts";
import { messageFromWire, messageToWire } from "../../../../protocols/raft/codec.ts";
import { NotLeader, ProposalQueueFull, TransferRefused } from "../../../../protocols/raft/errors.ts";
import { Follower } from "../../../../protocols/raft/follower.ts";
import type { Timing } from "../../../../protocols/raft/node-options.ts";
import { uncommittedEntriesMax } from "../../../../protocols/raft/node-options.ts";
import type { Entry, Message, Publication } from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import { Disk, sha256 } from "../../../protocols/raft/group/disk.ts";

/** For what must not end in an election, however busy the computer is. */
const slowTiming = { heartbeatMs: 20, electionMinMs: 1_500, electionMaxMs: 3_000 };
const timing = { heartbeatMs: 10, electionMinMs: 50, electionMaxMs: 100 };

let directory: string;
/** What was started and is stopped after each test. */
let replicas: Replica[];
let boards: Map<string, Board>;
let applied: Entry[];
let published: Publication[];
let violations: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "covey-replica-"));
  replicas = [];
  boards = new Map();
  applied = [];
  published = [];
  violations = [];
});

afterEach(async () => {
  for (const replica of replicas) await replica.stop().catch(() => {});
  rmSync(directory, { recursive: true });
});

describe("a host alone", () => {
  it("commits in the order of the proposals, each once, whatever their number", async () => {
    const host = await leading();
    const values = Array.from({ length: 1000 }, (_, i) => i);
    const places = await Promise.all(values.map((value) => host.propose({ key: "n", value })));
    expect(places.map(({ index }) => index)).toEqual(values.map((i) => i + 3));
    expect(applied.map(({ index }) => index)).toEqual(Array.from({ length: 1002 }, (_, i) => i + 1));
    expect(host.state.get("n")).toBe(999);
    expect(host.status()).toMatchObject({
      role: "leader",
      term: 2,
      commitIndex: 1002,
      appliedIndex: 1002,
      voters: [host.id],
    });
  });

  it("keeps its id and all that was committed over a restart, and replays it once", async () => {
    const host = await leading();
    for (let i = 0; i < 300; i++) host.propose({ key: "n", value: i }).catch(() => {});
    await host.propose({ key: "n", value: "last" });
    await host.stop();
    const before = applied;
    applied = [];
    const again = start();
    expect(again.id).toBe(host.id);
    await until(() => again.status().appliedIndex > before.length);
    expect(applied.slice(0, before.length)).toEqual(before);
    expect(applied.at(-1)).toMatchObject({ kind: EntryKind.noop, term: 3 });
    expect(again.state.get("n")).toBe("last");
  });

  it("says how much of a torn write it cut off, and refuses a log that is damaged or another host's", async () => {
    const host = await leading();
    for (let i = 0; i < 20; i++) await host.propose({ key: "n", value: i });
    await host.stop();
    const [segment] = readdirSync(directory);
    const path = join(directory, segment!);
    const sound = readFileSync(path);
    writeFileSync(path, Buffer.concat([sound, Buffer.from([9, 9, 9])]));
    expect(() => Replica.open(optionsFor({ hostName: "b", hostNames: ["a", "b"] }))).toThrow(ForeignLog);
    writeFileSync(path, Buffer.concat([sound, Buffer.from([9, 9, 9])]));
    const again = start();
    expect(again.tornBytes).toBe(3);
    await again.stop();
    const damaged = readFileSync(path);
    damaged[200]! ^= 1;
    writeFileSync(path, damaged);
    expect(() => Replica.open(optionsFor({}))).toThrow(DamagedLog);
    expect(readFileSync(path)).toEqual(damaged);
  });

  it("takes nothing before it is started and after it is stopped", async () => {
    const host = await leading();
    await host.stop();
    await expect(host.propose({ key: "n", value: 1 })).rejects.toThrow(ReplicaStopped);
    await expect(host.readIndex()).rejects.toThrow(ReplicaStopped);
  });
});

describe("a host with boards", () => {
  it("makes those voters that the state names, and publishes to the rest", async () => {
    const host = await leading();
    for (const id of ["n.1", "s.1", "w.1"]) connect(host, id);
    await host.propose({ key: votersKey, value: "n,s" });
    await until(() => host.status().voters.length === 3);
    const { index } = await host.propose({ key: "fan", value: 1 });
    await until(() => host.status().members.every((member) => member.appliedIndex >= index));
    expect(host.status().voters.map(nameOf).sort()).toEqual(["a", "n", "s"]);
    expect(host.status().members.map(({ id, isVoter, listens }) => [id, isVoter, listens])).toEqual([
      ["n.1", true, false],
      ["s.1", true, false],
      ["w.1", false, true],
    ]);
    expect(published.flatMap(({ entries }) => entries.map((entry) => entry.index))).toContain(index);
    for (const { disk } of boards.values()) expect(disk.entry(index)).toMatchObject({ kind: EntryKind.put });
    expect(violations).toEqual([]);

    await host.propose({ key: votersKey, value: "n" });
    await until(() => host.status().voters.length === 2);
    await until(() => host.status().members.find(({ id }) => id === "s.1")?.listens === true);
  });

  it("needs a majority: one of two boards away is borne; both away, it stops leading and says that it does not know", async () => {
    const host = await withVoters("n", "s");
    disconnect(host, "n.1");
    await host.propose({ key: "k", value: "two of three" });
    disconnect(host, "s.1");
    const waiting = host.propose({ key: "k", value: "one of three" });
    await expect(waiting).rejects.toThrow(OutcomeUnknown);
    expect(host.isLeader).toBe(false);
    await expect(host.propose({ key: "k", value: "none" })).rejects.toThrow(NotLeader);
    await expect(host.readIndex()).rejects.toThrow(NotLeader);
    // A voter out of reach stays a voter.
    expect(host.status().voters).toHaveLength(3);
    // It may still be agreed on, and is.
    connect(host, "n.1");
    await until(() => host.state.get("k") === "one of three");
  });

  it("replaces a board that lost its memory and returned under a new incarnation", async () => {
    const host = await withVoters("n", "s");
    disconnect(host, "n.1");
    boards.delete("n.1");
    connect(host, "n.2");
    await until(() => host.status().voters.includes("n.2"));
    await until(() => host.status().members.every((member) => member.id !== "n.1"));
    expect(host.status().voters).toEqual([host.id, "s.1", "n.2"]);
  });

  it("leads again after a restart as soon as enough voters are back", async () => {
    const host = await withVoters("n", "s");
    const { index } = await host.propose({ key: "k", value: "kept" });
    disconnect(host, "n.1");
    disconnect(host, "s.1");
    await host.stop();
    const again = start();
    await pause(200);
    expect(again.isLeader).toBe(false);
    connect(again, "s.1");
    await until(() => again.status().commitIndex > index);
    expect(again.state.get("k")).toBe("kept");
    expect(violations).toEqual([]);
  });

  it("takes no more proposals than may wait for a majority", async () => {
    const host = await withVotersAt(slowTiming, "n");
    disconnect(host, "n.1");
    const outcomes = Array.from({ length: uncommittedEntriesMax + 1 }, (_, i) => {
      return host.propose({ key: "k", value: i }).then(
        () => "committed",
        (error: Error) => error,
      );
    });
    expect(await outcomes.at(-1)).toBeInstanceOf(ProposalQueueFull);
    connect(host, "n.1");
    expect(new Set(await Promise.all(outcomes.slice(0, -1)))).toEqual(new Set(["committed"]));
  });

  it("confirms a read by asking its voters or by its lease, many at once too", async () => {
    const host = await withVoters("n", "s");
    const { index } = await host.propose({ key: "k", value: 1 });
    expect(await host.readIndex()).toBeGreaterThanOrEqual(index);
    const reads = await Promise.all(Array.from({ length: 100 }, () => host.readIndex()));
    expect(Math.min(...reads)).toBeGreaterThanOrEqual(index);
  });

  it("does not pass leadership to a board, nor to itself", async () => {
    const host = await withVoters("n");
    expect(() => host.transfer("n.1")).toThrow(TransferRefused);
    expect(() => host.transfer(host.id)).toThrow(TransferRefused);
  });
});

/** A board in memory; its connection is as fast and as good as the event loop. */
interface Board {
  readonly disk: Disk;
  readonly follower: Follower;
  isConnected: boolean;
}

function optionsFor(options: Partial<ReplicaOptions>): ReplicaOptions {
  return {
    directory,
    hostName: "a",
    hostNames: ["a"],
    mayFound: true,
    send: (message) => setImmediate(() => toBoard(message)),
    publish: (publication) => {
      published.push(publication);
      for (const [id, { follower, isConnected }] of boards) {
        if (isConnected && id !== "a") setImmediate(() => perform(id, follower.takePublication(publication)));
      }
    },
    onApplied: (entries) => applied.push(...entries),
    onRestored: () => {},
    onViolation: (violation) => violations.push(violation),
    onFailure: (error) => {
      throw error;
    },
    timing,
    ...options,
  };
}

function start(options: Partial<ReplicaOptions> = {}): Replica {
  const replica = Replica.open(optionsFor(options));
  replicas.push(replica);
  replica.start();
  return replica;
}

async function leading(options: Partial<ReplicaOptions> = {}): Promise<Replica> {
  const host = start(options);
  await until(() => host.isLeader && host.status().commitIndex >= 2);
  return host;
}

/** With one board for each name, all of them voters. */
async function withVoters(...names: string[]): Promise<Replica> {
  return withVotersAt(timing, ...names);
}

async function withVotersAt(pace: Timing, ...names: string[]): Promise<Replica> {
  const host = await leading({ timing: pace });
  await host.propose({ key: votersKey, value: names.join() });
  for (const name of names) connect(host, `${name}.1`);
  await until(() => host.status().voters.length === names.length + 1);
  await until(() => host.status().commitIndex === host.status().lastIndex);
  return host;
}

function connect(host: Replica, id: string): void {
  let board = boards.get(id);
  if (board === undefined) {
    const disk = new Disk();
    const silence = { leaderHeardMs: -Infinity, leaderSilenceMs: timing.electionMinMs };
    const follower = new Follower({
      id,
      hardState: disk.hardState,
      log: disk,
      sha256,
      commitIndex: 0,
      ...silence,
    });
    board = { disk, follower, isConnected: true };
    boards.set(id, board);
  }
  board.isConnected = true;
  host.addMember(id);
}

function disconnect(host: Replica, id: string): void {
  boards.get(id)!.isConnected = false;
  host.removeMember(id);
}

function toBoard(sent: Message): void {
  const board = boards.get(sent.to);
  if (board?.isConnected !== true) return;
  perform(sent.to, board.follower.step(messageFromWire(messageToWire(sent)), performance.now()));
}

function perform(id: string, output: ReturnType<Follower["step"]>): void {
  const { disk, follower } = boards.get(id)!;
  disk.write(output);
  disk.sync();
  follower.setApplied(output.commitIndex);
  const host = replicas.at(-1)!;
  for (const answer of output.messages) {
    setImmediate(() => boards.get(id)?.isConnected && host.receive(messageFromWire(messageToWire(answer))));
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (!isSo()) {
    if (Date.now() > endMs) throw new Error(`Not within 10 s: ${isSo}`);
    await pause(2);
  }
}
