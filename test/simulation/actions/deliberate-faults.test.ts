/** Mistakes that somebody could make about boards that were given up, one change of the source each: the ordeal of whole boards must find every one. */
import { describe, expect, it } from "vitest";
import { type Change, loadChanged } from "../changed-sources.ts";
import type { Ordeal, OrdealResult } from "./ordeal.ts";

interface Fault {
  readonly name: string;
  readonly change: Change;
  readonly isFound: (result: OrdealResult) => boolean;
}

const participant = "protocols/two-phase-commit/participant.ts";
const seedsMax = 10;

const faults: readonly Fault[] = [
  {
    name: "a board that was given up acts when it is back",
    change: {
      file: participant,
      correct: "if (isGivenUp(mine, this.#board)) this.letGo(slot, mine, nowMs);\n    else if",
      broken: "if",
    },
    isFound: ({ deeds }) => [...deeds.values()].some(({ actedMs, givenUpMs }) => actedMs! > givenUpMs!),
  },
  {
    name: "a board that was given up keeps to itself what it had done",
    change: { file: participant, correct: " || isGivenUp(action, board)", broken: "" },
    isFound: ({ isDone }) => !isDone,
  },
];

describe("a deliberate fault is found", () => {
  it.each(faults)("$name", { timeout: 300_000 }, async ({ change, isFound }) => {
    const main = "test/simulation/actions/ordeal.ts";
    const changed = await loadChanged<{ Ordeal: typeof Ordeal }>([change], main);
    let isSeen = false;
    for (let seed = 1; seed <= seedsMax && !isSeen; seed++) {
      isSeen = isFound(new changed.Ordeal(seed, ["host"]).run());
    }
    expect(isSeen).toBe(true);
  });
});
