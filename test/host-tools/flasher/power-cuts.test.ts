/** The cable pulled anywhere in an update: what is said of the board is true, and the next run finishes. */
import { afterAll, expect, test } from "vitest";
import { flashBoard } from "../../../host-tools/flasher/flash-board.ts";
import type { FlashProblem } from "../../../host-tools/flasher/problems.ts";
import { attach, detachAll, flash, holds, job } from "./attached.ts";
import { boardLayout, flash4MB } from "./board-image.ts";

afterAll(detachAll);

const before = boardLayout({ chip: "esp32c3", appBytes: 30_000 });
const after = boardLayout({ chip: "esp32c3", appBytes: 34_000, version: "2.0.0", seed: 3 });

const cuts = [
  ...Array.from({ length: 36 }, (_, i) => ({ direction: "to-chip", bytes: 700 * i + 13 * (i % 7) }) as const),
  ...Array.from({ length: 12 }, (_, i) => ({ direction: "to-host", bytes: 130 * i + (i % 5) }) as const),
];

test(`${cuts.length} places`, { timeout: 120_000 }, async () => {
  const told = new Set<string>();
  await Promise.all(
    cuts.map(async ({ direction, bytes }) => {
      const { chip, url } = await attach({ chip: "esp32c3", flashBytes: flash4MB });
      await flash(url, before);
      await expect.poll(() => chip.mode).toBe("application");
      chip.pull(bytes, direction);
      const problem = await flashBoard(job(url, after)).then(
        () => undefined,
        (error: FlashProblem) => error,
      );
      if (problem === undefined) {
        // Pulled too late, or not yet.
        told.add("written");
        expect(holds(chip, after)).toBe(true);
        return;
      }
      expect(problem).toMatchObject({
        name: "FlashProblem",
        code: expect.stringMatching(/^(unplugged|no-port)$/),
      });
      told.add(problem.board);
      if (problem.board === "unchanged") expect(holds(chip, before)).toBe(true);
      chip.plug();
      const starts = chip.mode === "application";
      // What was called half-written may just have been finished; what starts is always whole.
      if (starts) expect(holds(chip, before) || holds(chip, after)).toBe(true);
      if (problem.board === "unchanged") expect(starts).toBe(true);
      await flash(url, after);
      expect(holds(chip, after)).toBe(true);
    }),
  );
  expect([...told].sort()).toEqual(["half-written", "unchanged", "written"]);
});
