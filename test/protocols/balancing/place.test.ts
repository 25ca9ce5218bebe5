import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundOf } from "../../../protocols/balancing/choose.ts";
import { Desks, mayHold } from "../../../protocols/balancing/desk.ts";
import { place } from "../../../protocols/balancing/place.ts";
import { type Holder, type Strategy, strategies, type Work } from "../../../protocols/balancing/types.ts";

const work = (name: string, given: Partial<Work> = {}): Work => ({
  ...{ name, strategy: "least-loaded", load: 1, size: 1, needs: [], zones: [], mains: false, apartFrom: [] },
  ...given,
});
const holder = (name: string, given: Partial<Holder> = {}): Holder => ({
  ...{ name, weight: 1, load: 0, room: 1_000, has: [], zone: undefined, onBattery: false },
  ...given,
});
const many = <T>(count: number, make: (name: string) => T, prefix: string) =>
  Array.from({ length: count }, (_, i) => make(`${prefix}-${i}`));
const none = new Map<string, string>();

const anyStrategy = fc.constantFrom(...strategies);
const anyWork = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^t[0-9]{1,2}$/),
    strategy: anyStrategy,
    load: fc.integer({ min: 1, max: 4 }),
    size: fc.integer({ min: 1, max: 3 }),
    needs: fc.subarray(["modbus", "outdoors"]),
    zones: fc.subarray(["east", "west"]),
    mains: fc.boolean(),
    apartFrom: fc.subarray(["t1", "t2", "t3", "t10"], { maxLength: 2 }),
  }),
  { selector: ({ name }) => name, maxLength: 30 },
);
const anyHolders = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^b[0-9]{1,2}$/),
    weight: fc.integer({ min: 1, max: 5 }),
    load: fc.integer({ min: 0, max: 3 }),
    room: fc.integer({ min: 0, max: 12 }),
    has: fc.subarray(["modbus", "outdoors", "display"]),
    zone: fc.constantFrom("east", "west", undefined),
    onBattery: fc.boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 20 },
);

/** Work with nothing but a strategy, on holders that differ in weight alone. */
const plain = fc.record({
  strategy: anyStrategy,
  tasks: fc.integer({ min: 1, max: 60 }),
  weights: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 12 }),
  turn: fc.nat(1_000),
});
function plainWorld({ strategy, tasks, weights }: { strategy: Strategy; tasks: number; weights: number[] }) {
  const holders = weights.map((weight, i) => holder(`b-${i}`, { weight }));
  return { all: many(tasks, (name) => work(name, { strategy }), "t"), holders };
}

