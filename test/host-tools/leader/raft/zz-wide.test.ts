import { describe, expect, it } from "vitest";
import type { HostLogOptions } from "../../../../host-tools/leader/raft/host-log.ts";
import { HostLog } from "../../../../host-tools/leader/raft/host-log.ts";
import { DamagedLog } from "../../../../host-tools/leader/raft/log-records.ts";
import type { LogChange } from "../../../../host-tools/leader/raft/log-writer.ts";
import { sha256 } from "../../../../host-tools/leader/raft/sha256.ts";
import type { Entry, HardState, RaftLog, SnapshotItem } from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import { SimulatedDisk } from "../../../simulation/raft/simulated-disk.ts";
import { seeded } from "./host-world.ts";

describe("a host's log", () => {
  it("is found again as it was left", () => {
    const { log, disk, settle } = opened();
    log.append(
      change({ hardState: { term: 2, vote: "a.1" }, entries: [entry(1, 1), entry(2, 2), entry(3, 2)] }),
    );
    log.append(change({ hardState: { term: 3, vote: undefined }, truncateFrom: 3, entries: [entry(3, 3)] }));
    log.append(change({ truncateFrom: 3 }));
    log.append(change({ entries: [entry(3, 4), entry(4, 4)] }));
    settle();
    const again = opened(disk.powerCut(seeded(1))).log;
    expect([again.memberId, again.hardState, again.tornBytes]).toEqual([
      "a.1",
      { term: 3, vote: undefined },
      0,
    ]);
    expect(contentsOf(again)).toEqual(contentsOf(log));
    expect(termsOf(again)).toEqual([1, 2, 4, 4]);
  });

  it("shows a change at once, and says when it is durable, not before", () => {
    const { log, step } = opened();
    log.append(change({ entries: [entry(1, 1)] }));
    let isDurable = false;
    log.flush(() => {
      isDurable = true;
    });
    expect([log.lastIndex, isDurable, log.durableEnd.index]).toEqual([1, false, 0]);
    step();
    step();
    expect([isDurable, log.durableEnd]).toMatchObject([true, { index: 1, term: 1 }]);
  });

  it("makes durable with one sync what queued while the disk was busy", () => {
    const { log, disk, settle } = opened();
    settle();
    const before = disk.syncs;
    for (let index = 1; index <= 500; index++) {
      log.append(change({ entries: [entry(index, 1)] }));
      log.flush(() => {});
    }
    settle();
    expect(disk.syncs - before).toBe(2);
    expect(opened(disk.powerCut(seeded(1))).log.lastIndex).toBe(500);
  });

  it("begins a new segment when one is full, and drops those behind a snapshot once that is durable", () => {
    const { log, disk, settle } = opened(undefined, { segmentBytes: 600, trailingEntries: 5 });
    fill(log, settle, 60);
    const segments = disk.list().filter((name) => name.startsWith("log-"));
    expect(segments.length).toBeGreaterThan(4);
    log.compact(50, items("at 50"));
    expect(log.firstIndex).toBe(1);
    settle();
    expect([log.firstIndex, log.snapshot?.index]).toEqual([46, 50]);
    expect(disk.list().filter((name) => name.startsWith("log-")).length).toBeLessThan(segments.length - 2);
    const again = opened(
      disk.powerCut(() => 0),
      { segmentBytes: 600, trailingEntries: 5 },
    ).log;
    expect(again.snapshot).toEqual(log.snapshot);
    expect(again.snapshotContents).toEqual(items("at 50"));
    expect(again.firstIndex).toBeLessThanOrEqual(46);
    expect(again.entries(46, 99)).toEqual(log.entries(46, 99));
  });

  it("keeps a snapshot that is being sent, and what follows on it, while newer ones are made", () => {
    const { log, settle } = opened(undefined, { trailingEntries: 2 });
    fill(log, settle, 100);
    for (const index of [20, 40]) {
      log.compact(index, items(`at ${index}`));
      settle();
      expect(log.snapshotItems(20, "b.1", 0, 5)?.items).toHaveLength(1);
    }
    expect([log.firstIndex, log.snapshot?.index]).toEqual([21, 40]);
    for (const index of [60, 80]) {
      log.compact(index, items(`at ${index}`));
      settle();
    }
    // Nobody asked for it since.
    expect(log.snapshotItems(20, "b.1", 0, 10)).toBeUndefined();
    expect(log.firstIndex).toBe(79);
  });

  it("sends boards what concerns them, hosts all", () => {
    const { log, settle } = opened();
    fill(log, settle, 10);
    const forHosts = { kind: EntryKind.commandIds, version: 1, data: new Uint8Array(3) };
    log.compact(10, [...items("x"), forHosts]);
    settle();
    expect(log.snapshotItems(10, "n.1", 0, 9999)).toEqual({ items: items("x"), isLast: true });
    expect(log.snapshotItems(10, "b.1", 0, 9999)).toEqual({ items: [...items("x"), forHosts], isLast: true });
    expect(log.snapshotItems(10, "b.1", 2, 1)).toEqual({ items: [forHosts], isLast: true });
  });

  it("takes a snapshot in parts, over a restart, and begins anew behind it", () => {
    const first = opened();
    fill(first.log, first.settle, 10);
    const place = { index: 100, term: 7, hash: new Uint8Array(16).fill(9) };
    first.log.append(change({ snapshot: chunk(place, 0, items("1"), false) }));
    first.log.append(change({ snapshot: chunk(place, 2, items("2"), false) }));
    first.settle();
    expect(first.log.staged).toEqual({ ...place, items: 4 });

    const second = opened(first.disk.powerCut(seeded(2)));
    expect(second.log.staged).toEqual({ ...place, items: 4 });
    expect(second.log.lastIndex).toBe(10);
    second.log.append(change({ snapshot: chunk(place, 4, items("3"), true) }));
    expect([second.log.firstIndex, second.log.lastIndex, second.log.staged]).toEqual([101, 100, undefined]);
    second.log.append(change({ entries: [entry(101, 7)] }));
    second.settle();
    expect(second.log.durableEnd).toMatchObject({ index: 101, term: 7 });

    const third = opened(second.disk.powerCut(() => 0)).log;
    expect(third.snapshot).toEqual(place);
    expect(third.snapshotContents).toEqual([...items("1"), ...items("2"), ...items("3")]);
    expect(contentsOf(third)).toEqual(contentsOf(second.log));
  });

  it("refuses a damaged middle with a sentence that says what to do", () => {
    const { log, disk, settle } = opened();
    fill(log, settle, 10);
    const [segment] = disk.list();
    disk.damage(segment!, 300);
    expect(() => opened(disk.powerCut(seeded(1)))).toThrow(DamagedLog);
    expect(() => opened(disk.powerCut(seeded(1)))).toThrow(
      /^The Raft file log-00000001-000000000001 is damaged at byte \d+: a checksum does not match\. Run "covey recover" on this host/,
    );
  });

  it("refuses a log with a segment missing in the middle, or a snapshot damaged or missing", () => {
    const sizes = { segmentBytes: 600, trailingEntries: 5 };
    const whole = (): ReturnType<typeof opened> => {
      const made = opened(undefined, sizes);
      fill(made.log, made.settle, 60);
      made.log.compact(50, items("x"));
      made.settle();
      fill(made.log, made.settle, 120);
      return made;
    };
    const gap = whole().disk;
    const segments = gap.list().filter((name) => name.startsWith("log-"));
    gap.remove(segments.at(-2)!);
    expect(() => opened(gap, sizes)).toThrow(
      /what came before entry \d+ is in no other segment and in no snapshot/,
    );
    const bare = whole().disk;
    bare.remove("snapshot-000000000050");
    expect(() => opened(bare, sizes)).toThrow(DamagedLog);
    const damaged = whole().disk;
    damaged.damage("snapshot-000000000050", 40);
    expect(() => opened(damaged, sizes)).toThrow(
      /snapshot-000000000050 is damaged at byte \d+: the snapshot is not whole/,
    );
  });
});

