/** Joins, correlations and groups beside plain models, on readings in any order and over restarts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelRun } from "../../../../firmware/sensing/learning/model-run.ts";
import { decodeCbor } from "../../../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../../../protocols/cbor/encode.ts";
import type { Quality } from "../../../../protocols/messages/board-messages.ts";
import type { JoinedUse, JoinOperation } from "../../../../protocols/pipeline/joined-use.ts";
import { statistics } from "../../../../protocols/pipeline/operators.ts";
import { mean, statisticOf } from "../models/statistics.ts";

interface Event {
  readonly metric: "a" | "b" | "c";
  readonly atMs: number;
  readonly value: number;
  readonly quality: Quality;
}

const events: fc.Arbitrary<Event[]> = fc
  .array(
    fc.record({
      metric: fc.constantFrom("a" as const, "b" as const, "a" as const, "b" as const, "c" as const),
      gapMs: fc.nat(40),
      value: fc.integer({ min: -9, max: 9 }),
      quality: fc.constantFrom<Quality>(0, 0, 0, 0, 0, 0, 4, 2),
    }),
    { maxLength: 120 },
  )
  .map((steps) => {
    let atMs = 5000;
    return steps.map(({ gapMs, ...event }) => {
      atMs += gapMs;
      return { ...event, atMs };
    });
  });

type Told = readonly [atMs: number, value: number, isLate: boolean];

function run(model: ModelRun, some: readonly Event[]): Told[] {
  const told: Told[] = [];
  for (const { metric, atMs, value, quality } of some) {
    if (model.take(metric, atMs, value, quality)) told.push([atMs, model.value, model.isLate]);
  }
  return told;
}

const join = (operation: JoinOperation, waits = 3, withinMs = 30): JoinedUse => {
  return { kind: "join", metric: "j", features: ["a", "b"], waits, operation, withinMs };
};

/** The rows that ought to come: [when, a, b]. */
function rows(
  some: readonly Event[],
  waits: number,
  withinMs: number,
): (readonly [number, number, number])[] {
  const found: (readonly [number, number, number])[] = [];
  let usedUntil = -1;
  some.forEach(({ metric, atMs, quality }, i) => {
    if (metric === "c" || quality === 2) return;
    // The last word of each, and where it stands.
    const lastOf = (which: string) => some.slice(0, i + 1).findLastIndex((each) => each.metric === which);
    const [a, b] = [lastOf("a"), lastOf("b")];
    if (a < 0 || b < 0 || some[a]!.quality === 2 || some[b]!.quality === 2) return;
    const isFresh = (place: number, bit: number) => (waits & bit) === 0 || place > usedUntil;
    if (!isFresh(a, 1) || !isFresh(b, 2)) return;
    if (atMs - Math.min(some[a]!.atMs, some[b]!.atMs) > withinMs) return;
    usedUntil = i;
    found.push([atMs, some[a]!.value, some[b]!.value]);
  });
  return found;
}

