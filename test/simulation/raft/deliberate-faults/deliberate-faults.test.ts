import { describe, expect, it } from "vitest";
import { simulateCore } from "../core/core-engine.ts";
import { failureWord } from "../engine.ts";
import { changedSimulation } from "./changed-simulation.ts";
import type { Fault } from "./faults.ts";
import { faults, lonelyEntries } from "./faults.ts";

const timeout = 300_000;
const coreSeedsMax = 500;
const fullSeedsMax = 100;
/** What only some faults are about; they say so. */
const simple = { tasks: 0, drainEveryMs: Infinity, draftShare: 0, draftCutShare: 0 };

describe("a deliberate fault is found", () => {
  it.each(faults)("$name", { timeout }, async (fault: Fault) => {
    const { changes, core, full, property, seed: first = 1 } = fault;
    if (core !== undefined) {
      const changed = await changedSimulation(changes, "core");
      const options = { weather: core, endsWithFaults: true };
      expect(
        hunt(first, coreSeedsMax, (seed) => changed.simulateCore(seed, options), property),
      ).toBeDefined();
    } else {
      const changed = await changedSimulation(changes, "full");
      const options = { weather: { ...simple, ...full }, endsWithFaults: true };
      expect(
        hunt(first, fullSeedsMax, (seed) => changed.simulateFull(seed, options), property),
      ).toBeDefined();
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

/** What some seed breaks: this property or, when not said, any, or something that the code itself asserts. That it is slow, or stuck, is not meant here. */
function hunt(
  first: number,
  seedsMax: number,
  simulate: (seed: number) => unknown,
  property?: string,
): unknown {
  for (let seed = first; seed < first + seedsMax; seed++) {
    try {
      simulate(seed);
    } catch (error) {
      const word = failureWord(error);
      if (property === undefined ? word !== "liveness" : word === property) return error;
    }
  }
  return undefined;
}
