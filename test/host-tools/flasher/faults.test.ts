/** What goes wrong with a board, its cable and its port: the flasher finishes, or says truly what the board holds and what to do. */
import { afterAll, expect, test } from "vitest";
import type { Progress } from "../../../host-tools/flasher/flash-board.ts";
import type { FlashProblem } from "../../../host-tools/flasher/problems.ts";
import { attach, detachAll, flash, holds } from "./attached.ts";
import { boardLayout, flash4MB } from "./board-image.ts";

afterAll(detachAll);

const board = { chip: "esp32c3", flashBytes: flash4MB } as const;
const layout = boardLayout({ chip: "esp32c3", appBytes: 200_000 });

async function problemOf(run: Promise<unknown>): Promise<FlashProblem> {
  return run.then(
    () => {
      throw new Error("it went well");
    },
    (error) => error,
  );
}

test.concurrent("a cable pulled half-way: the board is called half-written and does not start; the next run writes the rest", async () => {
  const { chip, url } = await attach(board);
  chip.pull(80_000);
  const problem = await problemOf(flash(url, layout));
  expect(problem).toMatchObject({ code: "unplugged", board: "half-written" });
  expect(problem.message).toContain("is half-written and does not start");
  chip.plug();
  expect(chip.mode).not.toBe("application");
  const again = await flash(url, layout);
  expect(again).toMatchObject({ outcome: "written", wasHalfWritten: true });
  expect(again.changedBytes).toBeLessThan(again.layoutBytes);
  expect(holds(chip, layout)).toBe(true);
  await expect.poll(() => chip.mode).toBe("application");
});

test.concurrent("an update of a running board that breaks off leaves neither the old program nor a mixture to start", async () => {
  const { chip, url } = await attach(board);
  await flash(url, layout);
  const next = boardLayout({ chip: "esp32c3", appBytes: 210_000, version: "2.0.0", seed: 9 });
  chip.pull(60_000);
  const problem = await problemOf(flash(url, next));
  expect(problem).toMatchObject({ code: "unplugged", board: "half-written" });
  chip.plug();
  expect(chip.mode).not.toBe("application");
  expect(await flash(url, next)).toMatchObject({ outcome: "written", wasHalfWritten: true });
  expect(holds(chip, next)).toBe(true);
});

test.concurrent("pulled before anything was written, the board is as it was", async () => {
  const { chip, url } = await attach(board);
  await flash(url, layout);
  const before = Buffer.from(chip.flash);
  chip.pull(2000);
  const problem = await problemOf(flash(url, boardLayout({ chip: "esp32c3", appBytes: 150_000, seed: 5 })));
  expect(problem).toMatchObject({ code: "unplugged", board: "unchanged" });
  expect(Buffer.compare(before, chip.flash)).toBe(0);
});

test.concurrent("bytes lost and turned on the way: it begins again slower and finishes", async () => {
  const { chip, url } = await attach({
    ...board,
    faults: { toChip: { lost: [40_000], flipped: [70_000] }, toHost: { flipped: [1200] } },
  });
  const run = await flash(url, layout);
  expect(run.attempts).toBeGreaterThan(1);
  expect(holds(chip, layout)).toBe(true);
});

test.concurrent("stopped by its user half-way, it says so at once, and the next run finishes", async () => {
  const { chip, url } = await attach(board);
  const controller = new AbortController();
  const report = ({ done = 0, step }: Progress) => {
    if (step === "write" && done > 0.4) controller.abort();
  };
  const problem = await problemOf(flash(url, layout, { signal: controller.signal, report }));
  expect(problem).toMatchObject({ code: "interrupted", board: "half-written" });
  expect(await flash(url, layout)).toMatchObject({ wasHalfWritten: true });
  expect(holds(chip, layout)).toBe(true);
});

test.concurrent.each([1, 2, 3, 4])(
  "noise all the time, drawn by seed %i: finished or truly told",
  async (seed) => {
    const noise = { lostPerMillion: 8, flippedPerMillion: 8 };
    const { chip, url } = await attach({ ...board, seed, faults: { toChip: noise, toHost: noise } });
    const problem = await flash(url, layout).then(
      () => undefined,
      (error: FlashProblem) => error,
    );
    if (problem === undefined) expect(holds(chip, layout)).toBe(true);
    else expect(problem).toMatchObject({ name: "FlashProblem", board: "half-written" });
    chip.faults.toChip = {};
    chip.faults.toHost = {};
    await flash(url, layout);
    expect(holds(chip, layout)).toBe(true);
  },
);

