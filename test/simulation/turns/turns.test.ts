import { describe, expect, it } from "vitest";
import { changedTurns } from "./changed-turns.ts";
import { type Fault, faults } from "./faults.ts";
import { runTurns } from "./turn-run.ts";

const timeout = 120_000;
const seeds = Number(process.env.COVEY_SEEDS ?? 10);
const seedsMax = 60;

describe("the turn to be away, under faults", () => {
  it(`is one board's at a time, and everyone gets it, in ${seeds} runs of five hours`, {
    timeout,
  }, async () => {
    let leaves = 0;
    for (let seed = 1; seed <= seeds; seed++) leaves += (await runTurns(seed)).leaves;
    expect(leaves).toBeGreaterThan(20 * seeds);
  });

  it("goes the same way each time", { timeout }, async () => {
    expect(await runTurns(7)).toEqual(await runTurns(7));
  });
});

describe("a deliberate fault is found", () => {
  it.each(faults)("$name", { timeout }, async ({ change, seed = 1 }: Fault) => {
    const run = await changedTurns(change);
    expect(await hunt(run, seed)).toContain(" is away");
  });
});

/** What some seed breaks; undefined when none breaks anything. */
async function hunt(run: typeof runTurns, first: number): Promise<string | undefined> {
  for (let seed = first; seed < first + seedsMax; seed++) {
    try {
      await run(seed);
    } catch (error) {
      const { message } = error as Error;
      if (!message.includes("never")) return message;
    }
  }
  return undefined;
}
