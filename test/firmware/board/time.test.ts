/** A whole board learns the time from its leader, keeps its schedules by it, and tells how well it knows it. */
import { describe, expect, test } from "vitest";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { timeAnswerToWire } from "../../../protocols/messages/codec.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { parseZone } from "../../../protocols/time/posix-tz.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { program, programBytes } from "./surroundings.ts";

/** The fan runs from a minute past midnight on, for a minute. The tests' time begins at midnight. */
const scheduled: Program = {
  ...program,
  schedules: [
    {
      schedule: { kind: "daily", minutes: 1, weekdays: 127, zone: parseZone("UTC0") },
      output: "fan",
      value: 70,
      forMs: 60_000,
    },
  ],
};

function joined(): SimulatedBoard {
  const it = new SimulatedBoard();
  it.run(500);
  it.leader.put("program/north-1", programBytes(scheduled));
  it.leader.put("fan.duty", 40);
  it.run(1000);
  return it;
}

describe("the time", () => {
  test("is known from the first health message on, and told within its bound in those that follow", () => {
    const it = joined();
    it.run(10_000);
    const [first, ...later] = it.leader.healths;
    expect(first!.wallMs).toBeUndefined();
    expect(later.length).toBeGreaterThan(4);
    for (const { sentMs, wallMs, timeBoundMs } of later) {
      expect(Math.abs(wallMs! - (it.leader.epochMs! + sentMs))).toBeLessThanOrEqual(timeBoundMs!);
      expect(timeBoundMs).toBeLessThan(20);
    }
    expect(it.logged("time-known")).toHaveLength(1);
  });

  test("goes on without the leader, less and less exact", () => {
    const it = joined();
    it.leader.setNetwork(false);
    it.run(600_000);
    it.leader.epochMs = undefined;
    it.leader.setNetwork(true);
    it.run(1000);
    const { sentMs, wallMs, timeBoundMs } = it.leader.healths.at(-1)!;
    expect(Math.abs(wallMs! - Date.UTC(2027, 0, 1) - sentMs)).toBeLessThanOrEqual(timeBoundMs!);
    expect(timeBoundMs).toBeGreaterThan(300);
    expect(timeBoundMs).toBeLessThan(320);
  });

  test("is not taken from an answer to what the board did not ask, nor from garbage; the link stays", () => {
    const it = new SimulatedBoard();
    it.leader.epochMs = undefined;
    it.run(500);
    it.leader.sendPayload("time", encodeCbor(timeAnswerToWire({ askedMs: 1, toldMs: 1 })));
    it.run(50);
    it.leader.sendPayload("time", Uint8Array.of(0xff));
    it.run(50);
    it.leader.sendPayload("time", encodeCbor([1, "now"]));
    it.run(3000);
    expect(it.leader.healths.at(-1)!.wallMs).toBeUndefined();
    expect(it.logged("time-refused")).toHaveLength(2);
    expect(it.board.board!.linkState).toBe("joined");
    expect(it.restarts).toEqual([]);
  });
});

describe("a schedule", () => {
  test("is kept on the board, leader or not", () => {
    const it = joined();
    it.run(2000);
    it.leader.setNetwork(false);
    it.run(55_000);
    expect(it.outputs.get("fan")).toBe(40);
    it.run(3000);
    expect(it.outputs.get("fan")).toBe(70);
    it.run(60_000);
    expect(it.outputs.get("fan")).toBe(40);
    expect(it.pins.slice(-2)).toEqual(["write fan 70", "write fan 40"]);
  });

  test("is told as the cause, and taken up again after a power cut as soon as the leader has told the time", () => {
    const before = joined();
    before.run(65_000);
    expect(before.leader.healths.at(-1)!.outputs).toEqual([{ name: "fan", value: 70, cause: "schedule" }]);
    before.leader.listening = false;
    const it = before.reboot();
    it.run(5000);
    expect(it.outputs.get("fan")).toBe(40);
    it.leader.listening = true;
    it.run(8000);
    expect(it.outputs.get("fan")).toBe(70);
  });
});

test("readings taken while the leader was away come with the times at which they were taken", () => {
  const it = joined();
  it.run(2000);
  it.leader.setNetwork(false);
  const awayMs = it.nowMs;
  it.run(20_000);
  it.leader.setNetwork(true);
  const backMs = it.nowMs;
  const known = it.leader.reports.length;
  it.run(3000);
  const readings = it.leader.reports.slice(known).flatMap((report) => report.readings);
  const cpu = readings.filter(({ metric }) => metric === "cpu.load").map(({ takenMs }) => takenMs);
  expect(cpu.filter((takenMs) => takenMs > awayMs && takenMs < backMs)).toHaveLength(20);
  expect(cpu.every((takenMs, i) => i === 0 || takenMs - cpu[i - 1]! === 1000)).toBe(true);
});
