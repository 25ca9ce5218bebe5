/** A board flashed over its serial port: what is written, what is left out, and that it starts. */
import { afterEach, describe, expect, test } from "vitest";
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
