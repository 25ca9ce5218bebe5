import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { losePowerEverywhere } from "./power-cuts.ts";
import { type Step, workload } from "./store-workload.ts";

/** Random workloads that lose their power at every byte. */
const workloadsTried = 6;

/** What each ends with: a draft is adopted that changes two keys of one hash, and another. */
const draft: readonly Step[] = [
  {
    do: "append",
    back: 0,
    contents: [
      {
        is: "draft",
        values: [
          [0, 12],
          [3, new Uint8Array(40).fill(3)],
          [4, true],
        ],
        pieceBytes: 50,
        without: 99,
        isAdopted: true,
      },
    ],
    newTerm: false,
  },
  { do: "commit", ahead: 300 },
];

describe("the power fails at every byte of every write and within every erase", () => {
  test("nothing acknowledged is lost, nothing torn is believed", () => {
    let cuts = 0;
    let adopting = 0;
    let installed = 0;
    fc.assert(
      fc.property(fc.integer({ min: 7, max: 24 }), workload(80), workload(20), (sectors, past, present) => {
        const done = losePowerEverywhere(sectors, past, [...present, ...draft]);
        cuts += done.cuts;
        adopting += done.adopting;
        installed += done.installed;
      }),
      { numRuns: workloadsTried, endOnFailure: true },
    );
    expect(cuts).toBeGreaterThan(1000 * workloadsTried);
    expect(adopting).toBeGreaterThan(100);
    expect(installed).toBeGreaterThan(0);
  }, 240_000);
});
