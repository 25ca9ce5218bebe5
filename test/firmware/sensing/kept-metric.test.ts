import fc from "fast-check";
import { expect, test } from "vitest";
import { KeptMetric, keptSlots } from "../../../firmware/sensing/kept-metric.ts";
import { Summary } from "../../../protocols/query/summary.ts";

const keepMs = 12_000;
const slotMs = keepMs / keptSlots;

test("what boards keep, merged, is what their raw streams say of the time covered, to the last value", () => {
  const reading = fc.record({
    afterMs: fc.integer({ min: 0, max: 2_500 }),
    value: fc.integer({ min: -400, max: 900 }),
  });
  const board = fc.array(reading, { maxLength: 80 });
  fc.assert(
    fc.property(
      fc.array(board, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1_000, max: keepMs }),
      (boards, windowMs) => {
        const merged = new Summary();
        const raw = new Summary();
        for (const readings of boards) {
          const kept = new KeptMetric("temperature", keepMs, 0);
          const stream: { atMs: number; value: number }[] = [];
          let nowMs = 0;
          for (const { afterMs, value } of readings) {
            nowMs += afterMs;
            kept.push(nowMs, value);
            stream.push({ atMs: nowMs, value });
          }
          const coveredMs = kept.coveredMs(windowMs, nowMs);
          expect(coveredMs).toBeGreaterThanOrEqual(Math.min(windowMs, nowMs));
          expect(coveredMs).toBeLessThan(windowMs + slotMs);
          merged.merge(kept.summary(windowMs, nowMs));
          for (const { atMs, value } of stream) if (atMs >= nowMs - coveredMs) raw.add(value);
        }
        expect([merged.count, merged.min, merged.max, merged.exponent]).toEqual([
          raw.count,
          raw.min,
          raw.max,
          raw.exponent,
        ]);
        expect([...merged.bins]).toEqual([...raw.bins]);
        expect(merged.mean).toBeCloseTo(raw.mean, 8);
        expect(merged.squares).toBeCloseTo(raw.squares, 3);
      },
    ),
    { numRuns: 300 },
  );
});

test("what comes when its slot is gone is passed over, and what was never heard is none", () => {
  const kept = new KeptMetric("temperature", keepMs, 0);
  kept.push(50_000, 1);
  kept.push(50_000 - 13 * slotMs, 2);
  expect(kept.summary(keepMs, 50_000).count).toBe(1);
  expect(kept.summary(keepMs, 90_000).count).toBe(0);
});
