import { describe, expect, it } from "vitest";
import { changedRegisters } from "./changed-registers.ts";
import { type Fault, faults } from "./faults.ts";
import { runRegisters } from "./register-run.ts";

const timeout = 300_000;
const seeds = Number(process.env.COVEY_SEEDS ?? 16);
const seedsMax = 60;

describe("registers under faults", () => {
  it(`are linearizable and lose nothing, in ${seeds} runs`, { timeout }, () => {
    let done = 0;
    let epochs = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const result = runRegisters(seed);
      done += result.done;
      epochs += result.epochs;
    }
    expect(done).toBeGreaterThan(50 * seeds);
    expect(epochs).toBeGreaterThan(2 * seeds);
  });

  it("go the same way each time", { timeout }, () => {
    expect(runRegisters(7)).toEqual(runRegisters(7));
  });
});

describe("a deliberate fault is found", () => {
  it.each(faults)("$name", { timeout }, async ({ changes, seed = 1 }: Fault) => {
    const run = await changedRegisters(changes);
    expect(hunt(run, seed)).toBeDefined();
  });
});

/** What some seed breaks; undefined when none breaks anything. */
function hunt(run: typeof runRegisters, first: number): string | undefined {
  for (let seed = first; seed < first + seedsMax; seed++) {
    try {
      run(seed);
    } catch (error) {
      const { name, message } = error as Error;
      if (name !== "RegisterViolation") throw error;
      return message;
    }
  }
  return undefined;
}
