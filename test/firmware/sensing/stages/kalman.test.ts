/** Kalman filters beside the filter's equations in matrices, and beside what is known of them in closed form. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KalmanLevel } from "../../../../firmware/sensing/stages/kalman-level.ts";
import { KalmanTrend } from "../../../../firmware/sensing/stages/kalman-trend.ts";
import { predictAndCorrect } from "../models/kalman.ts";
import { drive, responses, type Sample } from "./drive.ts";

const positive = fc.double({ min: 0.01, max: 100, noNaN: true });
const drift = fc.oneof(fc.constant(0), positive);

/** Values at random times, as if some had gone missing. */
const streams: fc.Arbitrary<Sample[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.double({ min: -1e3, max: 1e3, noNaN: true })), {
    minLength: 1,
    maxLength: 60,
  })
  .map((steps) => {
    let atMs = 7000;
    return steps.map(([gapMs, value]): Sample => {
      atMs += gapMs;
      return [atMs, value + 0];
    });
  });

function expectClose(found: number, expected: number, scale: number): void {
  expect(Math.abs(found - expected)).toBeLessThan(1e-6 * Math.max(scale, Math.abs(expected)));
}

describe("a value that wanders", () => {
  test("is what the filter's equations make of it", () => {
    fc.assert(
      fc.property(streams, positive, drift, (samples, noise, drift) => {
        let x = [[samples[0]![1]]];
        let p = [[noise ** 2]];
        const expected = samples.map(([atMs, value], i) => {
          if (i > 0) {
            const seconds = (atMs - samples[i - 1]![0]) / 1000;
            [x, p] = predictAndCorrect(x, p, [[1]], [[drift ** 2 * seconds]], [[1]], noise ** 2, value);
          }
          return x[0]![0]!;
        });
        drive(new KalmanLevel(noise, drift), samples).forEach(([, value], i) => {
          expectClose(value, expected[i]!, 1);
        });
      }),
    );
  });

  test("comes to the gain that solves Riccati's equation", () => {
    fc.assert(
      fc.property(positive, fc.double({ min: 0.1, max: 10, noNaN: true }), (noise, ratio) => {
        const drift = noise * ratio;
        const filter = new KalmanLevel(noise, drift);
        // A second apart: P = (Q + sqrt(Q² + 4 Q R)) / 2 before the sample, gain P / (P + R).
        const [q, r] = [drift ** 2, noise ** 2];
        const before = (q + Math.sqrt(q * q + 4 * q * r)) / 2;
        responses(filter, new Array(400).fill(0));
        expect(filter.push(1, 400_000)).toBeCloseTo(before / (before + r), 9);
      }),
    );
  });

  test("that does not wander is the mean of all samples", () => {
    const values = [3, 9, 4, 4, 8, 2];
    const means = values.map((_, i) => values.slice(0, i + 1).reduce((a, b) => a + b) / (i + 1));
    responses(new KalmanLevel(2, 0), values).forEach((value, i) => {
      expect(value).toBeCloseTo(means[i]!, 12);
    });
  });

  test("is believed less after samples that are missing", () => {
    const afterGap = (gapMs: number) => {
      const filter = new KalmanLevel(1, 0.1);
      responses(filter, new Array(100).fill(0));
      return filter.push(1, 99_000 + gapMs);
    };
    expect(afterGap(60_000)).toBeGreaterThan(2 * afterGap(1000));
  });
});

