import { describe, expect, test } from "vitest";
import { ConditionRun } from "../../../firmware/sensing/condition-run.ts";
import type { Rule } from "../../../protocols/pipeline/program.ts";

const above: Rule = {
  metric: "air.temperature",
  when: "above",
  threshold: 30,
  hysteresis: 2,
  forMs: 0,
  output: "fan",
  value: 100,
};

/** Whether the rule is active after each reading. */
function after(rule: ConditionRun, values: readonly number[]): boolean[] {
  return values.map((value, i) => {
    rule.onReading(value, i);
    return rule.active;
  });
}

test("above: begins beyond the threshold, ends when the metric has come back by the hysteresis", () => {
  const rule = new ConditionRun(above, 30);
  expect(after(rule, [30, 30.1, 28.1, 28, 29, 31])).toEqual([false, true, true, false, false, true]);
});

test("below: the other way round", () => {
  const rule = new ConditionRun({ ...above, when: "below" }, 30);
  expect(after(rule, [30, 29.9, 31.9, 32, 31, 29])).toEqual([false, true, true, false, false, true]);
});

test("without hysteresis it ends at the threshold", () => {
  const rule = new ConditionRun({ ...above, hysteresis: 0 }, 30);
  expect(after(rule, [30.1, 30, 30.1])).toEqual([true, false, true]);
});

describe("with a delay", () => {
  const slow = { ...above, forMs: 1000 };

  test("it begins once the metric has been beyond for so long, without another reading", () => {
    const rule = new ConditionRun(slow, 30);
    rule.onReading(31, 500);
    expect(rule.dueMs).toBe(1500);
    rule.run(1499);
    expect(rule.active).toBe(false);
    rule.run(1500);
    expect(rule.active).toBe(true);
    expect(rule.dueMs).toBe(Infinity);
  });

  test("a reading that is still beyond does not start it again, one that is not does", () => {
    const rule = new ConditionRun(slow, 30);
    rule.onReading(31, 0);
    rule.onReading(32, 900);
    expect(rule.dueMs).toBe(1000);
    rule.onReading(30, 950);
    rule.run(1000);
    expect(rule.active).toBe(false);
    rule.onReading(31, 1100);
    expect(rule.dueMs).toBe(2100);
  });
});

describe("a threshold from a setting", () => {
  test("judges the last reading anew when it moves", () => {
    const rule = new ConditionRun(above, 30);
    rule.onReading(25, 0);
    rule.onThreshold(24, 1);
    expect(rule.active).toBe(true);
    rule.onThreshold(40, 2);
    expect(rule.active).toBe(false);
  });

  test("that is not there leaves the rule at rest, or ends it", () => {
    const rule = new ConditionRun(above, NaN);
    expect(after(rule, [1000])).toEqual([false]);
    rule.onThreshold(30, 1);
    expect(rule.active).toBe(true);
    rule.onThreshold(NaN, 2);
    expect(rule.active).toBe(false);
  });
});
