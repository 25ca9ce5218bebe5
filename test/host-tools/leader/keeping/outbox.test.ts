import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Outbox, outboxLimits } from "../../../../host-tools/leader/keeping/outbox.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "covey-outbox-"));
  file = join(folder, "keeping.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (writer = "abc123") => new Outbox(file, 0, () => writer);
const block = (board: string, firstMs: number) => ({
  ...{ board, metric: "temp", firstMs, lastMs: firstMs + 9 },
  bytes: new Uint8Array([1, 2, firstMs & 255]),
});
const waiting = (outbox: Outbox, board: string) => outbox.waiting(board).map(({ id }) => outbox.block(id));

describe("the outbox", () => {
  test("numbers the blocks of each series, and goes on after its end, with what was stored", () => {
    const outbox = open();
    outbox.take(block("a", 10));
    outbox.take(block("b", 11));
    outbox.take(block("a", 12));
    expect(outbox.write()).toBe(true);
    const [first] = outbox.waiting("a");
    outbox.stored("k1", 77, [{ block: first!, sector: 3 }]);
    outbox.close();
    // Another name would begin other numbers: it keeps the one that it has.
    const again = open("zzz999");
    expect(waiting(again, "a").map(({ series, number, firstMs }) => [series, number, firstMs])).toEqual([
      ["a/temp~abc123", 1, 10],
      ["a/temp~abc123", 2, 12],
    ]);
    expect(again.waiting("a")[0]!.stored).toEqual(new Map([["k1", { ring: 77, sector: 3 }]]));
    again.placed("a", new Set(again.waiting("a")));
    again.take(block("a", 13));
    again.write();
    expect(waiting(again, "a").map(({ number }) => number)).toEqual([3]);
    expect(again.counters).toMatchObject({ taken: 4, placed: 2, short: 0, lost: 0 });
    again.close();
  });

  test("counts no more what somebody has accepted, also over its end, and counts on from there", () => {
    const outbox = open();
    const unsound = { ...block("a", 10), firstMs: -1 };
    outbox.take(unsound);
    outbox.take(unsound);
    outbox.take(block("a", 10));
    outbox.write();
    expect(outbox.counters).toMatchObject({ taken: 1, lost: 2 });
    outbox.accept({ short: 0, lost: 2 });
    // Twice is as good as once.
    outbox.accept({ short: 1, lost: 2 });
    expect(outbox.counters).toMatchObject({ taken: 1, short: 0, lost: 0 });
    outbox.close();
    const again = open();
    expect(again.counters).toMatchObject({ taken: 1, short: 0, lost: 0 });
    again.take(unsound);
    expect(again.counters.lost).toBe(1);
    again.close();
  });

  test("sends nothing that is not on disk", () => {
    const outbox = open();
    outbox.take(block("a", 10));
    expect([outbox.waiting("a").length, outbox.size]).toEqual([0, 1]);
    outbox.write();
    expect([outbox.waiting("a").length, outbox.size]).toEqual([1, 1]);
    outbox.close();
  });

  test("full, it gives up the oldest of those that some keeper has, then the oldest, and counts each, also over its end", () => {
    const outbox = open();
    for (let i = 0; i < outboxLimits.blocksMax; i++) outbox.take(block("a", i));
    outbox.write();
    const all = outbox.waiting("a");
    outbox.stored(
      "k1",
      7,
      [5, 6].map((i) => ({ block: all[i]!, sector: 1 })),
    );
    for (let i = 0; i < 3; i++) outbox.take(block("b", i));
    outbox.write();
    expect(outbox.size).toBe(outboxLimits.blocksMax);
    expect(outbox.counters).toMatchObject({ short: 2, lost: 1 });
    const left = waiting(outbox, "a").slice(0, 6);
    expect(left.map(({ number }) => number)).toEqual([2, 3, 4, 5, 8, 9]);
    expect(outbox.waiting("b").length).toBe(3);
    outbox.close();
    const again = open();
    expect(again.counters).toMatchObject({ short: 2, lost: 1 });
    again.close();
  });

  test("counts what is too large for a board, and takes none of it", () => {
    const outbox = open();
    outbox.take({ ...block("a", 1), bytes: new Uint8Array(321) });
    outbox.take({ ...block("a", 1), lastMs: 1 + 86_400_001 });
    outbox.write();
    expect([outbox.size, outbox.counters.lost]).toEqual([0, 2]);
    outbox.close();
  });

  test("what the disk refuses is lost, counted, and told", () => {
    const outbox = open();
    outbox.take(block("a", 1));
    outbox.write();
    const other = new DatabaseSync(file);
    other.exec("CREATE TRIGGER full BEFORE INSERT ON blocks BEGIN SELECT RAISE(ABORT, 'no space'); END");
    outbox.take(block("a", 2));
    expect(() => outbox.write()).toThrow("no space");
    expect([outbox.size, outbox.counters.lost, outbox.counters.taken]).toEqual([1, 1, 1]);
    other.exec("DROP TRIGGER full");
    other.close();
    outbox.take(block("a", 3));
    outbox.write();
    expect(waiting(outbox, "a").map(({ number, firstMs }) => [number, firstMs])).toEqual([
      [1, 1],
      [2, 3],
    ]);
    outbox.close();
  });

  test("a damaged file is set aside, and the new one counts under another name", () => {
    writeFileSync(file, "no database at all, but long enough to be looked at as one");
    const outbox = open("new000");
    expect(outbox.damaged?.keptAs).toContain("keeping.sqlite.damaged-");
    outbox.take(block("a", 1));
    outbox.write();
    expect(waiting(outbox, "a")[0]!.series).toBe("a/temp~new000");
    outbox.close();
  });
});
