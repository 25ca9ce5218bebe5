/** A board on a battery: awake for its time, then asleep, its filters as they were when it wakes. */
import { describe, expect, test } from "vitest";
import { lifeLimits } from "../../../firmware/board/life.ts";
import { VirtualBoard } from "../../../firmware/platform/virtual/virtual-board.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { programBytes } from "./surroundings.ts";

const awakeMs = 10_000;
const everyMs = 600_000;

const sleepy: Program = {
  pipelines: [{ metric: "load", sensor: "cpu", everyMs: 500, stages: [{ op: "mean", windowMs: 60_000 }] }],
  outputs: [{ name: "lamp", kind: "digital", pin: 4, safeValue: 0, setting: "lamp" }],
  rules: [],
  sleep: { awakeMs, everyMs },
};
const eager: Program = {
  ...sleepy,
  pipelines: [{ metric: "load", sensor: "cpu", everyMs: 20, stages: [] }],
};

function born(program = sleepy, leader = new LeaderOnTheWire()): SimulatedBoard {
  leader.put("program/north-1", programBytes(program));
  leader.put("lamp", true);
  return new SimulatedBoard(leader);
}

/** Time passes while it sleeps. */
function woken(it: SimulatedBoard): SimulatedBoard {
  const sleepMs = it.sleepsMs.at(-1)!;
  it.nowMs += sleepMs;
  const again = it.reboot();
  (again.world.system as { startReason?: string }).startReason = "sleep";
  return again;
}

describe("a board that sleeps", () => {
  test("is awake for its time, tells all it has, says goodbye, and wakes once in a period", () => {
    const it = born(eager);
    it.run(awakeMs - 100);
    expect(it.sleepsMs).toEqual([]);
    it.run(3000);
    expect(it.sleepsMs).toHaveLength(1);
    expect(it.board.board!.lifeState).toBe("asleep");
    expect(it.sleepsMs[0]).toBeGreaterThan(everyMs - awakeMs - 3000);
    expect(it.sleepsMs[0]).toBeLessThan(everyMs - awakeMs);
    expect(it.logged("sleep")[0]).toContain("readingsLost=0");
    expect(it.leader).toMatchObject({ goodbyes: 1, wills: 0 });
    const { samplesIn } = it.leader.healths.at(-1)!;
    const reported = it.leader.reports.flatMap(({ readings }) => readings).length;
    expect(reported).toBeGreaterThanOrEqual(samplesIn);
    expect(reported).toBeGreaterThan(400);
    expect(it.leader.connected).toEqual([]);
  });

  test("does nothing while it sleeps", () => {
    const it = born();
    it.run(awakeMs + 3000);
    const { length } = it.lines;
    expect(it.board.nextDeadlineMs).toBe(Infinity);
    it.leader.setNetwork(false);
    it.leader.setNetwork(true);
    it.run(60_000);
    expect(it.lines).toHaveLength(length);
    expect(it.sleepsMs).toHaveLength(1);
  });

  test("goes on with its windows where they were: six times ten seconds awake are a minute's mean", () => {
    let it = born();
    for (let round = 0; round < 8; round++) {
      it.sensors.set("cpu", 10 * round);
      it.run(awakeMs + 3000);
      expect(it.sleepsMs).toHaveLength(1);
      it = woken(it);
    }
    it.run(1000);
    expect(it.logged("checkpoint-restored")).toHaveLength(1);
    const readings = it.leader.reports.flatMap((report) => report.readings);
    expect(readings.length).toBeGreaterThanOrEqual(1);
    expect(readings[0]!.value).toBeGreaterThan(20);
    expect(readings[0]!.value).toBeLessThan(40);
    // A board that wakes has not crashed.
    expect(it.logged("crashed-before")).toEqual([]);
  });

  test("waits for what the leader has for it, however long ago it slept", () => {
    let it = born();
    it.run(awakeMs + 3000);
    for (let i = 10; i < 90; i++) it.leader.put(`key.${i}`, i);
    it.leader.put("lamp", false);
    it = woken(it);
    it.run(awakeMs + 3000);
    expect(it.outputs.get("lamp")).toBe(0);
    expect(it.leader.healths.at(-1)!.appliedIndex).toBe(it.leader.commitIndex);
    expect(it.sleepsMs).toHaveLength(1);
  });

  test("stays awake until the broker has everything", () => {
    const it = born();
    it.run(awakeMs - 1000);
    it.leader.answering = false;
    it.run(3000);
    expect(it.sleepsMs).toEqual([]);
    it.leader.answering = true;
    it.run(20_000);
    expect(it.sleepsMs).toHaveLength(1);
  });

  test("without a leader sleeps a while later all the same, and says what it lost", () => {
    const it = born(eager);
    it.run(1000);
    it.leader.listening = false;
    it.leader.cut();
    it.run(awakeMs + lifeLimits.offlineMs - 2000);
    expect(it.sleepsMs).toEqual([]);
    it.run(2000);
    expect(it.sleepsMs).toHaveLength(1);
    expect(it.logged("sleep")[0]).toContain("readingsLost=192");
  });

  test("sleeps no longer when its program says so, and at once when that says it has been awake for long", () => {
    const it = born({ ...sleepy, sleep: undefined });
    it.run(60_000);
    expect(it.sleepsMs).toEqual([]);
    it.leader.put("program/north-1", programBytes(sleepy));
    it.run(3000);
    expect(it.sleepsMs).toHaveLength(1);
    const again = woken(it);
    again.run(1000);
    again.leader.put("program/north-1", programBytes({ ...sleepy, sleep: undefined }));
    again.run(2 * awakeMs);
    expect(again.sleepsMs).toEqual([]);
  });

  test("never sleeps for less than a second", () => {
    const it = born({ ...sleepy, sleep: { awakeMs: 1000, everyMs: 2000 } });
    it.leader.listening = false;
    it.run(0);
    it.leader.listening = true;
    it.run(20_000);
    expect(it.sleepsMs).toEqual([lifeLimits.sleepMsMin]);
  });
});

describe("does not sleep", () => {
  test("a voter, whatever its program says", () => {
    const it = born();
    it.run(1000);
    it.leader.change("promote");
    it.run(awakeMs + lifeLimits.offlineMs + 5000);
    expect(it.sleepsMs).toEqual([]);
    it.leader.change("demote");
    it.run(5000);
    expect(it.sleepsMs).toHaveLength(1);
  });

  test("a board that can't", () => {
    const it = born();
    const { config, log, restart } = it.world.system;
    const board = new VirtualBoard({ ...it.world, system: { config, log, restart } }, () => {});
    Object.assign(it, { board });
    it.run(awakeMs + lifeLimits.offlineMs + 5000);
    expect(it.board.board!.lifeState).toBe("running");
    expect(it.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });
});
