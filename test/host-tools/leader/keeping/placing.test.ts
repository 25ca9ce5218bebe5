import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type KeeperFacts,
  placeShelves,
  type Wanted,
} from "../../../../host-tools/leader/keeping/placing.ts";
import type { Shelf } from "../../../../protocols/keeping/shelf.ts";

const keeper = (zone: string, facts: Partial<KeeperFacts> = {}): KeeperFacts => ({
  ...{ zone, ring: 1, sectors: 64, isUsable: true, isLost: false },
  ...facts,
});
const wanted = (count: number, copies = 2): Map<string, Wanted> =>
  new Map(Array.from({ length: count }, (_, i) => [`p${i}`, { copies, load: 1 }]));
const manyKeepers = (count: number, zones: number) =>
  new Map(Array.from({ length: count }, (_, i) => [`k${i}`, keeper(`z${i % zones}`)]));
const names = (shelf: Shelf | undefined) => shelf?.keepers.map(({ board }) => board).sort();

/** Places until nothing changes; every copy counts as whole at once. */
function settle(
  want: ReadonlyMap<string, Wanted>,
  before: ReadonlyMap<string, Shelf>,
  keepers: ReadonlyMap<string, KeeperFacts>,
): Map<string, Shelf> {
  const shelves = new Map(before);
  for (const [board, shelf] of placeShelves(want, shelves, keepers)) {
    shelves.set(board, {
      ...shelf,
      keepers: shelf.keepers.map((one) => ({ ...one, isWhole: true })),
      former: [],
    });
  }
  expect(placeShelves(want, shelves, keepers).size).toBe(0);
  return shelves;
}

describe("placing", () => {
  test("gives each copy a zone of its own, for any keepers, and none to the board itself", () => {
    const facts = fc.record({
      zone: fc.constantFrom("n", "s", "e", "w"),
      ring: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      sectors: fc.integer({ min: 4, max: 400 }),
      isUsable: fc.boolean(),
      isLost: fc.boolean(),
    });
    const keepers = fc.dictionary(fc.constantFrom("p0", "k1", "k2", "k3", "k4", "k5", "k6"), facts);
    fc.assert(
      fc.property(
        fc.array(keepers, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 2, max: 4 }),
        (steps, copies) => {
          const want = wanted(3, copies);
          const shelves = new Map<string, Shelf>();
          for (const step of steps) {
            const present = new Map(Object.entries(step));
            for (const [board, shelf] of placeShelves(want, shelves, present)) {
              const before = shelves.get(board);
              expect(shelf.version).toBe((before?.version ?? 0) + 1);
              const zones = shelf.keepers.map((one) => present.get(one.board)?.zone);
              expect(new Set(zones).size).toBe(zones.length);
              expect(zones.length).toBeLessThanOrEqual(copies);
              expect(names(shelf)).not.toContain(board);
              for (const one of shelf.keepers) {
                const isNew = before?.keepers.every(({ board: name }) => name !== one.board) ?? true;
                // What is new has nothing, and may be given something.
                if (isNew) expect([one.isWhole, present.get(one.board)!.isUsable]).toEqual([false, true]);
              }
              shelves.set(board, shelf);
            }
          }
        },
      ),
    );
  });

  test("moves exactly what a lost keeper had, and nothing when it is back", () => {
    const want = wanted(60);
    const keepers = manyKeepers(9, 3);
    const before = settle(want, new Map(), keepers);
    const lost = new Map(keepers).set("k0", keeper("z0", { isUsable: false, isLost: true }));
    const after = settle(want, before, lost);
    for (const [board, shelf] of before) {
      const kept = names(shelf)!;
      const now = names(after.get(board))!;
      if (!kept.includes("k0")) expect(now).toEqual(kept);
      else expect(now).toEqual(expect.arrayContaining(kept.filter((name) => name !== "k0")));
      expect(now).not.toContain("k0");
    }
    expect(settle(want, after, keepers)).toEqual(after);
  });

  test("spreads copies within a quarter above the mean, by the room that boards have", () => {
    const keepers = manyKeepers(12, 4).set("k0", keeper("z0", { sectors: 128 }));
    const shelves = settle(wanted(200), new Map(), keepers);
    const counts = new Map<string, number>();
    for (const shelf of shelves.values())
      for (const name of names(shelf)!) counts.set(name, (counts.get(name) ?? 0) + 1);
    // 400 copies over 13 shares.
    for (const [name, count] of counts) {
      expect(count).toBeLessThanOrEqual(Math.ceil((1.25 * 400 * (name === "k0" ? 2 : 1)) / 13));
    }
  });

  test("leaves who cannot be replaced where it is", () => {
    const want = wanted(1);
    const keepers = manyKeepers(2, 2);
    const before = settle(want, new Map(), keepers);
    const gone = new Map(keepers).set("k1", keeper("z1", { isUsable: false, isLost: true }));
    expect(placeShelves(want, before, gone).size).toBe(0);
  });

  test("counts a copy no more when the board has another ring", () => {
    const want = wanted(1);
    const before = settle(want, new Map(), manyKeepers(2, 2));
    const reflashed = manyKeepers(2, 2).set("k1", keeper("z1", { ring: 2 }));
    const next = placeShelves(want, before, reflashed).get("p0")!;
    expect(next.keepers.find(({ board }) => board === "k1")).toEqual({
      board: "k1",
      ring: 2,
      isWhole: false,
    });
    expect(next.former).toEqual([]);
  });

  test("remembers who had what was kept when nobody has it any more, until that has ended", () => {
    const want = wanted(1);
    const all = manyKeepers(4, 4);
    const before = settle(want, new Map(), all);
    const had = names(before.get("p0"))!;
    const both = new Map(all);
    for (const name of had) both.set(name, keeper(all.get(name)!.zone, { isUsable: false, isLost: true }));
    const next = placeShelves(want, before, both).get("p0")!;
    expect(next.former.map(({ board }) => board).sort()).toEqual(had);
    expect(next.keepers.map(({ isWhole }) => isWhole)).toEqual([false, false]);
    // One of them is reflashed, the other taken from swarm.ts.
    const ended = new Map(all).set(had[0]!, keeper(all.get(had[0]!)!.zone, { ring: 9, isLost: true }));
    ended.delete(had[1]!);
    const last = placeShelves(want, new Map([["p0", next]]), ended).get("p0")!;
    expect(last.former).toEqual([]);
  });
});
