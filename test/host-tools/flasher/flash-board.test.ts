/** A board flashed over its serial port: what is written, what is left out, and that it starts. */
import { afterEach, describe, expect, test } from "vitest";
import { emptyOtaData, readOtaData, selectSlot } from "../../../host-tools/images/ota-data.ts";
import { attach, detachAll, flash, holds } from "./attached.ts";
import { boardLayout, flash4MB } from "./board-image.ts";

afterEach(detachAll);

const appBytes = 300_000;

describe.each(["esp32c3", "esp32s3", "esp32"] as const)("%s", (chip) => {
  test("a blank board gets the whole image, verified by its own MD5, and starts", async () => {
    const board = await attach({ chip, flashBytes: flash4MB, mac: "24:0a:c4:12:34:56" });
    const layout = boardLayout({ chip, appBytes });
    const run = await flash(board.url, layout);
    expect(run).toMatchObject({ outcome: "written", wasHalfWritten: false, restarted: true, attempts: 1 });
    expect(run.chip.revision).toBe({ esp32: 300, esp32s3: 2, esp32c3: 4 }[chip]);
    expect(run.chip).toMatchObject({ chip, mac: "24:0a:c4:12:34:56", flashBytes: flash4MB });
    expect(holds(board.chip, layout)).toBe(true);
    await expect.poll(() => board.chip.mode).toBe("application");
  });

  test("the same image once more writes and erases nothing", async () => {
    const board = await attach({ chip, flashBytes: flash4MB });
    const layout = boardLayout({ chip, appBytes });
    const first = await flash(board.url, layout);
    const { programmedBytes, erasedSectors } = board.chip.counters;
    const second = await flash(board.url, layout);
    expect(second).toMatchObject({ outcome: "unchanged", changedBytes: 0 });
    expect(board.chip.counters).toMatchObject({ programmedBytes, erasedSectors });
    expect(second.bytesOut).toBeLessThan(first.bytesOut / 10);
    await expect.poll(() => board.chip.mode).toBe("application");
  });
});

test.each(["esp32c3", "esp32s3"] as const)("%s at its own USB port, whose reset is another", async (chip) => {
  const board = await attach({ chip, flashBytes: flash4MB, usb: "usb-serial-jtag" });
  const layout = boardLayout({ chip, appBytes });
  expect(await flash(board.url, layout)).toMatchObject({ outcome: "written", attempts: 1 });
  expect(holds(board.chip, layout)).toBe(true);
  await expect.poll(() => board.chip.mode).toBe("application");
});

test.each([
  [301, 200],
  [300, 200],
  [0, 100],
])("an ESP32 of revision %i, for an image that needs %i", async (revision, minRevision) => {
  const board = await attach({ chip: "esp32", flashBytes: flash4MB, revision });
  const run = flash(board.url, boardLayout({ chip: "esp32", appBytes: 50_000, minRevision }));
  if (revision >= minRevision) expect((await run).chip.revision).toBe(revision);
  else await expect(run).rejects.toMatchObject({ code: "refused", board: "unchanged" });
});

test("a board that updated itself boots what was flashed, not its other slot", async () => {
  const board = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  const layout = boardLayout({ chip: "esp32c3", appBytes });
  await flash(board.url, layout);
  board.chip.flash.set(selectSlot(emptyOtaData(), 1, 2, "valid"), 0xf000);
  expect(await flash(board.url, layout)).toMatchObject({ outcome: "written", changedBytes: 0x1000 });
  expect(readOtaData(board.chip.flash.subarray(0xf000, 0x11000), 2)).toBeUndefined();
});

test("a board that is refused goes on with its program", async () => {
  const board = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  await flash(board.url, boardLayout({ chip: "esp32c3", appBytes }));
  const wrong = flash(board.url, boardLayout({ chip: "esp32s3", appBytes }));
  await expect(wrong).rejects.toMatchObject({ code: "refused", board: "unchanged" });
  await expect.poll(() => board.chip.mode).toBe("application");
});

test("what lies beside the layout stays: settings, identity, the board's log", async () => {
  const board = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  board.chip.flash.fill(0x42, 0x9000, 0xf000).fill(0x43, 0x3c0000, 0x400000);
  await flash(board.url, boardLayout({ chip: "esp32c3", appBytes }));
  expect(board.chip.flash.subarray(0x9000, 0xf000).every((byte) => byte === 0x42)).toBe(true);
  expect(board.chip.flash.subarray(0x3c0000).every((byte) => byte === 0x43)).toBe(true);
});
