/** Sessions beside a model that cuts the whole stream into runs. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Session } from "../../../../firmware/sensing/stages/session.ts";
import { sessionStatistics } from "../../../../protocols/pipeline/operators.ts";
import { statisticOf } from "../models/statistics.ts";
import { drive, type Sample } from "./drive.ts";

const streams: fc.Arbitrary<Sample[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: -9, max: 9 })), {
    minLength: 1,
    maxLength: 80,
  })
  .map((steps) => {
    let atMs = 5000;
    return steps.map(([gapMs, value]): Sample => {
      atMs += gapMs;
      return [atMs, value];
    });
  });

const exact = sessionStatistics.filter((each) => each !== "percentile");

test("a session is a run of values above a level, and gives what all of its values give at once", () => {
  fc.assert(
    fc.property(
      streams,
      fc.integer({ min: 1, max: 50 }),
      fc.oneof(fc.constant(-Number.MAX_VALUE), fc.integer({ min: -9, max: 9 })),
      fc.constantFrom(...exact),
      (samples, gapMs, above, statistic) => {
        const runs: Sample[][] = [];
        for (const sample of samples.filter(([, value]) => value > above)) {
          const run = runs.at(-1);
          if (run !== undefined && sample[0] - run.at(-1)![0] < gapMs) run.push(sample);
          else runs.push([sample]);
        }
        const expected = runs
          .map((run): Sample => {
            const firstMs = run[0]![0];
            const lastMs = run.at(-1)![0];
            const points = run.map(([t, v]) => [(t - firstMs) / 1000, v] as const);
            const value =
              statistic === "duration" ? (lastMs - firstMs) / 1000 : statisticOf(points, statistic, 0);
            return [lastMs + gapMs, value];
          })
          .filter(([, value]) => !Number.isNaN(value));
        const session = new Session({ op: "session", gapMs, above, statistic, percent: 0 });
        const left = drive(session, samples, samples.at(-1)![0] + gapMs);
        expect(left.map(([atMs]) => atMs)).toEqual(expected.map(([atMs]) => atMs));
        left.forEach(([, value], i) => {
          expect(value).toBeCloseTo(expected[i]![1], 6);
        });
      },
    ),
    { numRuns: 500 },
  );
});

test("a motor that runs twice has run for so long each time", () => {
  const samples = Array.from({ length: 100 }, (_, i): Sample => {
    const isRunning = (i >= 10 && i < 30) || (i >= 50 && i < 55);
    return [1000 * i, isRunning ? 40 : 1];
  });
  const session = new Session({ op: "session", gapMs: 3000, above: 5, statistic: "duration", percent: 0 });
  expect(drive(session, samples)).toEqual([
    [32_000, 19],
    [57_000, 4],
  ]);
});
