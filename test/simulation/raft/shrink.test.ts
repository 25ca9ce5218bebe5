import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkLinearizable } from "../linearizability/check.ts";
import { historyFromText } from "../linearizability/history.ts";
import type { Schedule } from "./schedule.ts";
import { selectSteps, stepsToText } from "./schedule.ts";
import { shrink } from "./shrink.ts";

const schedule: Schedule = {
  seed: 1,
  weather: {},
  faultsEndMs: 6_000,
  steps: Array.from({ length: 200 }, (_, number) => ({
    number,
    atMs: 25 * number,
    what: "crash",
    seed: number,
  })),
};

/** Fails when steps 17 and 140 are there, 100 ms apart or more. */
function failure({ steps }: Schedule): string | undefined {
  const [first, second] = [17, 140].map((wanted) => steps.find(({ number }) => number === wanted)?.atMs);
  if (first === undefined || second === undefined) return undefined;
  return second - first >= 100 ? "election safety" : "liveness";
}

describe("a failing schedule", () => {
  it("is shortened to the steps that matter, with short pauses", () => {
    const shortest = shrink(schedule, { failure, runsMax: 300 });
    expect(shortest.steps.map(({ number }) => number)).toEqual([17, 140]);
    expect(failure(shortest)).toBe("election safety");
    const [first, second] = shortest.steps.map(({ atMs }) => atMs);
    expect(first).toBe(0);
    expect(second! - first!).toBeLessThan(1_000);
  });

  it("is said in a few words, from which it comes back", () => {
    const shortest = shrink(schedule, { failure, runsMax: 300 });
    const text = stepsToText(shortest.steps, schedule);
    expect(text).toMatch(/^17@0,140@\d+$/);
    expect(selectSteps(schedule, text)).toEqual(shortest);
    expect(selectSteps(schedule, "-").steps).toEqual([]);
    expect(() => selectSteps(schedule, "999")).toThrow('Seed 1 has 200 steps, not "999".');
  });
});

describe("npm run simulate", () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const simulate = (...args: string[]) =>
    execFileSync(process.execPath, [main, ...args], { encoding: "utf8" });

  it("says what it ran, for people and as JSON, and writes what the clients saw", {
    timeout: 120_000,
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), "covey-simulate-"));
    try {
      const file = join(folder, "history.jsonl");
      const text = simulate("--seeds", "1", "--seed", "3", "--history", file);
      expect(text).toMatch(/^1 seed holds \(full, [\d.]+ s\): \d+ committed, /);
      const history = historyFromText(readFileSync(file, "utf8"));
      expect(history.length).toBeGreaterThan(50);
      expect(checkLinearizable(history).kind).toBe("linearizable");
      const json = JSON.parse(simulate("--engine", "core", "--seeds", "2", "--json"));
      expect(json).toMatchObject({ engine: "core", firstSeed: 1, seeds: 2, failure: null });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("replays some steps of a seed, and tells them", { timeout: 60_000 }, () => {
    expect(simulate("--engine", "core", "--seed", "4", "--steps", "0,1,2@100")).toContain(
      "6000 ms  all is mended",
    );
  });
});
