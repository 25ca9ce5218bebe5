/** What DTR and RTS do to a chip, on a board with transistors and through USB-Serial/JTAG. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { transistorReset, usbSerialJtagReset } from "./reset-lines.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("RTS alone holds the chip; DTR as it is let go starts the loader", () => {
  const { lines, events } = board();
  lines.set(false, true);
  expect(events).toEqual(["hold"]);
  lines.set(true, false);
  vi.advanceTimersByTime(30);
  expect(events).toEqual(["hold", "download"]);
  lines.set(false, false);
  vi.advanceTimersByTime(30);
  expect(events).toEqual(["hold", "download"]);
});

test("RTS alone, then neither: the application", () => {
  const { lines, events } = board();
  lines.set(false, true);
  lines.set(false, false);
  vi.advanceTimersByTime(30);
  expect(events).toEqual(["hold", "application"]);
});

test("two changes one after the other still start the loader, because EN rises slowly", () => {
  const { lines, events } = board();
  lines.set(false, true);
  lines.set(true, true);
  vi.advanceTimersByTime(8);
  lines.set(true, false);
  vi.advanceTimersByTime(30);
  expect(events).toEqual(["hold", "download"]);
});

test("too far apart they start the application", () => {
  const { lines, events } = board();
  lines.set(false, true);
  lines.set(true, true);
  vi.advanceTimersByTime(20);
  lines.set(true, false);
  vi.advanceTimersByTime(30);
  expect(events).toEqual(["hold", "application"]);
});

test("both lines on, as many systems open a port, do nothing", () => {
  const { lines, events } = board();
  lines.set(true, true);
  lines.set(true, false);
  lines.set(false, false);
  vi.advanceTimersByTime(30);
  expect(events).toEqual([]);
});

test("a port that is closed in reset lets the chip go", () => {
  const { lines, events } = board();
  lines.set(false, true);
  lines.release();
  vi.advanceTimersByTime(30);
  expect(events).toEqual(["hold", "application"]);
});

test("USB-Serial/JTAG: DTR alone asks for the loader, RTS alone resets, both are neither", () => {
  const events: string[] = [];
  const lines = usbSerialJtagReset(pins(events), () => "both");
  // esptool's sequence: through (on, on), not through (off, off).
  for (const [dtr, rts] of [
    [false, false],
    [true, false],
    [true, true],
    [false, true],
    [false, false],
  ] as const)
    lines.set(dtr, rts);
  expect(events).toEqual(["hold", "download"]);
  events.length = 0;
  lines.set(false, true);
  lines.set(false, true);
  lines.set(false, false);
  expect(events).toEqual(["hold", "application"]);
});

function board() {
  const events: string[] = [];
  return { events, lines: transistorReset(pins(events), () => "both") };
}

function pins(events: string[]) {
  return {
    hold: () => void events.push("hold"),
    start: (download: boolean) => void events.push(download ? "download" : "application"),
  };
}