describe("a power cut", () => {
  it("at any moment of any workload leaves what was durable, and nothing that never was", () => {
    let torn = 0;
    for (let seed = 61; seed <= 300; seed++) {
      const operations = runWorkload(seed, Number.POSITIVE_INFINITY).disk.operations;
      const random = seeded(seed);
      for (let cut = 0; cut <= operations; cut += 1 + Math.floor(random() * 3)) {
        const { disk, history } = runWorkload(seed, cut);
        const after = opened(cut % 5 === 0 ? disk.processCrash() : disk.powerCut(random), smallSizes);
        torn += after.log.tornBytes > 0 ? 1 : 0;
        checkAgainst(history, after.log, `seed ${seed}, cut ${cut}`);
        // And once more, while it goes on.
        after.log.append(change({ hardState: { term: 99, vote: "a.1" } }));
        after.settle();
        const last = opened(after.disk.powerCut(random), smallSizes).log;
        expect(last.hardState.term).toBe(99);
        expect(contentsOf(last)).toEqual(contentsOf(after.log));
      }
    }
    expect(torn).toBeGreaterThan(0);
  });
});

const smallSizes = { segmentBytes: 900, trailingEntries: 4 };

/** What the log held after each change, and how many of them were known to be durable. */
interface History {
  readonly states: Record<string, unknown>[];
  durable: number;
  /** Where snapshots were taken: what others have committed may be in one before it is durable in the own log. */
  readonly ends: unknown[];
}

