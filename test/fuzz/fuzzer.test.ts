import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("the fuzzer finds a fault that lies behind four certain bytes, and the smallest input that shows it", () => {
  const script = join(import.meta.dirname, "find-planted.ts");
  const { found, runs } = JSON.parse(execFileSync(process.execPath, [script, "1"], { encoding: "utf8" }));
  expect(found).toEqual([Buffer.from("Cove").toString("hex")]);
  // Blind it would take four thousand million.
  expect(runs).toBeLessThan(2_000_000);
}, 120_000);

test("fuzzing decoders for a little finds nothing, and says what it did", () => {
  const script = join(import.meta.dirname, "main.ts");
  const args = [script, "--runs", "100", "--seed", "7", "--target", "(board)", "--json"];
  const outcome = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  expect(outcome.findings).toEqual([]);
  expect(outcome.targets.length).toBeGreaterThan(10);
  expect(outcome.functions).toBeGreaterThan(50);
}, 120_000);
