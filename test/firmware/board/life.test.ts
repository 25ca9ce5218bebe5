/** A board's life: what it keeps over a power cut, what it does when it crashes again and again, that it feeds its watchdog. */
import { describe, expect, test } from "vitest";
import { crashLimits } from "../../../firmware/board/crash-loop.ts";
import { type StartReason, watchdogMs } from "../../../firmware/platform/ports.ts";
import type { WorldSystem } from "../../../firmware/platform/virtual/world.ts";
import { checkpointLimits } from "../../../firmware/storage/checkpoints.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { adoptionToData, draftKey, draftPieces } from "../../../protocols/state/draft.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { config, program, programBytes } from "./surroundings.ts";

function running(of: Program = program): SimulatedBoard {
  const it = new SimulatedBoard();
  it.leader.put("program/north-1", programBytes(of));
  it.leader.put("fan.duty", 40);
  it.run(1000);
  expect(it.board.board!.lifeState).toBe("running");
  return it;
}

/** Its sensors break the firmware from now on. */
function break_(it: SimulatedBoard): SimulatedBoard {
  (it.world.sensors as { read: (sensor: string) => number }).read = () => {
    throw new Error("the driver fell over");
  };
  return it;
}

function systemOf(it: SimulatedBoard): { -readonly [K in keyof WorldSystem]: WorldSystem[K] } {
  return it.world.system;
}

/** Boots so often, and crashes each time. */
function crashed(times: number): SimulatedBoard {
  let it = break_(running());
  it.run(1000);
  for (let i = 1; i < times; i++) {
    it = break_(it.reboot());
    it.run(1000);
  }
  expect(it.restarts).toHaveLength(1);
  return it;
}

