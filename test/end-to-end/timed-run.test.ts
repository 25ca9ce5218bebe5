/** `covey sim --for ... --json`, as a script calls it in a fresh checkout: no file named, one JSON value. */
import { expect, it } from "vitest";
import { repository, runCovey, temporaryFolder } from "./running-swarm.ts";

it.each(["xs", "virtual"])(
  "a timed run on the %s engine prints its outcome as one JSON value",
  async (engine) => {
    const { folder, remove } = temporaryFolder();
    try {
      const where = ["--state", folder, "--http-port", "0", "--mqtt-port", "0"];
      const options = ["--boards", "5", "--for", "6s", "--json", "--engine", engine];
      const { code, stdout } = await runCovey(["sim", ...options, ...where], repository);
      const { boards, leader, violations } = JSON.parse(stdout);
      expect(violations).toEqual([]);
      expect(boards.map(({ id }: { id: string }) => id)).toEqual([
        "north-1",
        "north-2",
        "south-1",
        "south-2",
        "door",
      ]);
      for (const board of boards) {
        expect(board).toMatchObject({ board: "esp32c3-devkit", engine, appliedIndex: leader.commitIndex });
        expect(board.samplesIn).toBeGreaterThan(0);
        if (engine === "xs" && board.slotBytes === 16) {
          expect(board.arenaBytes).toBe(94_208);
          expect(board.heapPeakBytes).toBeGreaterThan(10_000);
          expect(board.heapPeakBytes).toBeLessThan(65_536);
        }
      }
      expect(boards.some(({ reportsOut }: { reportsOut: number }) => reportsOut > 0)).toBe(true);
      expect(leader.term).toBeGreaterThan(0);
      expect(code).toBe(0);
    } finally {
      remove();
    }
  },
);
