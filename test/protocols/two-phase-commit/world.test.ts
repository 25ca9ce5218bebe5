/** Two-phase commit under everything that may happen to boards, leaders and messages; the cores as they ship. */
import { describe, expect, it } from "vitest";
import { runWorld, type Tally } from "./world.ts";

const seeds = 300;

describe.each([
  { who: "leaders and boards", leaderRefuses: true },
  { who: "boards alone", leaderRefuses: false },
])("actions where $who refuse what conflicts", ({ leaderRefuses }) => {
  it("are carried out on all boards or on none, in one order, with no promise broken", () => {
    const sum: Tally = { committed: 0, aborted: 0, heuristic: 0, powerCuts: 0, givenUp: 0, hadActed: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const tally = runWorld({ seed, boards: 2 + (seed % 4), steps: 1_500, leaderRefuses });
      sum.committed += tally.committed;
      sum.aborted += tally.aborted;
      sum.heuristic += tally.heuristic;
      sum.powerCuts += tally.powerCuts;
      sum.givenUp += tally.givenUp;
      sum.hadActed += tally.hadActed;
    }
    // It was no fair weather, and much was decided either way.
    expect(sum.committed).toBeGreaterThan(seeds);
    expect(sum.aborted).toBeGreaterThan(seeds);
    expect(sum.heuristic).toBeGreaterThan(seeds / 4);
    expect(sum.powerCuts).toBeGreaterThan(10 * seeds);
    expect(sum.givenUp).toBeGreaterThan(seeds);
    expect(sum.hadActed).toBeGreaterThan(seeds / 10);
  }, 60_000);
});