describe("a value with a slope", () => {
  test("is what the filter's equations make of it, once two samples have said where it begins", () => {
    fc.assert(
      fc.property(streams, positive, drift, fc.boolean(), (samples, noise, drift, givesSlope) => {
        const [r, q] = [noise ** 2, drift ** 2];
        const left = drive(new KalmanTrend(noise, drift, givesSlope), samples);
        // The first sample, and a slope and its variance of which nothing is known.
        const unknown = 1e12;
        let x = [[samples[0]![1]], [0]];
        let p = [
          [r, 0],
          [0, unknown],
        ];
        const expected = samples.map(([atMs, value], i) => {
          if (i === 0) return givesSlope ? Number.NaN : value;
          const dt = (atMs - samples[i - 1]![0]) / 1000;
          const f = [
            [1, dt],
            [0, 1],
          ];
          const noiseOf = [
            [(q * dt ** 3) / 3, (q * dt ** 2) / 2],
            [(q * dt ** 2) / 2, q * dt],
          ];
          [x, p] = predictAndCorrect(x, p, f, noiseOf, [[1, 0]], r, value);
          if (i === 1) {
            // What is left of `unknown` in doubles is the limit's, exactly.
            x = [[value], [(value - samples[0]![1]) / dt]];
            p = [
              [r, r / dt],
              [r / dt, (2 * r) / dt ** 2 + (q * dt) / 3],
            ];
          }
          return x[givesSlope ? 1 : 0]![0]!;
        });
        const given = givesSlope ? expected.slice(1) : expected;
        expect(left).toHaveLength(given.length);
        left.forEach(([, value], i) => {
          expectClose(value, given[i]!, 1000);
        });
      }),
    );
  });

  test("begins as the equations do in the limit of knowing nothing", () => {
    // A prior of 1e6 beside a noise of 1 leaves nine digits.
    const [r, q, dt] = [1, 4, 0.5];
    const f = [
      [1, dt],
      [0, 1],
    ];
    const noiseOf = [
      [(q * dt ** 3) / 3, (q * dt ** 2) / 2],
      [(q * dt ** 2) / 2, q * dt],
    ];
    let [x, p] = [
      [[3], [0]],
      [
        [r, 0],
        [0, 1e6],
      ],
    ];
    [x, p] = predictAndCorrect(x, p, f, noiseOf, [[1, 0]], r, 5);
    [x, p] = predictAndCorrect(x, p, f, noiseOf, [[1, 0]], r, 4);
    const filter = new KalmanTrend(1, 2, true);
    filter.push(3, 0);
    filter.push(5, 500);
    expect(filter.push(4, 1000)).toBeCloseTo(x[1]![0]!, 4);
  });

  test("comes to the gains that solve Riccati's equation", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 20, noNaN: true }), (ratio) => {
        const filter = new KalmanTrend(1, ratio, false);
        const slopes = new KalmanTrend(1, ratio, true);
        for (let i = 0; i < 600; i++) {
          filter.push(0, 1000 * i);
          slopes.push(0, 1000 * i);
        }
        const alpha = filter.push(1, 600_000);
        const beta = slopes.push(1, 600_000);
        // Of Riccati's equation with R = 1 and dt = 1: q (1 - alpha) = beta², and alpha² = 2 beta - alpha beta - beta² / 6.
        expect(beta ** 2 / (1 - alpha)).toBeCloseTo(ratio ** 2, 5);
        expect(alpha ** 2 + beta ** 2 / 6).toBeCloseTo((2 - alpha) * beta, 6);
      }),
    );
  });

  test("does not lag behind a ramp, and finds its slope", () => {
    const ramp = Array.from({ length: 200 }, (_, i) => 5 + 0.25 * i);
    expect(responses(new KalmanTrend(1, 0.01, false), ramp).at(-1)).toBeCloseTo(ramp.at(-1)!, 6);
    expect(responses(new KalmanTrend(1, 0.01, true), ramp).at(-1)).toBeCloseTo(0.25, 6);
  });

  test("goes on from a value after numbers that have no end", () => {
    const filter = new KalmanTrend(1, 1, false);
    const huge = Number.MAX_VALUE;
    responses(filter, [huge, -huge, huge, -huge]);
    expect(
      drive(
        filter,
        [0, 1, 2, 3, 4, 5].map((i): Sample => [4000 + 1000 * i, 7]),
      ).at(-1)![1],
    ).toBeCloseTo(7);
  });
});