describe("a placing", () => {
  test("keeps every constraint, whatever was there before, and leaves out only what nobody may hold beside the rest", () => {
    fc.assert(
      fc.property(anyWork, anyHolders, fc.array(fc.nat(40)), fc.nat(1_000), (all, holders, was, turn) => {
        const present = new Map(all.map(({ name }, i) => [name, `b${was[i] ?? 0}`]));
        const placing = place(all, holders, present, turn);
        const desks = new Desks(holders);
        for (const one of all) {
          const at = placing.get(one.name);
          if (at === undefined) continue;
          // Beside all that were counted before: what keeps a constraint with each other keeps it with all.
          expect(mayHold(one, desks.of(at)!)).toBe(true);
          desks.give(one, desks.of(at)!);
        }
        for (const one of all) {
          if (!placing.has(one.name)) expect(desks.all.some((desk) => mayHold(one, desk))).toBe(false);
        }
      }),
    );
  });

  test("is the same for the same, in whatever order it is said", () => {
    fc.assert(
      fc.property(anyWork, anyHolders, fc.nat(1_000), (all, holders, turn) => {
        const there = place(all, holders, none, turn);
        const back = place([...all].reverse(), [...holders].reverse(), none, turn);
        expect([...back].sort()).toEqual([...there].sort());
      }),
    );
  });

  test("stays as it is when nothing has changed", () => {
    fc.assert(
      fc.property(anyWork, anyHolders, fc.nat(1_000), (all, holders, turn) => {
        const placing = place(all, holders, none, turn);
        const again = place(all, holders, placing, turn + 1);
        // What is kept is kept; what had no place may have found one beside it.
        for (const [name, at] of placing) {
          if (all.find((one) => one.name === name)!.strategy !== "rendezvous")
            expect(again.get(name)).toBe(at);
        }
      }),
    );
  });

  test("moves what the lost holder had after a loss, and nothing else", () => {
    fc.assert(
      fc.property(plain, fc.nat(), (world, which) => {
        const { all, holders } = plainWorld(world);
        const before = place(all, holders, none, world.turn);
        const lost = holders[which % holders.length]!.name;
        const after = place(
          all,
          holders.filter(({ name }) => name !== lost),
          before,
          world.turn + all.length,
        );
        expect(after.size).toBe(all.length);
        for (const { name } of all) {
          if (before.get(name) !== lost) expect(after.get(name)).toBe(before.get(name));
          else expect(after.get(name)).not.toBe(lost);
        }
      }),
    );
  });

  test("moves after a return nothing, but under rendezvous what is beyond the bound, to within it", () => {
    fc.assert(
      fc.property(plain, (world) => {
        const { all, holders } = plainWorld(world);
        const before = place(all, holders.slice(1), none, world.turn);
        const after = place(all, holders, before, world.turn + all.length);
        const desks = new Desks(holders);
        const moved = all.filter(({ name }) => before.get(name) !== after.get(name)).length;
        let beyond = 0;
        for (const desk of desks.all) {
          const had = [...before.values()].filter((at) => at === desk.holder.name).length;
          beyond += Math.max(0, had - boundOf(desk, desks, all.length));
        }
        expect(moved).toBe(world.strategy === "rendezvous" ? beyond : 0);
      }),
    );
  });

  test("by rendezvous is within its bound", () => {
    fc.assert(
      fc.property(plain, (world) => {
        const { all, holders } = plainWorld({ ...world, strategy: "rendezvous" });
        const placing = place(all, holders, none, world.turn);
        const desks = new Desks(holders);
        for (const desk of desks.all) {
          const has = [...placing.values()].filter((at) => at === desk.holder.name).length;
          expect(has).toBeLessThanOrEqual(boundOf(desk, desks, all.length));
        }
      }),
    );
  });

  test("by rendezvous is what the holders alone say: who was there before changes nothing while all have room", () => {
    const all = many(40, (name) => work(name, { strategy: "rendezvous" }), "t");
    const holders = many(10, holder, "b");
    const placing = place(all, holders, none, 0);
    expect(place(all, holders, none, 77)).toEqual(placing);
  });

  test("by least load is even to one task, and in proportion to weights", () => {
    const counts = (holders: Holder[], count: number) => {
      const placing = place(many(count, work, "t"), holders, none, 0);
      return holders.map(({ name }) => [...placing.values()].filter((at) => at === name).length);
    };
    const even = counts(many(7, holder, "b"), 40);
    expect(Math.max(...even) - Math.min(...even)).toBe(1);
    expect(counts([holder("a", { weight: 1 }), holder("b", { weight: 3 })], 40)).toEqual([10, 30]);
    expect(counts([holder("a", { load: 4 }), holder("b")], 4)).toEqual([0, 4]);
  });

  test("in smooth weighted turns goes a, a, b, a, c, a, a as in nginx's own example, and not a five times in a row", () => {
    const holders = [holder("a", { weight: 5 }), holder("b"), holder("c")];
    const order: string[] = [];
    let placing = new Map<string, string>();
    for (let i = 0; i < 7; i++) {
      const all = many(i + 1, (name) => work(name, { strategy: "smooth-weighted" }), "t");
      placing = place(all, holders, placing, i);
      order.push(placing.get(`t-${i}`)!);
    }
    expect(order.join("")).toBe("aabacaa");
  });

  test("in turn gives each the next one", () => {
    const all = many(6, (name) => work(name, { strategy: "round-robin" }), "t");
    expect([...place(all, many(3, holder, "b"), none, 1)].sort().map(([, at]) => at)).toEqual([
      ...["b-1", "b-2", "b-0", "b-1", "b-2", "b-0"],
    ]);
  });

  test("by two choices leaves less at the fullest than by one", () => {
    const fullest = (strategy: Strategy) => {
      const placing = place(
        many(500, (name) => work(name, { strategy }), "t"),
        many(500, holder, "b"),
        none,
        3,
      );
      const counts = new Map<string, number>();
      for (const at of placing.values()) counts.set(at, (counts.get(at) ?? 0) + 1);
      return Math.max(...counts.values());
    };
    expect(fullest("two-choices")).toBeLessThan(fullest("random"));
  });
});
