import { describe, expect, it } from "vitest";
import {
  describeOutcome,
  hasSettled,
  isSuccess,
  simulationOutcome,
} from "../../../../host-tools/cli/live-view/outcome.ts";
import type { BoardInside } from "../../../../host-tools/simulator/simulation.ts";
import { sampleBoard, sampleStatus } from "./sample-status.ts";

const inside = (id: string): BoardInside => ({
  id,
  model: "esp32c3-devkit",
  engine: "xs",
  pid: 1,
  restarts: 0,
  figures: { slotBytes: 16, arenaBytes: 94_208, heapUsedBytes: 40_000, heapPeakBytes: 52_224 },
});

describe("the outcome of a simulated run", () => {
  it("is a success when every board has applied what is committed", () => {
    const status = sampleStatus([sampleBoard("north-1"), sampleBoard("door")]);
    const outcome = simulationOutcome(status, [inside("north-1"), inside("door")], []);
    expect(isSuccess(outcome)).toBe(true);
    expect(outcome).toEqual({
      boards: ["north-1", "door"].map((id) => ({
        id,
        board: "esp32c3-devkit",
        engine: "xs",
        slotBytes: 16,
        arenaBytes: 94_208,
        heapPeakBytes: 52_224,
        appliedIndex: 9,
        samplesIn: 120,
        reportsOut: 30,
      })),
      leader: { term: 2, commitIndex: 9 },
      violations: [],
    });
    expect(describeOutcome(outcome)).toEqual([
      "All 2 boards have applied the 9 committed entries.",
      "The fullest board's heap peaked at 51 KiB.",
    ]);
  });

  it("is none when a board is behind, and names it", () => {
    const status = sampleStatus([sampleBoard("north-1"), sampleBoard("door", { appliedIndex: 7 })]);
    const outcome = simulationOutcome(status, [inside("north-1"), inside("door")], []);
    expect(hasSettled(status, 2)).toBe(false);
    expect(isSuccess(outcome)).toBe(false);
    expect(describeOutcome(outcome)[0]).toBe("door has applied 7 of 9 entries.");
  });

  it("is none when a board never came, or when nothing was ever committed", () => {
    const status = sampleStatus([sampleBoard("north-1")]);
    expect(isSuccess(simulationOutcome(status, [inside("north-1"), inside("door")], []))).toBe(false);
    const idle = sampleStatus([sampleBoard("north-1", { appliedIndex: 0 })]);
    const empty = { ...idle, leader: { ...idle.leader, commitIndex: 0 } };
    expect(hasSettled(empty, 1)).toBe(false);
    expect(isSuccess(simulationOutcome(empty, [inside("north-1")], []))).toBe(false);
  });

  it("is none when a promise was broken, whoever saw it", () => {
    const boards = [sampleBoard("north-1")];
    const seenByLeader = sampleStatus(boards, { violations: ["a"] });
    expect(isSuccess(simulationOutcome(seenByLeader, [inside("north-1")], []))).toBe(false);
    const outcome = simulationOutcome(sampleStatus(boards), [inside("north-1")], ["b"]);
    expect(isSuccess(outcome)).toBe(false);
    expect(outcome.violations).toEqual(["b"]);
  });
});
