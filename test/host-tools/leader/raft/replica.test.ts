import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OutcomeUnknown, ReplicaStopped, Superseded } from "../../../../host-tools/leader/raft/proposals.ts";
import type { ReplicaOptions } from "../../../../host-tools/leader/raft/replica.ts";
import { Replica } from "../../../../host-tools/leader/raft/replica.ts";
import { messageFromWire, messageToWire } from "../../../../protocols/raft/codec.ts";
import {
  EntryTooLarge,
  NotLeader,
  ProposalQueueFull,
  TransferRefused,
} from "../../../../protocols/raft/errors.ts";
import { Follower } from "../../../../protocols/raft/follower.ts";
import { uncommittedEntriesMax } from "../../../../protocols/raft/node-options.ts";
import type { Entry, Message } from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import { Disk } from "../../../protocols/raft/group/disk.ts";

const timing = { heartbeatMs: 10, electionMinMs: 50, electionMaxMs: 100 };

let directory: string;
/** What was started and is stopped after each test. */
let replicas: Replica[];
let boards: Map<string, Board>;
let committed: Entry[];
let violations: string[];
let failures: Error[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "covey-replica-"));
  replicas = [];
  boards = new Map();
  committed = [];
  violations = [];
  failures = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const replica of replicas) await replica.stop().catch(() => {});
  rmSync(directory, { recursive: true });
});

describe("a host alone", () => {
  it("leads at once, and resolves a proposal when it is committed and applied", async () => {
    const host = await start();
    await until(() => host.isLeader);
    const place = await host.propose(EntryKind.put, text("fan"));
    expect(place).toEqual({ index: 3, term: 2 });
    expect(textsOf(committed)).toEqual(["fan"]);
    expect(host.status()).toMatchObject({
      role: "leader",
      term: 2,
      commitIndex: 3,
      appliedIndex: 3,
      lastIndex: 3,
    });
    expect(host.status().voters).toEqual([host.id]);
  });

  it("commits in the order of the proposals, each once, whatever their number", async () => {
    const host = await start();
    await until(() => host.isLeader);
    const texts = Array.from({ length: 1000 }, (_, i) => `v${i}`);
    await Promise.all(texts.map((each) => host.propose(EntryKind.put, text(each))));
    expect(textsOf(committed)).toEqual(texts);
    expect(committed.map((entry) => entry.index)).toEqual(Array.from({ length: 1002 }, (_, i) => i + 1));
  });

  it("keeps its id and all that was committed over a restart, and replays it once", async () => {
    const host = await start();
    await until(() => host.isLeader);
    for (let i = 0; i < 300; i++) host.propose(EntryKind.put, text(`v${i}`)).catch(() => {});
    await host.propose(EntryKind.put, text("last"));
    await host.stop();
    const before = committed;
    committed = [];

    const again = await start();
    expect(again.id).toBe(host.id);
    await until(() => again.status().appliedIndex > before.length);
    expect(committed.slice(0, before.length)).toEqual(before);
    expect(committed.at(-1)).toMatchObject({ kind: EntryKind.noop, term: 3 });
  });

  it("says how much of a torn write it cut off", async () => {
    const host = await start();
    await host.stop();
    const path = join(directory, "raft.log");
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from([9, 9, 9])]));
    expect((await start()).tornBytes).toBe(3);
  });

  it("refuses what is too large before it is proposed", async () => {
    const host = await start();
    await until(() => host.isLeader);
    await expect(host.propose(EntryKind.put, new Uint8Array(1025))).rejects.toThrow(EntryTooLarge);
    expect(host.status().lastIndex).toBe(2);
  });

  it("takes no more part, and says so once, when the disk refuses", async () => {
    const host = await start();
    await until(() => host.isLeader);
    await host.propose(EntryKind.put, text("kept"));
    const probe = await open(join(directory, "raft.log"), "r");
    vi.spyOn(Object.getPrototypeOf(probe), "datasync").mockRejectedValue(new Error("EIO: i/o error"));
    await probe.close();
    await expect(host.propose(EntryKind.put, text("lost"))).rejects.toThrow(ReplicaStopped);
    await expect(host.propose(EntryKind.put, text("late"))).rejects.toThrow(ReplicaStopped);
    expect(failures.map((error) => error.message)).toEqual(["EIO: i/o error"]);
    expect(textsOf(committed)).toEqual(["kept"]);
  });
});

