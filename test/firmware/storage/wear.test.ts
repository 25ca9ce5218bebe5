/** How long a partition of 256 KB lasts, from erases that are counted, not estimated. */
import { expect, test } from "vitest";
import { FlashModel } from "./flash-model.ts";
import { commitSettings, openStore, partitionBytes, sectorBytes } from "./full-flash.ts";

/** Erases that a sector of the flash of these boards is specified for. */
const cyclesMax = 100_000;
const minutesAYear = 365.25 * 24 * 60;
const sectors = partitionBytes / sectorBytes;

/** Erases a committed entry once the partition has been full for long, and how unevenly the sectors wear. */
function wearOf(keys: number): { erasesAnEntry: number; spread: number; store: number } {
  const flash = FlashModel.blank(sectors, sectorBytes);
  const store = openStore(flash);
  commitSettings(store, 8000, keys);
  const before = flash.erases;
  const entries = 40_000;
  commitSettings(store, entries, keys);
  const spread = Math.max(...flash.erasesOf) - Math.min(...flash.erasesOf);
  expect(Math.abs(store.erases - flash.erases)).toBeLessThanOrEqual(1);
  return { erasesAnEntry: (flash.erases - before) / entries, spread, store: store.erases };
}

test.each([
  [20, 60],
  [500, 60],
])("with %i keys a sector takes at least %i entries, and all sectors wear alike", (keys, entries) => {
  const { erasesAnEntry, spread } = wearOf(keys);
  expect(1 / erasesAnEntry).toBeGreaterThan(entries);
  expect(spread).toBeLessThanOrEqual(1);
  const years = (perMinute: number) => (sectors * cyclesMax) / erasesAnEntry / perMinute / minutesAYear;
  expect(years(60)).toBeGreaterThan(12);
  expect(years(10)).toBeGreaterThan(73);
  expect(years(1)).toBeGreaterThan(730);
});

test("checkpoints of ten pipelines once a minute take a third of a sector's erase, and leave decades", () => {
  const flash = FlashModel.blank(sectors, sectorBytes);
  const store = openStore(flash);
  const parts = Array.from({ length: 11 }, () => new Uint8Array(85).fill(3));
  for (let i = 0; i < 10_000; i++) {
    expect(store.saveCheckpoint(parts)).toBe(true);
    store.tidy();
  }
  const erasesACheckpoint = flash.erases / 10_000;
  const years = (sectors * cyclesMax) / erasesACheckpoint / minutesAYear;
  expect(years).toBeGreaterThan(35);
  expect(Math.max(...flash.erasesOf) - Math.min(...flash.erasesOf)).toBeLessThanOrEqual(1);
});

test("no turn erases more than one sector or copies more than a few records", () => {
  const flash = FlashModel.blank(sectors, sectorBytes);
  const store = openStore(flash);
  // These are never set again: each round of the ring copies them.
  commitSettings(store, 480, 480, undefined, "cold");
  let [erases, written] = [flash.erases, flash.spent];
  let writtenMost = 0;
  commitSettings(store, 30_000, 20, () => {
    expect(flash.erases - erases).toBeLessThanOrEqual(1);
    writtenMost = Math.max(writtenMost, flash.spent - written);
    [erases, written] = [flash.erases, flash.spent];
  });
  expect(flash.erases).toBeGreaterThan(300);
  expect(store.get("cold.7")).toBeDefined();
  // An entry, its commit, four copies, a header, a mark, the erase.
  expect(writtenMost).toBeLessThan(500);
});