describe("a life", () => {
  test("goes from boot over the link to running, and back when the link is lost", () => {
    const it = running();
    it.leader.listening = false;
    it.leader.cut();
    it.run(100);
    expect(it.board.board!.lifeState).toBe("linking");
    it.leader.setNetwork(false);
    it.run(100);
    expect(it.board.board!.lifeState).toBe("offline");
    it.leader.listening = true;
    it.leader.setNetwork(true);
    it.run(1000);
    expect(it.board.board!.lifeState).toBe("running");
    const told = it.logged("life").map((line) => line.split("state=")[1]);
    expect(told).toEqual(["catching-up", "running", "catching-up", "running"]);
  });

  test("lines of a level that is not wanted are not made", () => {
    const it = new SimulatedBoard();
    systemOf(it).logLevel = "warn";
    it.run(1000);
    expect(it.lines).toEqual([]);
    const verbose = new SimulatedBoard();
    systemOf(verbose).logLevel = "debug";
    verbose.run(1000);
    expect(verbose.lines.some((line) => line.startsWith("debug life"))).toBe(true);
  });

  test("feeds its watchdog well within its time, with and without a network", () => {
    const it = running();
    const fedMs: number[] = [];
    const again = it.reboot();
    systemOf(again).feedWatchdog = () => void fedMs.push(again.nowMs);
    again.run(10_000);
    again.leader.setNetwork(false);
    again.leader.put("program/north-1", programBytes({ ...program, pipelines: [], rules: [] }));
    again.run(60_000);
    const gaps = fedMs.slice(1).map((at, i) => at - fedMs[i]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(watchdogMs / 10);
    expect(fedMs.at(-1)).toBeGreaterThan(again.nowMs - watchdogMs / 10 - 20);
  });

  test("feeds its watchdog between the parts of the adoption of a draft, and is told of what that changed", () => {
    const it = running();
    const [piece] = draftPieces([{ key: "fan.duty", value: 77 }]);
    it.leader.put(draftKey(0), piece!);
    it.run(1000);
    const fedMs: number[] = [];
    systemOf(it).feedWatchdog = () => void fedMs.push(it.nowMs);
    const adoption = { pieces: 1, puts: 1, bytes: piece!.length };
    it.leader.propose(EntryKind.adoption, adoptionToData(new Uint8Array(8), adoption), 1);
    it.run(1000);
    expect(it.leader.healths.at(-1)!.outputs[0]).toMatchObject({ name: "fan", value: 77 });
    const most = Math.max(...fedMs.map((at) => fedMs.filter((other) => other === at).length));
    // Once at the end of each turn, too.
    expect(most).toBeGreaterThanOrEqual(4);
  });

  test("tells how its device is", () => {
    const it = running();
    it.run(3000);
    expect(it.leader.healths.at(-1)!.device).toEqual({
      isSafe: false,
      crashes: 0,
      loopDelayMs: 0,
      sectorErases: 0,
      sectors: 16,
      checkpointsRefused: 0,
      stackPeakSlots: 0,
      recordsRefused: 0,
    });
  });
});

describe("the firmware", () => {
  test("is called good once the board has caught up, and not again", () => {
    const it = new SimulatedBoard();
    it.leader.listening = false;
    it.run(2000);
    expect(it.valid).toBe(0);
    it.leader.listening = true;
    it.run(9000);
    expect(it.board.board!.lifeState).toBe("running");
    expect(it.valid).toBe(1);
    it.leader.cut();
    it.run(5000);
    expect(it.valid).toBe(1);
  });

  test("that crashes while the board is made of its parts has crashed like any other", () => {
    let it = running();
    for (let i = 0; i < crashLimits.crashesMax; i++) {
      it = it.reboot();
      Object.assign(it.config, { credentials: undefined });
      it.run(500);
      expect(it.restarts).toEqual([expect.stringContaining("TypeError")]);
      expect(it.board.board).toBeUndefined();
    }
    it = it.reboot();
    Object.assign(it.config, { credentials: config.credentials });
    it.run(1000);
    expect(it.logged("safe-mode")).toEqual([`error safe-mode crashes=${crashLimits.crashesMax}`]);
    expect(it.board.board!.lifeState).toBe("running");
  });
});

describe("a board that crashes again and again", () => {
  test("runs no program after the third time: outputs safe, the leader heard, all of it said", () => {
    const it = break_(crashed(crashLimits.crashesMax).reboot());
    it.run(5000);
    expect(it.restarts).toEqual([]);
    expect(it.logged("safe-mode")).toEqual([`error safe-mode crashes=${crashLimits.crashesMax}`]);
    expect(it.outputs.get("fan")).toBe(10);
    expect(it.board.board!.lifeState).toBe("running");
    expect(it.leader.healths.at(-1)).toMatchObject({ samplesIn: 0, device: { isSafe: true, crashes: 3 } });
    it.leader.put("fan.duty", 70);
    it.run(500);
    expect(it.outputs.get("fan")).toBe(10);
    expect(it.leader.healths.at(-1)).toMatchObject({ outputs: [{ name: "fan", value: 10, cause: "safe" }] });
  });

  test("leaves safe mode with a new program, at once and for good", () => {
    const it = break_(crashed(crashLimits.crashesMax).reboot());
    it.run(1000);
    it.leader.put("program/north-1", programBytes({ ...program, pipelines: [], rules: [] }));
    it.run(3000);
    expect(it.outputs.get("fan")).toBe(40);
    expect(it.leader.healths.at(-1)!.device).toMatchObject({ isSafe: false, crashes: 0 });
    const again = it.reboot();
    again.run(1000);
    expect(again.logged("safe-mode")).toEqual([]);
    expect(again.outputs.get("fan")).toBe(40);
  });

  test("tries its program again after an hour of quiet", { timeout: 60_000 }, () => {
    const it = crashed(crashLimits.crashesMax).reboot();
    it.leader.listening = false;
    it.run(crashLimits.safeModeMs - 100);
    expect(it.restarts).toEqual([]);
    it.run(200);
    expect(it.restarts).toEqual(["safe mode has been quiet"]);
    const again = it.reboot();
    again.run(1000);
    expect(again.logged("safe-mode")).toEqual([]);
    expect(again.outputs.get("fan")).toBe(40);
  });

  test("is forgiven what lies before a time of quiet, and a power cut is no crash", {
    timeout: 60_000,
  }, () => {
    const it = crashed(crashLimits.crashesMax - 1).reboot();
    it.leader.listening = false;
    it.run(crashLimits.quietMs + 100);
    let next = break_(it.reboot());
    next.run(1000);
    expect(next.restarts).toHaveLength(1);
    for (let i = 0; i < 5; i++) {
      next = next.reboot();
      next.run(300);
    }
    expect(next.logged("safe-mode")).toEqual([]);
    expect(next.logged("crashed-before")).toEqual(["warn crashed-before crashes=1"]);
  });

  test.each<StartReason>(["watchdog", "crash"])(
    "a %s that the firmware could not note counts too",
    (reason) => {
      let it = running();
      for (let i = 0; i < crashLimits.crashesMax; i++) {
        it = it.reboot();
        systemOf(it).startReason = reason;
        it.run(500);
      }
      expect(it.logged("safe-mode")).toHaveLength(1);
    },
  );
});

describe("a checkpoint", () => {
  const windowMs = 5 * checkpointLimits.everyMs;
  const averaging: Program = {
    ...program,
    pipelines: [{ metric: "load", sensor: "cpu", everyMs: 1000, stages: [{ op: "mean", windowMs }] }],
    rules: [],
  };

  test("carries a mean over a power cut, all but what came after it", { timeout: 60_000 }, () => {
    const before = running(averaging);
    before.sensors.set("cpu", 10);
    before.run(2.5 * checkpointLimits.everyMs);
    const it = before.reboot();
    expect(it.leader.reports).toEqual([]);
    it.sensors.set("cpu", 30);
    // The window goes on where the second checkpoint was, 120 seconds into it.
    it.run(3 * checkpointLimits.everyMs + 2000);
    expect(it.logged("checkpoint-restored")).toHaveLength(1);
    const { value } = it.leader.reports[0]!.readings[0]!;
    expect(value).toBeCloseTo((119 * 10 + 181 * 30) / 300, 0);
  });

  test("of a pipeline that was another then is not taken up", { timeout: 60_000 }, () => {
    const before = running(averaging);
    before.run(1.5 * checkpointLimits.everyMs);
    const [pipeline] = averaging.pipelines;
    before.leader.put(
      "program/north-1",
      programBytes({ ...averaging, pipelines: [{ ...pipeline!, everyMs: 2000 }] }),
    );
    before.run(500);
    const it = before.reboot();
    it.run(1000);
    expect(it.logged("checkpoint-restored")).toEqual([]);
  });

  test("keeps a rule active that was, so that its output does not fall back while it is told again", () => {
    const before = running();
    before.leader.put("limit.high", 30);
    before.sensors.set("temperature", 31);
    before.run(checkpointLimits.everyMs + 3000);
    expect(before.outputs.get("fan")).toBe(100);
    const it = before.reboot();
    it.sensors.set("temperature", NaN);
    it.run(3000);
    expect(it.outputs.get("fan")).toBe(100);
  });
});