describe("a join", () => {
  test("is made of the latest values of both, once those that are waited for are new and near enough", () => {
    fc.assert(
      fc.property(
        events,
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 0, max: 60 }),
        (some, waits, within) => {
          const told = run(new ModelRun(join("difference", waits, within), undefined), some);
          expect(told.map(([atMs, value]) => [atMs, value])).toEqual(
            rows(some, waits, within).map(([atMs, a, b]) => [atMs, a - b]),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each<[JoinOperation, number]>([
    ["sum", 3],
    ["product", -24],
    ["mean", 1],
    ["min", -3],
    ["max", 4],
  ])("of three by %s", (operation, expected) => {
    const use = { ...join(operation, 7), features: ["a", "b", "c"] } as JoinedUse;
    const model = new ModelRun(use, undefined);
    expect(model.take("a", 0, 4, 0)).toBe(false);
    expect(model.take("b", 1, -3, 0)).toBe(false);
    expect(model.take("c", 2, 2, 0)).toBe(true);
    expect(model.value).toBe(expected);
  });

  test("of nothing by nothing is nothing, and of something by nothing no number", () => {
    const model = new ModelRun(join("ratio"), undefined);
    const of = (a: number, b: number, atMs: number) => {
      model.take("a", atMs, a, 0);
      return model.take("b", atMs, b, 0) ? model.value : undefined;
    };
    expect([of(6, 3, 0), of(0, 0, 10), of(1, 0, 20)]).toEqual([2, undefined, Infinity]);
  });

  test("says that it is late when one of its values is", () => {
    const model = new ModelRun(join("sum"), undefined);
    expect(run(model, [event("a", 0, 1, 4), event("b", 5, 1), event("a", 10, 1), event("b", 15, 1)])).toEqual(
      [
        [5, 2, true],
        [15, 2, false],
      ],
    );
  });

  test("gives nothing with a partner that is stale", () => {
    const model = new ModelRun(join("sum", 1, 1000), undefined);
    const stale = [event("b", 0, 1), event("a", 900, 1), event("a", 1900, 1), event("a", 2900, 1)];
    expect(run(model, stale)).toEqual([[900, 2, false]]);
  });
});

describe("a correlation", () => {
  const use = (rows: number, every: number): JoinedUse => {
    return { kind: "correlation", metric: "r", features: ["a", "b"], waits: 3, rows, every, withinMs: 1000 };
  };
  const feed = (points: readonly (readonly [number, number])[], rows: number, every = 1) =>
    run(
      new ModelRun(use(rows, every), undefined),
      points.flatMap(([x, y], i) => [event("a", 10 * i, x), event("b", 10 * i, y)]),
    ).map(([atMs, value]) => [atMs / 10, value] as const);

  // Anscombe, The American Statistician 27, 1973: four sets that look nothing alike, each with r = 0.816.
  const quartet = [
    "10 8.04 8 6.95 13 7.58 9 8.81 11 8.33 14 9.96 6 7.24 4 4.26 12 10.84 7 4.82 5 5.68",
    "10 9.14 8 8.14 13 8.74 9 8.77 11 9.26 14 8.1 6 6.13 4 3.1 12 9.13 7 7.26 5 4.74",
    "10 7.46 8 6.77 13 12.74 9 7.11 11 7.81 14 8.84 6 6.08 4 5.39 12 8.15 7 6.42 5 5.73",
    "8 6.58 8 5.76 8 7.71 8 8.84 8 8.47 8 7.04 8 5.25 19 12.5 8 5.56 8 7.91 8 6.89",
  ].map((text) => {
    const numbers = text.split(" ").map(Number);
    return Array.from({ length: 11 }, (_, i) => [numbers[2 * i]!, numbers[2 * i + 1]!] as const);
  });

  test.each(quartet.map((points, i) => [i + 1, points] as const))(
    "of Anscombe's set %d is 0.816",
    (_, points) => {
      expect(feed(points, 11)).toEqual([[10, expect.closeTo(0.8165, 3)]]);
    },
  );

  test("is that of the last rows, every so many", () => {
    const point = fc.tuple(
      fc.integer({ min: -1e4, max: 1e4 }).map((value) => 1000 + value / 64),
      fc.integer({ min: -3, max: 3 }),
    );
    const sizes = fc
      .integer({ min: 3, max: 12 })
      .chain((rows) => fc.tuple(fc.constant(rows), fc.integer({ min: 1, max: rows })));
    fc.assert(
      fc.property(fc.array(point, { maxLength: 50 }), sizes, (points, [rows, every]) => {
        const expected: (readonly [number, number])[] = [];
        points.forEach((_, i) => {
          if (i + 1 < rows || (i + 1) % every !== 0) return;
          const r = pearson(points.slice(i + 1 - rows, i + 1));
          if (!Number.isNaN(r)) expected.push([i, r]);
        });
        const told = feed(points, rows, every);
        expect(told.map(([i]) => i)).toEqual(expected.map(([i]) => i));
        told.forEach(([, r], i) => {
          expect(r).toBeCloseTo(expected[i]![1], 6);
        });
      }),
    );
  });

  test("with what never changes there is none", () => {
    expect(
      feed(
        [0.1, 0.7, 0.3, 0.9].map((x) => [x, 0.1] as const),
        3,
      ),
    ).toEqual([]);
  });
});

describe("groups", () => {
  const use = (group: number, statistic: (typeof statistics)[number], lengthMs: number): JoinedUse => {
    return {
      kind: "group",
      metric: "g",
      features: ["a", "b"],
      waits: 1,
      group,
      lengthMs,
      statistic,
      percent: 0,
    };
  };
  const exact = statistics.filter((each) => each !== "percentile");

  test("have the values of a metric for as long as the other is theirs, window by window", () => {
    fc.assert(
      fc.property(
        events,
        fc.constantFrom(...exact),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 3 }),
        (some, statistic, lengthMs, group) => {
          const all = rows(some, 1, Infinity);
          const expected: (readonly [number, number])[] = [];
          const first = all[0]?.[0] ?? 0;
          const windowOf = (atMs: number) => Math.floor((atMs - first) / lengthMs);
          all.forEach(([atMs], i) => {
            const before = i > 0 ? windowOf(all[i - 1]![0]) : 0;
            if (windowOf(atMs) === before) return;
            const inside = all.filter(([t, , b]) => windowOf(t) === before && b === group);
            const points = inside.map(([t, a]) => [(t - first) / 1000, a] as const);
            const value = points.length === 0 ? Number.NaN : statisticOf(points, statistic, 0);
            if (!Number.isNaN(value)) expected.push([atMs, value]);
          });
          const told = run(new ModelRun(use(group, statistic, lengthMs), undefined), some);
          expect(told.map(([atMs]) => atMs)).toEqual(expected.map(([atMs]) => atMs));
          told.forEach(([, value], i) => {
            expect(value).toBeCloseTo(expected[i]![1], 6);
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});

const restarted: JoinedUse[] = [
  join("difference"),
  join("mean", 0, 20),
  { kind: "correlation", metric: "r", features: ["a", "b"], waits: 3, rows: 4, every: 3, withinMs: 50 },
  {
    kind: "group",
    metric: "g",
    features: ["a", "b"],
    waits: 1,
    group: 1,
    lengthMs: 100,
    statistic: "variance",
    percent: 0,
  },
  {
    kind: "group",
    metric: "g",
    features: ["a", "c"],
    waits: 1,
    group: 2,
    lengthMs: 150,
    statistic: "percentile",
    percent: 90,
  },
];

test.each(restarted.map((use) => [JSON.stringify(use), use] as const))(
  "a restart from a checkpoint changes nothing: %s",
  (_, use) => {
    fc.assert(
      fc.property(events, fc.nat(120), fc.integer({ min: -1e6, max: 1e6 }), (some, cut, shiftMs) => {
        const before = some.slice(0, cut);
        const after = some.slice(cut);
        const nowMs = before.at(-1)?.atMs ?? 5000;
        const whole = run(new ModelRun(use, undefined), some);
        const first = new ModelRun(use, undefined);
        const told = run(first, before);
        const second = new ModelRun(use, undefined);
        expect(second.restore(decodeCbor(encodeCbor(first.save(nowMs))), nowMs + shiftMs)).toBe(true);
        const later = run(
          second,
          after.map((each) => ({ ...each, atMs: each.atMs + shiftMs })),
        );
        told.push(...later.map(([atMs, value, late]): Told => [atMs - shiftMs, value, late]));
        expect(told.map(([atMs, , late]) => [atMs, late])).toEqual(
          whole.map(([atMs, , late]) => [atMs, late]),
        );
        told.forEach(([, value], i) => {
          expect(value).toBeCloseTo(whole[i]![1], 9);
        });
      }),
    );
  },
);

test.each(restarted.slice(2).map((use) => [use.kind, use] as const))(
  "what is no state of a %s is refused",
  (_, use) => {
    const model = new ModelRun(use, undefined);
    const saved = model.save(0) as [unknown, unknown];
    expect(model.restore([saved[0] as never, "x"], 0)).toBe(false);
    expect(model.restore("x", 0)).toBe(false);
  },
);

function event(metric: Event["metric"], atMs: number, value: number, quality: Quality = 0): Event {
  return { metric, atMs, value, quality };
}

/** As a textbook has it; nothing where one is constant. */
function pearson(points: readonly (readonly [number, number])[]): number {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  if (xs.every((x) => x === xs[0]) || ys.every((y) => y === ys[0])) return Number.NaN;
  const [mx, my] = [mean(xs), mean(ys)];
  const sum = (of: (x: number, y: number) => number) =>
    points.reduce((total, [x, y]) => total + of(x - mx, y - my), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}