test.concurrent("a cable too bad for 921,600 bit/s is used at the rate that it carries", async () => {
  const { chip, url } = await attach({ ...board, faults: { maxBaud: 250_000 } });
  const run = await flash(url, layout);
  expect(run.baud).toBe(230_400);
  expect(holds(chip, layout)).toBe(true);
});

test.concurrent("a flash that erases slowly is waited for", async () => {
  const { chip, url } = await attach({ ...board, faults: { sectorEraseMs: 60 } });
  chip.flash.fill(0x55, 0, 0x60000);
  const run = await flash(url, layout);
  expect(run.attempts).toBe(1);
  expect(holds(chip, layout)).toBe(true);
});

test.concurrent("wrong MD5s: nothing is called verified that is not", async () => {
  const { chip, url } = await attach({ ...board, faults: { wrongMd5: 6 } });
  await flash(url, layout);
  expect(holds(chip, layout)).toBe(true);
});

test.concurrent("worn cells: the board is refused by name of the place", async () => {
  const { chip, url } = await attach({ ...board, faults: { badCells: [0x2a123] } });
  chip.flash.fill(0, 0x2a000, 0x2b000);
  const problem = await problemOf(flash(url, layout));
  expect(problem).toMatchObject({ code: "worn-flash", board: "half-written" });
  expect(problem.message).toContain("0x2a000");
});

test.concurrent("a brown-out in mid-write: it goes on where the board is", async () => {
  const { chip, url } = await attach({ ...board, faults: { brownOut: { programmedBytes: 90_000 } } });
  const run = await flash(url, layout);
  expect(run.attempts).toBe(2);
  expect(holds(chip, layout)).toBe(true);
});

test.concurrent("a board whose reset does not lead to its loader: how to bring it there is told", async () => {
  const { chip, url } = await attach({ ...board, faults: { resetCircuit: "boot-pin-unwired" } });
  const problem = await problemOf(flash(url, layout));
  expect(problem).toMatchObject({ code: "wrong-boot-mode", board: "unchanged" });
  expect(problem.message).toMatch(/hold its BOOT button, press and let go RESET/);
  chip.holdBoot(true);
  chip.powerCycle();
  chip.holdBoot(false);
  chip.faults.resetCircuit = "absent";
  await flash(url, layout);
  expect(holds(chip, layout)).toBe(true);
});

test.concurrent("a port that another program holds", async () => {
  const { url } = await attach({ ...board, faults: { portBusy: true } });
  const problem = await problemOf(flash(url, layout));
  expect(problem).toMatchObject({ code: "port-busy" });
  expect(problem.message).toContain("is held by another program: close the monitor");
});

test.concurrent("nobody there, no such device", async () => {
  expect(await problemOf(flash("socket://127.0.0.1:1", layout))).toMatchObject({ code: "no-port" });
  expect(await problemOf(flash("/dev/ttyUSB-none", layout))).toMatchObject({ code: "no-port" });
});

test.concurrent("bare bytes without control lines: a board in its loader is flashed, and restarted by hand", async () => {
  const { chip, socketUrl } = await attach(board);
  expect(await problemOf(flash(socketUrl, layout))).toMatchObject({ board: "unchanged" });
  chip.holdBoot(true);
  chip.powerCycle();
  chip.holdBoot(false);
  const run = await flash(socketUrl, layout);
  expect(run).toMatchObject({ restarted: false, baud: 115_200 });
  expect(holds(chip, layout)).toBe(true);
});

test.concurrent.each([
  { efuses: { secureBoot: true }, word: "secure boot" },
  { efuses: { flashEncryption: true }, word: "flash encryption" },
  { efuses: { secureDownload: true }, word: "secure download mode" },
])("$word: nothing is written", async ({ efuses, word }) => {
  const { chip, url } = await attach({ ...board, efuses });
  const problem = await problemOf(flash(url, layout));
  expect(problem).toMatchObject({ code: "secure-chip", board: "unchanged" });
  expect(problem.message).toContain(word);
  expect(chip.counters).toMatchObject({ programmedBytes: 0, erasedSectors: 0 });
});

test.concurrent.each([{ efuses: { secureBoot: true } }, { efuses: { flashEncryption: true } }])(
  "$efuses of an ESP32, which tells it by eFuses alone",
  async ({ efuses }) => {
    const { chip, url } = await attach({ chip: "esp32", flashBytes: flash4MB, efuses });
    const problem = await problemOf(flash(url, boardLayout({ chip: "esp32", appBytes: 50_000 })));
    expect(problem).toMatchObject({ code: "secure-chip" });
    expect(chip.counters.programmedBytes).toBe(0);
  },
);
