/** Windows beside a model that keeps every value and adds up each window anew. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { P2 } from "../../../../firmware/sensing/stages/p2.ts";
import { Sliding } from "../../../../firmware/sensing/stages/sliding.ts";
import { Tumbling } from "../../../../firmware/sensing/stages/tumbling.ts";
import { statistics } from "../../../../protocols/pipeline/operators.ts";
import type { Statistic, WindowBy } from "../../../../protocols/pipeline/stage.ts";
import { percentile, statisticOf } from "../models/statistics.ts";
import { drive, type Sample } from "./drive.ts";

const exact = statistics.filter((each) => each !== "percentile");

const streams: fc.Arbitrary<Sample[]> = fc
  .tuple(
    fc.integer({ min: 1, max: 1e6 }),
    fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.double({ min: -1e3, max: 1e3, noNaN: true })), {
      minLength: 1,
      maxLength: 80,
    }),
  )
  .map(([startMs, steps]) => {
    let atMs = startMs;
    return steps.map(([gapMs, value], i): Sample => {
      if (i > 0) atMs += gapMs;
      return [atMs, value + 0];
    });
  });

/** Brute force: what every window of the stream gives, and when. */
function model(
  samples: readonly Sample[],
  by: WindowBy,
  length: number,
  hop: number,
  statistic: Statistic,
  percent: number,
): Sample[] {
  const left: Sample[] = [];
  const emit = (atMs: number, inside: readonly Sample[]) => {
    if (inside.length === 0) return;
    const value = statisticOf(
      inside.map(([t, v]) => [(t - inside[0]![0]) / 1000, v]),
      statistic,
      percent,
    );
    if (!Number.isNaN(value)) left.push([atMs, value]);
  };
  if (by === "count") {
    for (let end = hop; end <= samples.length; end += hop) {
      emit(samples[end - 1]![0], samples.slice(Math.max(0, end - length), end));
    }
    return left;
  }
  const [firstMs] = samples[0]!;
  const [lastMs] = samples.at(-1)!;
  for (let endMs = firstMs + hop; endMs <= lastMs; endMs += hop) {
    emit(
      endMs,
      samples.filter(([t]) => t >= endMs - length && t < endMs),
    );
  }
  return left;
}

function expectSame(left: readonly Sample[], plain: readonly Sample[]): void {
  expect(left.map(([atMs]) => atMs)).toEqual(plain.map(([atMs]) => atMs));
  left.forEach(([, value], i) => {
    const expected = plain[i]![1];
    expect(Math.abs(value - expected)).toBeLessThan(1e-6 * Math.max(1, Math.abs(expected)));
  });
}

const by = fc.constantFrom("time" as const, "count" as const);

test("a tumbling window gives what all of its values give at once", () => {
  fc.assert(
    fc.property(
      streams,
      by,
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(...exact),
      (samples, by, length, statistic) => {
        const window = new Tumbling({ op: "tumbling", by, length, statistic, percent: 0 });
        expectSame(drive(window, samples), model(samples, by, length, length, statistic, 0));
      },
    ),
    { numRuns: 500 },
  );
});

test("a window that hops or slides gives what all of its values give at once, percentiles too", () => {
  fc.assert(
    fc.property(
      streams,
      by,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(...statistics),
      fc.integer({ min: 0, max: 100 }),
      (samples, by, size, step, statistic, percent) => {
        const length = Math.max(size, step);
        const hop = Math.min(size, step);
        const held = by === "count" ? length : 100;
        const window = new Sliding({ op: "sliding", by, length, hop, samples: held, statistic, percent });
        expectSame(drive(window, samples), model(samples, by, length, hop, statistic, percent));
      },
    ),
    { numRuns: 1000 },
  );
});

test("a sliding window of time that gets more than it can hold forgets the oldest", () => {
  const window = new Sliding({
    op: "sliding",
    by: "time",
    length: 100,
    hop: 50,
    samples: 2,
    statistic: "count",
    percent: 0,
  });
  expect(
    drive(window, [
      [0, 1],
      [10, 2],
      [20, 3],
      [50, 4],
    ]),
  ).toEqual([[50, 2]]);
});

describe("percentiles by P²", () => {
  // Jain and Chlamtac, table I: twenty observations, and what the median's marker comes to.
  const observations = [
    0.02, 0.15, 0.74, 3.39, 0.83, 22.37, 10.15, 15.43, 38.62, 15.92, 34.6, 10.28, 1.47, 0.4, 0.05, 11.39,
    0.27, 0.42, 0.09, 11.37,
  ];

  test("give the paper's medians", () => {
    const p2 = new P2(0.5);
    const after = observations.map((value) => {
      p2.add(value);
      return p2.result();
    });
    expect(after.slice(4, 8).map((value) => Number(value.toFixed(2)))).toEqual([0.74, 0.74, 0.74, 2.18]);
    expect(after.at(-1)).toBeCloseTo(4.44, 2);
  });

  test("are exact up to five values", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 100 }),
        (values, percent) => {
          const p2 = new P2(percent / 100);
          for (const value of values) p2.add(value);
          expect(p2.result()).toBeCloseTo(percentile(values, percent), 9);
        },
      ),
    );
  });

  test.each([5, 50, 95])("come within 2 of 100 ranks of percentile %d of a thousand values", (percent) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        let state = seed >>> 0;
        const values = Array.from({ length: 1000 }, () => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          return (state / 2 ** 32) ** 2;
        });
        const p2 = new P2(percent / 100);
        for (const value of values) p2.add(value);
        const below = values.filter((value) => value <= p2.result()).length;
        expect(Math.abs(below / 10 - percent)).toBeLessThan(2);
      }),
      { numRuns: 50 },
    );
  });
});
