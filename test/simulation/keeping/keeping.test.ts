import { describe, expect, it } from "vitest";
import { changedKeeping } from "./changed-keeping.ts";
import { type Fault, faults } from "./faults.ts";
import { runKeeping } from "./keep-run.ts";

const timeout = 300_000;
const seeds = Number(process.env.COVEY_SEEDS ?? 8);
const seedsMax = 60;

describe("readings kept under faults", () => {
  it(`are never lost and whole in the end, in ${seeds} runs`, { timeout }, async () => {
    let [placed, copied, reflashed] = [0, 0, 0];
    for (let seed = 1; seed <= seeds; seed++) {
      const result = await runKeeping(seed);
      placed += result.placed;
      copied += result.copied;
      reflashed += result.reflashed;
    }
    expect(placed).toBeGreaterThan(300 * seeds);
    expect(copied).toBeGreaterThan(100 * seeds);
    expect(reflashed).toBeGreaterThan(seeds);
  });

  it("go the same way each time", { timeout }, async () => {
    expect(await runKeeping(7)).toEqual(await runKeeping(7));
  });
});

describe("a deliberate fault is found", () => {
  it.each(faults)("$name", { timeout }, async ({ change, seed = 1, says }: Fault) => {
    const run = await changedKeeping(change);
    expect(await hunt(run, seed)).toMatch(says);
  });
});

/** What some seed breaks; undefined when none breaks anything. */
async function hunt(run: typeof runKeeping, first: number): Promise<string | undefined> {
  for (let seed = first; seed < first + seedsMax; seed++) {
    try {
      await run(seed);
    } catch (error) {
      const { name, message } = error as Error;
      if (name !== "KeepViolation") throw error;
      return message;
    }
  }
  return undefined;
}
