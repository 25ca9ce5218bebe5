/** How long the partition for kept blocks lasts, and how far back it reaches, from what is counted, not estimated. */
import { expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { FlashModel } from "../storage/flash-model.ts";
import { blockAt, contentsOf, openKeeper, put } from "./ring-model.ts";

/** Erases that a sector of the flash of these boards is specified for. */
const cyclesMax = 100_000;
const sectorBytes = 4096;
const series = 10;

/** Ten series, a block of 200 bytes each a minute. docs/decisions/block-ring.md has these figures. */
test.each([
  ["esp32c3-devkit", 960, 18, 1.5],
  ["esp32s3-devkit", 960, 118, 10],
  ["m5stack-core2", 960, 290, 25],
] as const)("%s: %i erases a day, %i years, and %f hours back", (model, erasesADay, years, hours) => {
  const { sizeBytes } = loadBoards()
    .get(model)!
    .partitions.find(({ name }) => name === "series")!;
  const sectors = sizeBytes / sectorBytes;
  const flash = FlashModel.blank(sectors, sectorBytes);
  const keeper = openKeeper(flash);
  let number = 0;
  const minute = () => {
    number++;
    for (let i = 0; i < series; i++) {
      const block = { ...blockAt(number, `south-${i}/air.temperature`), bytes: new Uint8Array(200) };
      expect(put(keeper, block)).toBeGreaterThan(0);
    }
  };
  while (keeper.state.oldest < 2) minute();
  const { erases } = flash;
  for (let i = 0; i < 24 * 60; i++) minute();
  const aDay = flash.erases - erases;
  expect(aDay).toBe(erasesADay);
  expect(Math.max(...flash.erasesOf) - Math.min(...flash.erasesOf)).toBeLessThanOrEqual(1);
  expect(Math.floor((sectors * cyclesMax) / aDay / 365.25)).toBeGreaterThanOrEqual(years);
  const { held } = contentsOf(keeper);
  expect(held.size / series / 60).toBeGreaterThan(hours);
});