function runWorkload(seed: number, cut: number): { disk: SimulatedDisk; history: History } {
  const random = seeded(seed * 7919);
  const { log, disk, step, pending } = opened(undefined, smallSizes);
  disk.cutAfter(cut);
  const history: History = { states: [contentsOf(log)], durable: 0, ends: [] };
  let term = 1;
  let committed = 0;
  for (let turn = 0; turn < 60 && !disk.isDead; turn++) {
    const kind = random();
    if (kind < 0.45) {
      const entries = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, i) =>
        entry(log.lastIndex + 1 + i, term, random),
      );
      log.append(change({ entries }));
    } else if (kind < 0.55) {
      term++;
      log.append(change({ hardState: { term, vote: random() < 0.5 ? "a.1" : undefined } }));
    } else if (kind < 0.68 && log.lastIndex > committed) {
      const from = committed + 1 + Math.floor(random() * (log.lastIndex - committed));
      term++;
      log.append(
        change({
          hardState: { term, vote: undefined },
          truncateFrom: from,
          entries: random() < 0.5 ? [] : [entry(from, term, random)],
        }),
      );
    } else if (kind < 0.8) {
      committed += Math.floor(random() * (log.lastIndex - committed + 1));
      if (committed > (log.snapshot?.index ?? 0) && random() < 0.6) {
        log.compact(committed, items(`own ${committed}`));
        history.ends.push(placeOf(log, committed));
      }
    } else if (kind < 0.9) {
      const staged = log.staged;
      const place = staged ?? {
        index: log.lastIndex + 1 + Math.floor(random() * 20),
        term,
        hash: new Uint8Array(16).fill(turn),
      };
      const isLast = staged !== undefined && random() < 0.5;
      if (place.index > log.lastIndex) {
        log.append(change({ snapshot: chunk(place, staged?.items ?? 0, items(`t${turn}`), isLast) }));
        if (isLast) committed = place.index;
      }
    } else {
      for (let i = Math.floor(random() * 4); i > 0 && pending() > 0; i--) step();
    }
    history.states.push(contentsOf(log));
    const number = history.states.length - 1;
    log.flush((error) => {
      if (error === undefined) history.durable = number;
    });
    if (random() < 0.4 && pending() > 0) step();
  }
  while (!disk.isDead && pending() > 0) step();
  return { disk, history };
}

