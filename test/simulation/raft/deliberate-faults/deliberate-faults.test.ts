import { describe, expect, it } from "vitest";
import { simulateCore } from "../core/core-engine.ts";
import { failureWord } from "../engine.ts";
import { changedSimulation } from "./changed-simulation.ts";
import type { Fault } from "./faults.ts";
import { faults, lonelyEntries } from "./faults.ts";

const timeout = 300_000;
const coreSeedsMax = 500;
const fullSeedsMax = 100;

describe("a deliberate fault is found", () => {
  it.each(faults)("$name", { timeout }, async ({ changes, core, full, seed: first = 1 }: Fault) => {
    if (core !== undefined) {
      const changed = await changedSimulation(changes, "core");
      const options = { weather: core, endsWithFaults: true };
      expect(hunt(first, coreSeedsMax, (seed) => changed.simulateCore(seed, options))).toBeDefined();
    } else {
      const changed = await changedSimulation(changes, "full");
      const options = { weather: { tasks: 0, drainEveryMs: Infinity, ...full }, endsWithFaults: true };
      expect(hunt(first, fullSeedsMax, (seed) => changed.simulateFull(seed, options))).toBeDefined();
    }
  });

  it("sends before its disk has synced (figure 2, persistent state)", { timeout }, () => {
    const weather = { preVote: false, checkQuorum: false };
    const first = 497; // As `Fault.seed`.
    expect(
      hunt(first, coreSeedsMax, (seed) => simulateCore(seed, { sendsBeforeSync: true, weather })),
    ).toBeDefined();
  });

  it("none where there is none: each entry travels alone", { timeout }, async () => {
    const changed = await changedSimulation(lonelyEntries, "core");
    expect(hunt(1, 20, (seed) => changed.simulateCore(seed))).toBeUndefined();
  });
});

/** What some seed breaks: a property, or something that the code itself asserts. That it is slow, or stuck, is not meant here. */
function hunt(first: number, seedsMax: number, simulate: (seed: number) => unknown): unknown {
  for (let seed = first; seed < first + seedsMax; seed++) {
    try {
      simulate(seed);
    } catch (error) {
      if (failureWord(error) !== "liveness") return error;
    }
  }
  return undefined;
}
