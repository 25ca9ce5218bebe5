/** Each filter beside the plainest program that does the same. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Deadband } from "../../../../firmware/sensing/stages/deadband.ts";
import { MeanWindow } from "../../../../firmware/sensing/stages/mean-window.ts";
import { Median } from "../../../../firmware/sensing/stages/median.ts";

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((v) => v + 0);

describe("median", () => {
  test("is the middle of the last values in order, or the mean of the two in the middle", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 15 }),
        fc.array(fc.oneof(value, fc.integer({ min: 0, max: 3 })), { maxLength: 60 }),
        (half, values) => {
          const count = 2 * half + 1;
          const median = new Median(count);
          values.forEach((each, i) => {
            const last = values.slice(Math.max(0, i + 1 - count), i + 1).sort((a, b) => a - b);
            const middle = last.length >> 1;
            const plain = last.length % 2 === 1 ? last[middle]! : last[middle - 1]! / 2 + last[middle]! / 2;
            expect(median.push(each)).toBe(plain);
          });
        },
      ),
    );
  });

  test("drops a spike", () => {
    const median = new Median(3);
    expect([20, 21, 500, 21, 20].map((v) => median.push(v))).toEqual([20, 20.5, 21, 21, 21]);
  });
});

describe("mean of tumbling windows", () => {
  /** Times and values of everything that leaves, when values come at `times` and time is told at each due moment. */
  function run(windowMs: number, times: readonly number[], values: readonly number[]): [number, number][] {
    const mean = new MeanWindow(windowMs);
    const left: [number, number][] = [];
    times.forEach((atMs, i) => {
      while (mean.dueMs <= atMs) {
        const dueMs = mean.dueMs;
        left.push([dueMs, mean.advance()]);
      }
      expect(mean.push(values[i]!, atMs)).toBeNaN();
    });
    return left;
  }

  test("is the mean of each window that has values, at its end", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.nat(1e6),
        fc.array(fc.tuple(fc.nat(40), value), { minLength: 1, maxLength: 80 }),
        (windowMs, startMs, steps) => {
          const times: number[] = [];
          for (const [gapMs] of steps) times.push((times.at(-1) ?? startMs) + gapMs);
          const values = steps.map(([, v]) => v);
          const windows = new Map<number, number[]>();
          times.forEach((atMs, i) => {
            const window = Math.floor((atMs - times[0]!) / windowMs);
            windows.set(window, [...(windows.get(window) ?? []), values[i]!]);
          });
          const last = Math.floor((times.at(-1)! - times[0]!) / windowMs);
          const plain = [...windows].filter(([window]) => window < last);
          const left = run(windowMs, times, values);
          expect(left.map(([atMs]) => atMs)).toEqual(plain.map(([w]) => times[0]! + (w + 1) * windowMs));
          left.forEach(([, mean], i) => {
            const inWindow = plain[i]![1];
            expect(mean).toBeCloseTo(inWindow.reduce((sum, v) => sum + v, 0) / inWindow.length, 6);
          });
        },
      ),
    );
  });

  test("a value that comes as the window ends belongs to the next", () => {
    expect(run(10, [0, 9, 10, 20], [1, 3, 100, 0])).toEqual([
      [10, 2],
      [20, 100],
    ]);
  });
});

describe("deadband", () => {
  test("passes what differs by more than delta from the last that passed, and what comes after silence", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 10, noNaN: true }),
        fc.nat(100),
        fc.array(fc.tuple(fc.nat(40), fc.integer({ min: -20, max: 20 })), { maxLength: 80 }),
        (delta, silenceMs, steps) => {
          const deadband = new Deadband(delta, silenceMs);
          let last: { value: number; atMs: number } | undefined;
          let atMs = 0;
          for (const [gapMs, each] of steps) {
            atMs += gapMs;
            const passes =
              last === undefined ||
              Math.abs(each - last.value) > delta ||
              (silenceMs > 0 && atMs - last.atMs >= silenceMs);
            expect(deadband.push(each, atMs)).toBe(passes ? each : NaN);
            if (passes) last = { value: each, atMs };
          }
        },
      ),
    );
  });
});
