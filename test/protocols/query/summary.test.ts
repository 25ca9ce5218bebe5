import fc from "fast-check";
import { expect, test } from "vitest";
import { Summary, summaryLimits } from "../../../protocols/query/summary.ts";

const { binsMax } = summaryLimits;
const value = fc.oneof(
  fc.double({ min: -50, max: 150, noNaN: true }),
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.constantFrom(0, -0, 1e-9, -1e9, 1e12, 20.5),
);
const values = fc.array(value, { minLength: 1, maxLength: 200 });

function summaryOf(given: readonly number[]): Summary {
  const summary = new Summary();
  for (const one of given) summary.add(one);
  return summary;
}

/** The same from the raw stream, plainly. */
function plain(raw: readonly number[]) {
  const given = raw.map((one) => (Math.abs(one) < 1e-100 ? 0 : one));
  const sorted = [...given].sort((a, b) => a - b);
  const mean = given.reduce((sum, one) => sum + one, 0) / given.length;
  const squares = given.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { sorted, mean, squares, min: sorted[0]!, max: sorted.at(-1)! };
}

function near(found: number, wanted: number, scale: number): void {
  expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-9 * Math.max(1, scale));
}

test("it says of a stream what the raw values say", () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (given, share) => {
      const summary = summaryOf(given);
      const { sorted, mean, squares, min, max } = plain(given);
      const size = Math.max(...given.map(Math.abs));
      expect([summary.count, summary.min, summary.max]).toEqual([given.length, min, max]);
      near(summary.mean, mean, size);
      near(summary.squares, squares, size * size * given.length);
      // The nearest rank.
      const quantile = sorted[Math.max(1, Math.ceil(share * given.length)) - 1]!;
      expect(Math.abs(summary.quantile(share) - quantile)).toBeLessThanOrEqual(
        summary.quantileError * (1 + 1e-9),
      );
      expect(summary.quantileError).toBeLessThanOrEqual((max - min) / (binsMax - 2) + 1e-12 * size);
    }),
    { numRuns: 500 },
  );
});

test("merged, in whatever grouping and order, it is that of all values together: counts, extremes and bins to the last one", () => {
  fc.assert(
    fc.property(fc.array(fc.array(value, { maxLength: 60 }), { minLength: 1, maxLength: 8 }), (parts) => {
      const whole = summaryOf(parts.flat());
      const forward = new Summary();
      for (const part of parts) forward.merge(summaryOf(part));
      const backward = new Summary();
      for (const part of [...parts].reverse()) backward.merge(summaryOf(part));
      const size = Math.max(0, ...parts.flat().map(Math.abs));
      for (const merged of [forward, backward]) {
        expect([merged.count, merged.min, merged.max]).toEqual([whole.count, whole.min, whole.max]);
        expect(merged.exponent).toBe(whole.exponent);
        expect([...merged.bins]).toEqual([...whole.bins]);
        near(merged.mean, whole.mean, size);
        near(merged.squares, whole.squares, size * size * Math.max(1, whole.count));
      }
    }),
    { numRuns: 500 },
  );
});

test("of nothing it says nothing, of one value that", () => {
  const none = new Summary();
  expect([none.count, none.deviation, none.quantile(0.5)]).toEqual([0, Number.NaN, Number.NaN]);
  const one = summaryOf([21.3]);
  expect([one.mean, one.min, one.max, one.quantile(0.99), one.quantileError]).toEqual([
    21.3, 21.3, 21.3, 21.3, 0,
  ]);
  expect(summaryOf([5, 5, 5]).deviation).toBe(0);
});
