/** What a start costs a board in XS whose partition of 256 KB is full: bounded, and small. */
import { beforeAll, describe, expect, test } from "vitest";
import { BoardInXs, type XsFirmware, xsFirmware } from "../board/board-in-xs.ts";
import { SimulatedSurroundings } from "../board/surroundings.ts";
import { fullFlash, partitionBytes } from "./full-flash.ts";

const stackSlots = 800;
/** Heap that the whole board may use while it starts, as at any other time. */
const heapPeakBytesMax = 65_536;

let firmware: XsFirmware;

beforeAll(async () => {
  firmware = await xsFirmware();
}, 300_000);

describe("recovery of a full partition", () => {
  test.each([20, 500])(
    "with %i keys reads each byte once at most, and takes a second or so of a chip",
    async (keys) => {
      const here = new SimulatedSurroundings(undefined, fullFlash(keys).reboot());
      const board = new BoardInXs(firmware, here, stackSlots);
      try {
        await board.run(0);
        expect(here.logged("recovered")[0]).toContain(`applied=8000 keys=${keys}`);
        // Headers are read before the records: 192 bytes of each sector twice.
        expect(here.flash.bytesRead).toBeLessThan(1.05 * partitionBytes);
        expect(here.flash.reads).toBeLessThan(400);
        expect(board.instructionsPeak).toBeLessThan(6_500_000);
        if (firmware.host.slotBytes === 16) expect(board.figures!.peakBytes).toBeLessThan(heapPeakBytesMax);
      } finally {
        await board.powerOff();
      }
    },
  );
});