/**
 * Each part must be as it was after some change, none before the last that was known to be durable. Not all after the same: what shares no file may be
 * lost apart; that the log fits together its hash says.
 */
function checkAgainst({ states, durable, ends }: History, log: HostLog, where: string): void {
  for (const [part, value] of Object.entries(contentsOf(log))) {
    const found = JSON.stringify(value);
    const known = states.slice(durable).map((state) => state[part]);
    const possible = [...known, ...(part === "end" ? ends : [])].map((each) => JSON.stringify(each));
    if (!possible.includes(found))
      throw new Error(`${where}: ${part} is ${found}, expected ${possible.join(" or ")}`);
  }
  expect(log.firstIndex - 1).toBeLessThanOrEqual(log.snapshot?.index ?? 0);
  if (log.snapshot !== undefined) expect(log.snapshotContents.length).toBeGreaterThan(0);
}

/** All that must last: what may be compacted is left out. */
function contentsOf(log: RaftLog & { hardState: HardState }): Record<string, unknown> {
  const { lastIndex, hardState } = log;
  const { staged } = log;
  return {
    hardState: [hardState.term, hardState.vote],
    end: placeOf(log, lastIndex),
    // What the log reached by itself in the meantime is of no use any more.
    staged: staged === undefined || staged.index <= lastIndex ? [] : [staged.index, staged.items],
  };
}

function placeOf(log: RaftLog, index: number): unknown {
  return [index, log.termAt(index), [...log.hashAt(index)!]];
}

function opened(disk?: SimulatedDisk, sizes: HostLogOptions["sizes"] = {}) {
  const agenda: (() => void)[] = [];
  const schedule = (complete: () => void): void => {
    agenda.push(complete);
  };
  const used =
    disk?.isDead === false ? disk.powerCut(() => 0.3, { schedule }) : new SimulatedDisk({ schedule });
  const options = {
    disk: used,
    sha256,
    sizes,
    isHost: (id: string) => id.startsWith("a.") || id.startsWith("b."),
  };
  const log = HostLog.open(options) ?? HostLog.create(options, "a.1");
  log.flush(() => {});
  const step = (): void => agenda.shift()!();
  const settle = (): void => {
    let error: Error | undefined | "waiting" = "waiting";
    log.flush((answer) => {
      error = answer;
    });
    while (agenda.length > 0) step();
    expect(error).toBeUndefined();
  };
  return { log, disk: used, step, settle, pending: () => agenda.length };
}

function fill(log: HostLog, settle: () => void, upTo: number): void {
  while (log.lastIndex < upTo) {
    log.append(change({ entries: [entry(log.lastIndex + 1, 1)] }));
    settle();
  }
}

function change(some: Partial<LogChange>): LogChange {
  return { hardState: undefined, truncateFrom: 0, entries: [], snapshot: undefined, ...some };
}

function entry(index: number, term: number, random: () => number = () => 0): Entry {
  const data = new Uint8Array(60 + Math.floor(random() * 700)).fill(index % 251);
  return { index, term, kind: EntryKind.put, version: 1, data };
}

function items(text: string): SnapshotItem[] {
  const data = new TextEncoder().encode(text);
  return [
    { kind: EntryKind.membership, version: 1, data },
    { kind: EntryKind.put, version: 1, data },
  ];
}

function chunk(
  place: { index: number; term: number; hash: Uint8Array },
  first: number,
  some: readonly SnapshotItem[],
  isLast: boolean,
) {
  const { index, term: indexTerm, hash } = place;
  return {
    type: "snapshot-chunk",
    from: "b.1",
    to: "a.1",
    term: 9,
    index,
    indexTerm,
    hash,
    first,
    items: some,
    isLast,
  } as const;
}

function termsOf(log: HostLog): number[] {
  return log.entries(log.firstIndex, 9999).map(({ term }) => term);
}
