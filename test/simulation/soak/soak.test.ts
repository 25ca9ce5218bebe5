/** An hour of a board's life with faults, in the real XS engine. `npm run soak` lives through a day. */
import { beforeAll, describe, expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { heapTrend } from "./heap-trend.ts";
import { type PlantedLeak, probeFirmware } from "./probe-firmware.ts";
import { type SoakOptions, type SoakResult, soak } from "./soak.ts";
import { SoakFailure } from "./soak-failure.ts";
import { verdictOn } from "./verdict.ts";

const timeoutMs = 240_000;

let stackSlots: number;

beforeAll(async () => {
  stackSlots = loadBoards().get("esp32c3-devkit")!.stackSlots;
  await probeFirmware(); // the first build of the host takes a while
});

async function soakOf(leak: PlantedLeak, options: Partial<SoakOptions>): Promise<SoakResult> {
  const firmware = await probeFirmware(leak);
  return soak({ firmware, stackSlots, seed: 1, intervals: 20, intervalMs: 180_000, ...options });
}

describe("a board under soak", () => {
  test("gives back what it takes, for an hour of faults", { timeout: timeoutMs }, async () => {
    const result = await soakOf("none", { seed: 2 });
    expect(verdictOn(result).problems).toEqual([]);
    // The soak itself: there were faults of each kind, and enough of all else.
    const { totals, faults, virtualMs, markWrites, terms, logged } = result;
    expect(virtualMs).toBeGreaterThan(50 * 60_000);
    expect([...faults.keys()].sort()).toEqual([
      "another program",
      "connections refused",
      "garbage bytes",
      "garbage messages",
      "host forgets",
      "hostile broker",
      "leader hung",
      "leader restarts",
      "leader silent",
      "link cut",
      "network down",
      "power cut between turns",
      "power cut in a write",
      "send buffer full",
      "sensor silent",
      "settings",
    ]);
    expect(totals.boots).toBeGreaterThan(8);
    expect(totals.erases).toBeGreaterThan(50);
    expect(totals.dropped).toBeGreaterThan(0);
    expect(totals.reported).toBeGreaterThan(1000);
    expect(markWrites).toBeGreaterThan(100);
    expect(terms).toBeGreaterThan(5);
    expect(logged.get("program-refused")).toBeGreaterThan(0);
  });

  test("is caught when it keeps every message", { timeout: timeoutMs }, async () => {
    // In an arena that holds them all, so that only the trend tells.
    const result = await soakOf("messages", { arenaBytes: 2 ** 20, intervals: 16, intervalMs: 150_000 });
    expect(verdictOn(result).problems).toEqual([
      expect.stringMatching(
        /^the heap after collection grows within one power cycle: from \d+ to \d+ bytes$/,
      ),
    ]);
  });

  test("is caught when it keeps every message and its arena is full", { timeout: timeoutMs }, async () => {
    await expect(soakOf("messages", {})).rejects.toThrow(/the board is gone \(memory full\)/);
  });

  test("is caught when it sets timers that are never due", { timeout: timeoutMs }, async () => {
    const soaked = soakOf("timers", {});
    await expect(soaked).rejects.toThrow(SoakFailure);
    await expect(soaked).rejects.toThrow(/timers are set$/);
  });
});

describe("the trend of a heap", () => {
  test("is the median of the last quarter less that of the first", () => {
    expect(heapTrend([9, 1, 1, 5, 5, 5, 5, 5, 5, 3, 3, 0])).toEqual({
      samples: 12,
      firstBytes: 1,
      lastBytes: 3,
      growthBytes: 2,
    });
  });

  test("is not told of too few samples", () => {
    expect(() => heapTrend([1, 2, 3])).toThrow(RangeError);
  });
});