describe("a host with boards", () => {
  it("replicates to all, promotes those named as voters one at a time, and tells how far each is", async () => {
    const host = await start({ voterNames: ["n", "s"] });
    for (const id of ["n.1", "s.1", "w.1"]) connect(host, id);
    await until(() => host.status().voters.length === 3);
    await host.propose(EntryKind.put, text("fan"));
    const { index } = await host.propose(EntryKind.put, text("pump"));
    await until(() => host.status().members.every((member) => member.appliedIndex === index));

    const configurations = committed.filter((entry) => entry.kind === EntryKind.membership);
    expect(configurations.map((entry) => entry.index)).toHaveLength(3);
    expect(host.status().voters).toEqual([host.id, "n.1", "s.1"]);
    expect(host.status().members.map(({ id, isVoter }) => [id, isVoter])).toEqual([
      ["n.1", true],
      ["s.1", true],
      ["w.1", false],
    ]);
    for (const board of boards.values())
      expect(board.disk.entries.map(plain)).toEqual(host.entries(1, 99).map(plain));
    expect(violations).toEqual([]);
  });

  it("needs a majority: one of two boards away is borne; both away, it stops leading and says that it does not know", async () => {
    const host = await start({ voterNames: ["n", "s"] });
    connect(host, "n.1");
    connect(host, "s.1");
    await until(() => host.status().voters.length === 3);
    disconnect(host, "n.1");
    await host.propose(EntryKind.put, text("two of three"));
    disconnect(host, "s.1");
    const waiting = host.propose(EntryKind.put, text("one of three"));
    await expect(waiting).rejects.toThrow(OutcomeUnknown);
    expect(host.isLeader).toBe(false);
    await expect(host.propose(EntryKind.put, text("none"))).rejects.toThrow(NotLeader);
    await expect(host.readIndex()).rejects.toThrow(NotLeader);
    // A voter out of reach stays a voter.
    expect(host.status().voters).toHaveLength(3);

    // It may still be agreed on, and is.
    connect(host, "n.1");
    await until(() => textsOf(committed).length === 2);
    await until(() => boards.get("n.1")!.disk.lastIndex === host.status().lastIndex);
    expect(textsOf(boards.get("n.1")!.disk.entries)).toEqual(["two of three", "one of three"]);
  });

  it("replaces a board that lost its memory and returned under a new incarnation", async () => {
    const host = await start({ voterNames: ["n", "s"] });
    connect(host, "n.1");
    connect(host, "s.1");
    await until(() => host.status().voters.length === 3);
    disconnect(host, "n.1");
    boards.delete("n.1");
    connect(host, "n.2");
    await until(() => host.status().members.every((member) => member.id !== "n.1"));
    expect(host.status().voters).toEqual([host.id, "s.1", "n.2"]);
    expect(
      host
        .status()
        .members.map((member) => member.id)
        .sort(),
    ).toEqual(["n.2", "s.1"]);
  });

  it("leads again after a restart as soon as enough voters are back", async () => {
    const host = await start({ voterNames: ["n", "s"] });
    connect(host, "n.1");
    connect(host, "s.1");
    await until(() => host.status().voters.length === 3);
    const { index } = await host.propose(EntryKind.put, text("kept"));
    disconnect(host, "n.1");
    disconnect(host, "s.1");
    await host.stop();
    committed = [];

    const again = await start({ voterNames: ["n", "s"] });
    await pause(50);
    expect(again.isLeader).toBe(false);
    await expect(again.propose(EntryKind.put, text("early"))).rejects.toThrow(NotLeader);
    connect(again, "s.1");
    await until(() => again.status().commitIndex > index);
    expect(textsOf(committed)).toEqual(["kept"]);
    expect(violations).toEqual([]);
  });

  it("takes no more proposals than may wait for a majority", async () => {
    const host = await start({ voterNames: ["n"] });
    connect(host, "n.1");
    await until(() => host.status().voters.length === 2 && host.status().commitIndex === 3);
    disconnect(host, "n.1");
    const outcomes = Array.from({ length: uncommittedEntriesMax + 1 }, () => {
      return host.propose(EntryKind.put, text("x")).then(
        () => "committed",
        (error: Error) => error,
      );
    });
    expect(await outcomes.at(-1)).toBeInstanceOf(ProposalQueueFull);
    connect(host, "n.1");
    expect(new Set(await Promise.all(outcomes.slice(0, -1)))).toEqual(new Set(["committed"]));
  });

  it("tells a client when another leader's entry took the place of its own", async () => {
    const host = await start({ voterNames: ["n"] });
    connect(host, "n.1");
    await until(() => host.status().voters.length === 2 && host.status().commitIndex === 3);
    disconnect(host, "n.1");
    const waiting = host.propose(EntryKind.put, text("mine"));
    const theirs = { index: 4, term: 9, kind: EntryKind.put, version: 1, data: text("theirs") };
    const from = { type: "append-request", from: "b.1", to: host.id, term: 9 } as const;
    host.receive({
      ...from,
      prevLogIndex: 3,
      prevLogTerm: 2,
      commitIndex: 4,
      readRound: 0,
      entries: [theirs],
    });
    await expect(waiting).rejects.toThrow(Superseded);
    await until(() => host.status().appliedIndex === 4);
    expect(host.status()).toMatchObject({ role: "follower", leaderId: "b.1", term: 9, members: [] });
    await expect(host.propose(EntryKind.put, text("again"))).rejects.toMatchObject({ leaderId: "b.1" });
  });

  it("confirms a read by asking its voters, and many at once by asking them once", async () => {
    const host = await start({ voterNames: ["n", "s"] });
    connect(host, "n.1");
    connect(host, "s.1");
    await until(() => host.status().voters.length === 3);
    const { index } = await host.propose(EntryKind.put, text("fan"));
    expect(await host.readIndex()).toBe(index);
    const reads = await Promise.all(Array.from({ length: 100 }, () => host.readIndex()));
    expect(new Set(reads)).toEqual(new Set([index]));
  });

  it("answers no read while nobody confirms that it leads", async () => {
    const host = await start({ voterNames: ["n"] });
    connect(host, "n.1");
    await until(() => host.status().voters.length === 2 && host.status().commitIndex === 3);
    disconnect(host, "n.1");
    await expect(host.readIndex()).rejects.toThrow(NotLeader);
  });

  it("does not pass leadership to a board, nor to itself", async () => {
    const host = await start({ voterNames: ["n"] });
    connect(host, "n.1");
    await until(() => host.status().voters.length === 2);
    expect(() => host.transfer("n.1")).toThrow(TransferRefused);
    expect(() => host.transfer(host.id)).toThrow(TransferRefused);
  });

  it("tells a client when it stops", async () => {
    const host = await start({ voterNames: ["n"] });
    connect(host, "n.1");
    await until(() => host.status().voters.length === 2 && host.status().commitIndex === 3);
    disconnect(host, "n.1");
    const waiting = host.propose(EntryKind.put, text("mine"));
    const stopped = host.stop();
    await expect(waiting).rejects.toThrow(ReplicaStopped);
    await stopped;
  });
});

