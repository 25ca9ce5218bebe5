/** Integrals beside the sum of all trapezoids, cut where periods end. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Integral } from "../../../../firmware/sensing/stages/integral.ts";
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

/** The integral in value-milliseconds from one moment to another: each trapezoid clipped to it. */
function between(samples: readonly Sample[], fromMs: number, toMs: number, gapMs: number): number {
  let sum = 0;
  for (let i = 1; i < samples.length; i++) {
    const [[t0, v0], [t1, v1]] = [samples[i - 1]!, samples[i]!];
    const [a, b] = [Math.max(t0, fromMs), Math.min(t1, toMs)];
    if (t1 - t0 > gapMs || a >= b) continue;
    const at = (t: number) => v0 + ((v1 - v0) * (t - t0)) / (t1 - t0);
    sum += ((at(a) + at(b)) / 2) * (b - a);
  }
  return sum;
}

test("the running sum is that of all trapezoids over what is no gap", () => {
  fc.assert(
    fc.property(streams, fc.integer({ min: 1, max: 40 }), (samples, gapMs) => {
      const integral = new Integral({ op: "integral", per: "s", everyMs: 0, gapMs });
      const left = drive(integral, samples);
      expect(left.map(([atMs]) => atMs)).toEqual(samples.map(([atMs]) => atMs));
      left.forEach(([atMs, value]) => {
        expect(value).toBeCloseTo(between(samples, 0, atMs, gapMs) / 1000, 9);
      });
    }),
  );
});

test("each period has its own part, and tells it with the first sample at or after its end", () => {
  fc.assert(
    fc.property(
      streams,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 90 }),
      (samples, gap, everyMs) => {
        const gapMs = Math.min(gap, everyMs);
        const integral = new Integral({ op: "integral", per: "min", everyMs, gapMs });
        const [firstMs] = samples[0]!;
        const expected: Sample[] = [];
        let startMs = firstMs;
        for (const [atMs] of samples) {
          if (atMs < startMs + everyMs) continue;
          expected.push([atMs, between(samples, startMs, startMs + everyMs, gapMs) / 60_000]);
          // Of periods without a sample nothing is told: only a gap reaches over one.
          while (atMs >= startMs + everyMs) startMs += everyMs;
        }
        const left = drive(integral, samples);
        expect(left.map(([atMs]) => atMs)).toEqual(expected.map(([atMs]) => atMs));
        left.forEach(([, value], i) => {
          expect(value).toBeCloseTo(expected[i]![1], 9);
        });
      },
    ),
    { numRuns: 500 },
  );
});

describe("a kilowatt for an hour", () => {
  const hours = Array.from({ length: 121 }, (_, i): Sample => [i * 60_000, 1000]);

  test("is 1000 Wh, and as much again in the next", () => {
    const wh = new Integral({ op: "integral", per: "h", everyMs: 3_600_000, gapMs: 60_000 });
    const left = drive(wh, hours);
    expect(left.map(([atMs]) => atMs)).toEqual([3_600_000, 7_200_000]);
    for (const [, value] of left) expect(value).toBeCloseTo(1000, 9);
  });

  test("is 3.6 MJ", () => {
    const joule = new Integral({ op: "integral", per: "s", everyMs: 0, gapMs: 60_000 });
    expect(drive(joule, hours)[60]![1]).toBeCloseTo(3.6e6, 3);
  });
});
