/** What a board's work costs on the chip's instruction set, against the figures that docs/budget.md promises. */
import { beforeAll, describe, expect, test } from "vitest";
import { excesses, readLimits } from "../../bench/board/budget-page.ts";
import { type BoardBudget, measureBudget } from "../../bench/board/measure.ts";

let measured: BoardBudget;
beforeAll(async () => {
  measured = await measureBudget();
}, 300_000);

describe("the board's budget", () => {
  test("no work costs more than 5 % above its figure in docs/budget.md", () => {
    expect(excesses(measured, readLimits())).toEqual([]);
  });

  test("the heap's peak leaves room for what is to come", () => {
    for (const { name, bytes } of measured.ram) expect(bytes, name).toBeLessThan(65_536);
  });

  test("a figure that grows by more, or is missing, is told", () => {
    const limits = readLimits();
    const [first, ...others] = limits.work;
    const dearer = { ...first!, workInstructions: Math.ceil(first!.workInstructions * 1.06) };
    expect(excesses({ ...limits, work: [dearer, ...others] }, limits)).toEqual([
      expect.stringMatching(`^${first!.name}: \\d+ workInstructions, 6.0 % above the`),
    ]);
    expect(excesses({ ...limits, work: others }, limits)).toEqual([
      `${first!.name}: in docs/budget.md, not measured`,
    ]);
    expect(excesses(limits, { ...limits, ram: limits.ram.slice(1) })).toEqual([
      `${limits.ram[0]!.name}: not in docs/budget.md`,
    ]);
  });
});