/** A board in memory; its connection is as fast and as good as the event loop. */
interface Board {
  readonly disk: Disk;
  readonly follower: Follower;
  isConnected: boolean;
}

async function start(options: Partial<ReplicaOptions> = {}): Promise<Replica> {
  const replica: Replica = await Replica.open({
    directory,
    hostName: "a",
    hostNames: ["a"],
    voterNames: [],
    send: (message) => setImmediate(() => toBoard(replica, message)),
    onCommitted: (entries) => committed.push(...entries),
    onViolation: (violation) => violations.push(violation),
    onFailure: (error) => failures.push(error),
    timing,
    ...options,
  });
  replicas.push(replica);
  replica.start();
  return replica;
}

function connect(host: Replica, id: string): void {
  let board = boards.get(id);
  if (board === undefined) {
    const disk = new Disk();
    board = {
      disk,
      follower: new Follower({
        id,
        hardState: disk.hardState,
        log: disk,
        commitIndex: 0,
        leaderHeardMs: -Infinity,
        leaderSilenceMs: timing.electionMinMs,
      }),
      isConnected: true,
    };
    boards.set(id, board);
  }
  board.isConnected = true;
  host.addMember(id);
}

function disconnect(host: Replica, id: string): void {
  boards.get(id)!.isConnected = false;
  host.removeMember(id);
}

function toBoard(host: Replica, sent: Message): void {
  const board = boards.get(sent.to);
  if (board === undefined || !board.isConnected) return;
  const output = board.follower.step(messageFromWire(messageToWire(sent)), performance.now());
  board.disk.write(output);
  board.disk.sync();
  board.follower.setApplied(output.commitIndex);
  for (const answer of output.messages) setImmediate(() => board.isConnected && host.receive(answer));
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (!isSo()) {
    if (Date.now() > endMs) throw new Error(`Not within 10 s: ${isSo}`);
    await pause(2);
  }
}

function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

function textsOf(entries: readonly Entry[]): string[] {
  const puts = entries.filter((entry) => entry.kind === EntryKind.put);
  return puts.map((entry) => new TextDecoder().decode(entry.data));
}

function plain(entry: Entry): unknown {
  return { ...entry, data: [...entry.data] };
}
