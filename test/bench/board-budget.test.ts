/** What a board's work costs on the chip's instruction set, against the figures that docs/budget.md promises. */
import { beforeAll, describe, expect, test } from "vitest";
import { excesses, readLimits } from "../../bench/board/budget-page.ts";
import { type BoardBudget, measureBudget } from "../../bench/board/measure.ts";
import { chipMemory } from "../../bench/board/memory.ts";

let measured: BoardBudget;
beforeAll(async () => {
  measured = await measureBudget();
}, 600_000);

describe("the board's budget", () => {
  test("no work costs more than 5 % above its figure in docs/budget.md", () => {
    expect(excesses(measured, readLimits())).toEqual([]);
  });

  test("the heap's peak keeps within 64 KB, and the arena holds what is claimed", () => {
    for (const { name, amount, unit } of measured.ram) {
      const limitBytes = name.startsWith("arena claimed") ? measured.arenaBytes : 65_536;
      if (unit === "bytes") expect(amount, name).toBeLessThan(limitBytes);
    }
  });

  test("ten pipelines, their session and a model of 4 KB keep within 64 KB together", () => {
    const pipelines = measured.ram.find(({ name }) => name.startsWith("heap peak, ten pipelines"))!;
    expect(pipelines.amount + 4096).toBeLessThan(65_536);
  });

  test("a voter with ten pipelines and three sessions keeps within 64 KB, handshakes too", () => {
    const peaks = measured.ram.filter(({ name }) => name.startsWith("heap peak, a voter"));
    expect(peaks).toHaveLength(2);
    for (const { amount, name } of peaks) expect(amount, name).toBeLessThan(65_536);
  });

  test("the JavaScript stack keeps within what boards/ pins, with a quarter to spare", () => {
    const stacks = measured.ram.filter(({ unit }) => unit === "slots");
    const { stackSlots } = chipMemory();
    expect(stacks.map(({ name }) => name)).toEqual([
      `stack peak of the whole firmware over 60 s, of ${stackSlots}`,
    ]);
    for (const { amount } of stacks) expect(amount).toBeLessThan(0.75 * stackSlots);
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
