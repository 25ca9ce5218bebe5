/** Mistakes that somebody could make in a board's part in registers, one change of the source each: the ordeal must find every one. */
import { describe, expect, it } from "vitest";
import type { Change } from "../changed-sources.ts";
import { changedOrdeal } from "./changed-boards.ts";

interface Fault {
  readonly name: string;
  readonly change: Change;
  /** Where the search begins: a seed in which it showed when this was written; 1 when not said. */
  readonly seed?: number;
}

const seedsMax = 20;

const faults: readonly Fault[] = [
  {
    name: "what is promised is not made durable",
    change: {
      file: "firmware/board/registers.ts",
      correct: "if (keep !== undefined && !this.keep(keep)) return;",
      broken: "if (keep !== undefined) this.#member.onKept();",
    },
  },
  {
    name: "a start passes over what was promised",
    change: {
      file: "firmware/storage/store-recovery.ts",
      correct: "kind === RecordKind.promises || kind === RecordKind.registers",
      broken: "kind === RecordKind.promises",
    },
  },
  {
    name: "what is told is taken for recorded",
    change: {
      file: "firmware/board/register-reports.ts",
      correct: "      this.#chosenMs = nowMs + againMs;",
      broken: `      const told = untold.map(({ register, epoch, state }) => ({ register, epoch, version: state.version }));
      this.#member.onRecorded(told, nowMs);
      this.#chosenMs = nowMs + againMs;`,
    },
  },
];

describe("a deliberate fault is found", () => {
  it.each(faults)("$name", { timeout: 300_000 }, async ({ change, seed: first = 1 }) => {
    const ordeal = await changedOrdeal(change);
    let found = "";
    for (let seed = first; seed < first + seedsMax && found === ""; seed++) {
      try {
        await ordeal(seed);
      } catch (error) {
        found = `seed ${seed}: ${(error as Error).message}`;
      }
    }
    expect(found).toMatch(/lacks|is \[|does not come to rest|cannot be explained/);
  });
});
