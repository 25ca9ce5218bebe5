/** A serial device of this computer: what the system says of one that can't be opened, and a real one (a pseudo-terminal). */
import { describe, expect, onTestFinished, test } from "vitest";
import type { FlashProblem } from "../../../host-tools/flasher/problems.ts";
import { openProblem } from "../../../host-tools/flasher/serial/device-wire.ts";
import { PtyDevice } from "../../emulators/pty/pty.ts";
import { attach, detachAll, flash, holds } from "./attached.ts";
import { boardLayout, flash4MB } from "./board-image.ts";

describe("what the three systems say", () => {
  test.each([
    ["Error: Permission denied, cannot open /dev/ttyUSB0", "no-permission"],
    ["Error: Operation not permitted, cannot open /dev/cu.usbserial-1", "no-permission"],
    ["Error Resource temporarily unavailable Cannot lock port", "port-busy"],
    ["Error: Device or resource busy, cannot open /dev/ttyACM0", "port-busy"],
    ["Error: Resource busy, cannot open /dev/cu.usbmodem1", "port-busy"],
    ["Opening COM3: Access denied", "port-busy"],
    ["Error: No such file or directory, cannot open /dev/ttyUSB0", "no-port"],
    ["Opening COM9: File not found", "no-port"],
  ])("%s", (said, code) => {
    const problem = openProblem("/dev/ttyUSB0", new Error(said)) as FlashProblem;
    expect(problem.code).toBe(code);
    expect(problem.message).toContain("/dev/ttyUSB0");
  });
});

test("a board is flashed over a device", async () => {
  const { chip, socketUrl } = await attach({ chip: "esp32c3", flashBytes: flash4MB });
  const device = await PtyDevice.make();
  onTestFinished(async () => {
    await device.remove();
    await detachAll();
  });
  await device.leadTo(socketUrl);
  // A pseudo-terminal has no control lines: its button brings the board into its loader.
  chip.holdBoot(true);
  chip.powerCycle();
  chip.holdBoot(false);
  const layout = boardLayout({ chip: "esp32c3", appBytes: 60_000 });
  const report = await flash(device.path, layout);
  expect(report).toMatchObject({ outcome: "written", restarted: false });
  expect(holds(chip, layout)).toBe(true);
});
