import { describe, expect, it } from "vitest";
import { changedTasks } from "./changed-tasks.ts";
import { type Fault, faults } from "./faults.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { runTasks } from "./task-run.ts";

const timeout = 300_000;
const seeds = Number(process.env.COVEY_SEEDS ?? 12);
const seedsMax = 60;

describe("tasks under faults", () => {
  it(`run on one board at a time and come back, in ${seeds} runs`, { timeout }, async () => {
    let placements = 0;
    for (let seed = 1; seed <= seeds; seed++) placements += (await runTasks(seed)).placements;
    // Six tasks are placed once in each; the rest are moves.
    expect(placements).toBeGreaterThan(6 * seeds);
  });

  it("go the same way each time", { timeout }, async () => {
    expect(await runTasks(7)).toEqual(await runTasks(7));
  });
});

describe("a course of events that chance does not find", () => {
  it.each(Object.keys(scenarios) as Scenario[])("%s ends well", { timeout }, async (name) => {
    for (let seed = 1; seed <= 10; seed++) await scenarios[name](seed);
  });
});

describe("a deliberate fault is found", () => {
  it.each(faults)("$name", { timeout }, async ({ change, scenario, seed = 1 }: Fault) => {
    const changed = await changedTasks(change);
    const run = scenario === undefined ? changed.runTasks : changed.scenarios[scenario];
    expect(await hunt(run, seed)).toMatch(/ runs on .* and |under token/);
  });
});

/** What some seed breaks; undefined when none breaks anything. */
async function hunt(run: (seed: number) => Promise<unknown>, first: number): Promise<string | undefined> {
  for (let seed = first; seed < first + seedsMax; seed++) {
    try {
      await run(seed);
    } catch (error) {
      const { message } = error as Error;
      if (!message.includes("nowhere")) return message;
    }
  }
  return undefined;
}
