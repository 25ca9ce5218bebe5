import fc from "fast-check";
import { expect, test } from "vitest";
import {
  common,
  countOf,
  has,
  highest,
  type Ranges,
  unite,
  without,
} from "../../../../host-tools/leader/keeping/ranges.ts";

const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 60 }));
const ranges = (set: Iterable<number>): Ranges => unite([...set].map((number) => [number, number] as const));
const set = (of: Ranges) =>
  of.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
const sorted = (of: Iterable<number>) => [...of].sort((a, b) => a - b);

test("sets of ranges do what sets of numbers do", () => {
  fc.assert(
    fc.property(numbers, numbers, fc.integer({ min: 0, max: 70 }), (a, b, count) => {
      const [ra, rb] = [ranges(a), ranges(b)];
      expect(set(ra)).toEqual(sorted(a));
      expect(set(unite(ra, rb))).toEqual(sorted(new Set([...a, ...b])));
      expect(set(without(ra, rb))).toEqual(sorted(a.filter((one) => !b.includes(one))));
      expect(set(common(ra, rb))).toEqual(sorted(a.filter((one) => b.includes(one))));
      expect(set(highest(ra, count))).toEqual(count === 0 ? [] : sorted(a).slice(-count));
      expect(countOf(ra)).toBe(a.length);
      expect(has(ra, count)).toBe(a.includes(count));
      // No two touch.
      for (let i = 1; i < ra.length; i++) expect(ra[i]![0]).toBeGreaterThan(ra[i - 1]![1] + 1);
    }),
  );
});
