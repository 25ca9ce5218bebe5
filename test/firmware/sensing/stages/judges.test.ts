/** Stages that correct, judge or thin out values, each beside the plainest program that does the same. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Cusum } from "../../../../firmware/sensing/stages/cusum.ts";
import { filterFor } from "../../../../firmware/sensing/stages/filter.ts";
import { Hampel } from "../../../../firmware/sensing/stages/hampel.ts";
import { median } from "../models/statistics.ts";
import { drive, responses, type Sample } from "./drive.ts";

const small = fc.integer({ min: -6, max: 6 });
const value = fc.double({ min: -1e3, max: 1e3, noNaN: true }).map((v) => v + 0);

/** Values at random times. */
const streams: fc.Arbitrary<Sample[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 40 }), small), { maxLength: 80 })
  .map((steps) => {
    let atMs = 1000;
    return steps.map(([gapMs, each]): Sample => {
      atMs += gapMs;
      return [atMs, each];
    });
  });

describe("calibration", () => {
  test("a polynomial is the sum of its powers", () => {
    fc.assert(
      fc.property(fc.array(small, { minLength: 1, maxLength: 8 }), small, (coefficients, x) => {
        const sum = coefficients.reduce((total, c, power) => total + c * x ** power, 0);
        expect(filterFor({ op: "polynomial", coefficients }).push(x, 0) + 0).toBe(sum + 0);
      }),
    );
  });

  test("a table gives its points, what lies between them, and beyond them its ends", () => {
    const table = filterFor({ op: "table", xs: [0, 10, 30], ys: [5, 25, 15] });
    expect([-1, 0, 4, 10, 20, 30, 99].map((x) => table.push(x, 0))).toEqual([5, 5, 13, 25, 20, 15, 15]);
  });

  test("clamp gives the nearer end for what lies outside", () => {
    const clamp = filterFor({ op: "clamp", min: -2, max: 3 });
    expect([-9, -2, 0, 3, 4].map((x) => clamp.push(x, 0))).toEqual([-2, -2, 0, 3, 3]);
  });
});

test("hampel replaces by the median what is too many deviations from it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 15 }),
      fc.double({ min: 0, max: 5, noNaN: true }),
      fc.array(fc.oneof(value, small), { maxLength: 60 }),
      (half, threshold, values) => {
        const count = 2 * half + 1;
        const expected = values.map((each, i) => {
          const last = values.slice(Math.max(0, i + 1 - count), i + 1);
          const middle = median(last);
          const mad = median(last.map((v) => Math.abs(v - middle)));
          return { each, middle, limit: threshold * 1.4826 * mad };
        });
        responses(new Hampel(count, threshold), values).forEach((found, i) => {
          const { each, middle, limit } = expected[i]!;
          const beyond = Math.abs(each - middle) - limit;
          // At the very limit rounding decides.
          if (Math.abs(beyond) > 1e-9) expect(found).toBeCloseTo(beyond > 0 ? middle : each, 9);
        });
      },
    ),
  );
});

describe("cusum", () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.3: the chart signals at the 14th group.
  const groups = [
    324.925, 324.675, 324.725, 324.35, 325.35, 325.225, 324.125, 324.525, 325.225, 324.6, 324.625, 325.15,
    328.325, 327.25,
  ];
  const chart = { op: "cusum", drift: 0.3175, threshold: 4.1959, learn: 0, reference: 325 } as const;

  test("signals where NIST's chart does", () => {
    expect(responses(new Cusum(chart), groups)).toEqual([...new Array(13).fill(0), 1]);
  });

  test("signals a shift down as it does one up", () => {
    const mirrored = groups.map((each) => 650 - each);
    expect(responses(new Cusum(chart), mirrored).at(-1)).toBe(-1);
  });

  test("learns its reference, and anew after a change", () => {
    const cusum = new Cusum({ op: "cusum", drift: 0.5, threshold: 3, learn: 3, reference: 0 });
    const found = responses(cusum, [10, 11, 9, 10, 13, 13, 13, 13, 13, 13, 13, 10, 10]);
    expect(found).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, -1]);
  });
});

describe("what a stage lets through", () => {
  test("debounce: what has stayed the same for long enough, once", () => {
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 100 }), (samples, forMs) => {
        const expected: Sample[] = [];
        samples.forEach(([atMs, each], i) => {
          let first = i;
          while (first > 0 && samples[first - 1]![1] === each) first--;
          const isHeld = i > first && atMs - samples[first]![0] >= forMs;
          if (isHeld && expected.at(-1)?.[1] !== each) expected.push([atMs, each]);
        });
        expect(drive(filterFor({ op: "debounce", forMs }), samples)).toEqual(expected);
      }),
    );
  });

  test("throttle: one value in a time", () => {
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 100 }), (samples, everyMs) => {
        const expected: Sample[] = [];
        for (const sample of samples) {
          if (expected.length === 0 || sample[0] - expected.at(-1)![0] >= everyMs) expected.push(sample);
        }
        expect(drive(filterFor({ op: "throttle", everyMs }), samples)).toEqual(expected);
      }),
    );
  });

  test("heartbeat: all, and the last again after each time without one", () => {
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 30 }), (samples, everyMs) => {
        const expected: Sample[] = [];
        samples.forEach(([atMs, each], i) => {
          expected.push([atMs, each]);
          const nextMs = samples[i + 1]?.[0] ?? atMs + 100;
          for (let ms = atMs + everyMs; ms <= nextMs; ms += everyMs) expected.push([ms, each]);
        });
        const endMs = (samples.at(-1)?.[0] ?? 0) + 100;
        expect(drive(filterFor({ op: "heartbeat", everyMs }), samples, endMs)).toEqual(expected);
      }),
    );
  });

  test("range: what lies in it", () => {
    const range = filterFor({ op: "range", min: -2, max: 3 });
    expect([-3, -2, 0, 3, 4].map((x) => range.push(x, 0))).toEqual([Number.NaN, -2, 0, 3, Number.NaN]);
    expect(range.fault).toBe(2);
  });

  test("stuck: what has moved, from where it last had, in time", () => {
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 100 }), fc.nat(2), (samples, forMs, delta) => {
        const stuck = filterFor({ op: "stuck", forMs, delta });
        let [sinceMs, anchor] = samples[0] ?? [0, 0];
        for (const [atMs, each] of samples) {
          if (Math.abs(each - anchor) > delta) [sinceMs, anchor] = [atMs, each];
          expect(stuck.push(each, atMs)).toBe(atMs - sinceMs >= forMs ? Number.NaN : each);
        }
        expect(stuck.fault).toBe(3);
      }),
    );
  });
});

test("hysteresis switches at its far level only", () => {
  const trigger = filterFor({ op: "hysteresis", low: 1, high: 3 });
  expect([2, 3, 2, 1.5, 1, 2, 2.9, 3].map((x) => trigger.push(x, 0))).toEqual([0, 1, 1, 1, 0, 0, 0, 1]);
});

test("a derivative is the change a second", () => {
  expect(
    drive(filterFor({ op: "derivative" }), [
      [1000, 5],
      [1500, 6],
      [3500, 2],
      [3500, 9],
      [4500, 2],
    ]),
  ).toEqual([
    [1500, 2],
    [3500, -2],
    [4500, 0],
  ]);
});
