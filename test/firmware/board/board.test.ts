import { describe, expect, test } from "vitest";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { messageToWire } from "../../../protocols/raft/codec.ts";
import type { VotePurpose } from "../../../protocols/raft/types.ts";
import { FlashModel } from "../storage/flash-model.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { program, programBytes } from "./surroundings.ts";

function joined(): SimulatedBoard {
  const it = new SimulatedBoard();
  it.run(500);
  it.leader.put("program/north-1", programBytes(program));
  it.leader.put("limit.high", 30);
  it.leader.put("fan.duty", 40);
  it.run(1000);
  return it;
}

describe("a new board", () => {
  test("says hello first, under an id of its own, and tells how it is", () => {
    const { leader, board, ...it } = run(new SimulatedBoard(), 1000);
    expect(leader.hellos).toHaveLength(1);
    expect(leader.hellos[0]).toMatchObject({
      model: "esp32c3-devkit",
      firmware: "0.1.0",
      term: 0,
      lastIndex: 0,
    });
    expect(leader.hellos[0]!.memberId).toMatch(/^north-1\.[0-9a-f]{8}$/);
    expect(leader.healths[0]).toMatchObject({ uptimeMs: 0, reconnects: 0, outputs: [] });
    expect(board.board!.linkState).toBe("joined");
    expect(it.lines[0]).toMatch(/^info formatted member=north-1\./);
  });

  test("takes the leader's log, and answers only for what is in its flash", () => {
    const it = joined();
    const answers = it.leader.raft.filter((message) => message.type === "append-response");
    expect(answers.at(-1)).toMatchObject({ success: true, matchIndex: 5, appliedIndex: 5 });
    const again = it.reboot();
    again.run(100);
    expect(again.leader.hellos.at(-1)).toMatchObject({ lastIndex: 5, appliedIndex: 5, term: 2 });
    expect(again.leader.hellos.at(-1)!.memberId).toBe(it.leader.hellos[0]!.memberId);
  });
});

describe("a follower", () => {
  const request = { type: "vote-request", term: 9, lastLogIndex: 99, lastLogTerm: 9 } as const;
  const ask = (it: SimulatedBoard, from: string, purpose: VotePurpose = "transfer") => {
    const to = it.leader.hellos.at(-1)!.memberId;
    it.leader.sendPayload("raft", encodeCbor(messageToWire({ ...request, from, to, purpose })));
    it.run(50);
    return it.leader.raft.findLast((message) => message.type === "vote-response");
  };

  test("takes no part in an election while it hears its leader, nor just after a restart", () => {
    const before = joined();
    expect(ask(before, "main.0000000b", "election")).toBeUndefined();
    expect(ask(before, "main.0000000b", "pre-vote")).toBeUndefined();
    const it = before.reboot();
    it.run(100);
    expect(ask(it, "main.0000000b", "election")).toBeUndefined();
  });

  test("passes over what only a newer leader knows, and stays connected", () => {
    const it = joined();
    it.leader.sendPayload("raft", encodeCbor([1, 99, it.leader.id, it.leader.hellos[0]!.memberId, 2]));
    it.run(3000);
    expect(it.leader.hellos).toHaveLength(1);
  });

  test("votes once in a term, and remembers it when the power has failed", () => {
    const before = joined();
    expect(ask(before, "main.0000000b")).toMatchObject({ to: "main.0000000b", term: 9, granted: true });
    const it = before.reboot();
    it.run(100);
    expect(it.leader.hellos.at(-1)!.term).toBe(9);
    expect(ask(it, "main.0000000c")).toMatchObject({ to: "main.0000000c", term: 9, granted: false });
    expect(ask(it, "main.0000000b")).toMatchObject({ to: "main.0000000b", term: 9, granted: true });
  });

  test("catches up with a log far longer than it holds in memory, from nothing and from the middle", () => {
    const it = joined();
    it.leader.setNetwork(false);
    for (let i = 0; i < 600; i++) it.leader.put("fan.duty", i % 100);
    it.run(2000);
    it.leader.setNetwork(true);
    it.run(2000);
    expect(it.leader.healths.at(-1)!.appliedIndex).toBe(605);
    it.board.powerOff();
    it.leader.cut();
    const other = new SimulatedBoard(it.leader, undefined, it.nowMs);
    other.run(3000);
    expect(other.leader.healths.at(-1)!.appliedIndex).toBe(605);
    expect(other.outputs.get("fan")).toBe(99);
  });

  test("whose flash is too small for the state says so and waits; what it has goes on", () => {
    const it = new SimulatedBoard(undefined, FlashModel.blank(4, 4096));
    it.run(500);
    it.leader.put("program/north-1", programBytes(program));
    it.leader.put("fan.duty", 40);
    for (let i = 0; i < 10; i++) it.leader.put(`program/board-${i}`, new Uint8Array(900));
    it.run(5000);
    expect(it.logged("log-full")).toHaveLength(1);
    expect(it.outputs.get("fan")).toBe(40);
    const { appliedIndex } = it.leader.healths.at(-1)!;
    expect(appliedIndex).toBeLessThan(14);
    const again = it.reboot();
    again.run(2000);
    expect(again.leader.hellos.at(-1)!.appliedIndex).toBe(appliedIndex);
    expect(again.restarts).toEqual([]);
  });
});

describe("the program", () => {
  test("runs as soon as it is committed: samples, reports, drives", () => {
    const it = joined();
    it.run(3000);
    const metrics = new Set(
      it.leader.reports.flatMap(({ readings }) => readings.map(({ metric }) => metric)),
    );
    expect(metrics).toEqual(new Set(["air.temperature", "cpu.load"]));
    expect(it.outputs.get("fan")).toBe(40);
    expect(it.leader.healths.at(-1)!.outputs).toEqual([{ name: "fan", value: 40, cause: "setting" }]);
  });

  test("runs on without a leader, and after a power cut without a network, its outputs safe first", () => {
    const before = joined();
    before.leader.listening = false;
    const it = before.reboot();
    it.sensors.set("temperature", 35);
    it.run(3000);
    expect(it.pins.slice(0, 3)).toEqual(["configure fan 10", "write fan 40", "write fan 100"]);
    expect(it.board.board!.linkState).not.toBe("joined");
  });

  test("a rule takes an output over and gives it back", () => {
    const it = joined();
    it.sensors.set("temperature", 31);
    it.run(2500);
    expect(it.leader.healths.at(-1)!.outputs).toEqual([{ name: "fan", value: 100, cause: "rule" }]);
    it.sensors.set("temperature", 28.5);
    it.run(2500);
    expect(it.outputs.get("fan")).toBe(100);
    it.sensors.set("temperature", 27.9);
    it.run(8000);
    expect(it.outputs.get("fan")).toBe(40);
    it.leader.put("limit.high", 25);
    it.run(500);
    expect(it.outputs.get("fan")).toBe(100);
  });

  test("a setting moves its output and is told at once", () => {
    const it = joined();
    it.run(5000);
    const told = it.leader.healths.length;
    it.leader.put("fan.duty", 70);
    it.run(150);
    expect(it.outputs.get("fan")).toBe(70);
    expect(it.leader.healths.length).toBeGreaterThan(told);
    expect(it.leader.healths.at(-1)).toMatchObject({ appliedIndex: 6, outputs: [{ value: 70 }] });
  });

  test("that this firmware cannot read is no program; the rest of the log is applied all the same", () => {
    const it = joined();
    it.leader.put("program/north-1", Uint8Array.of(1, 2, 3));
    it.leader.put("fan.duty", 50);
    it.run(500);
    expect(it.logged("program-refused")).toHaveLength(1);
    expect(it.outputs.has("fan")).toBe(false);
    expect(it.leader.healths.at(-1)!.appliedIndex).toBe(7);
    expect(it.restarts).toEqual([]);
  });

  test("with an output that cannot be claimed runs all but that", () => {
    const it = joined();
    const bad = { name: "lamp", kind: "digital", pin: 99, safeValue: 0, setting: undefined } as const;
    it.leader.put("program/north-1", programBytes({ ...program, outputs: [bad, ...program.outputs] }));
    it.run(500);
    expect(it.logged("output-refused")[0]).toContain('output=lamp reason="there is no GPIO 99"');
    expect(it.outputs.get("fan")).toBe(40);
  });

  test("entries of kinds and versions that are not known are kept and skipped", () => {
    const it = joined();
    it.leader.propose(77, Uint8Array.of(0xff), 1);
    it.leader.propose(1, Uint8Array.of(0xff), 9);
    it.leader.propose(1, Uint8Array.of(0xff), 1);
    it.leader.put("fan.duty", 60);
    it.run(500);
    expect(it.leader.healths.at(-1)).toMatchObject({ appliedIndex: 9, outputs: [{ value: 60 }] });
  });
});

describe("telemetry", () => {
  test("reports at most once a second, in sequence, with every reading in order", () => {
    const it = joined();
    it.run(10_000);
    const { reports } = it.leader;
    reports.forEach((report, i) => {
      expect(report.sequence).toBe(i);
      if (i > 0) expect(report.sentMs - reports[i - 1]!.sentMs).toBeGreaterThanOrEqual(1000);
      for (const { takenMs } of report.readings) expect(takenMs).toBeLessThanOrEqual(report.sentMs);
    });
    expectEverySecond(it);
  });

  test("health every two seconds when there is no news", () => {
    const it = joined();
    it.run(5000);
    const times = it.leader.healths.slice(-3).map(({ sentMs }) => sentMs);
    expect([times[1]! - times[0]!, times[2]! - times[1]!]).toEqual([2000, 2000]);
  });

  test("keeps the newest readings while there is no link, and counts those that it lost", () => {
    const it = joined();
    it.leader.put("program/north-1", programBytes({ ...program, pipelines: [fast], rules: [] }));
    it.run(1000);
    it.leader.listening = false;
    it.leader.cut();
    it.run(20_000);
    it.leader.reports.length = 0;
    it.leader.listening = true;
    it.run(16_000);
    const first = it.leader.reports[0]!;
    expect(first.readings).toHaveLength(32);
    expect(it.leader.healths.at(-1)!.readingsDropped).toBeGreaterThan(100);
    expect(it.leader.healths.at(-1)!.reconnects).toBe(1);
  });

  test("a sensor that gives nothing is reported as missing, now and then", () => {
    const it = joined();
    it.sensors.set("cpu", NaN);
    it.run(25_000);
    const missing = it.leader.reports.flatMap(({ readings }) =>
      readings.filter(({ quality }) => quality === 1),
    );
    expect(missing).toHaveLength(3);
    expect(missing[0]).toMatchObject({ metric: "cpu.load", value: NaN });
  });

  test("a full send buffer loses nothing", () => {
    const it = joined();
    it.leader.sendBufferBytes = 0;
    it.run(3000);
    it.leader.sendBufferBytes = Infinity;
    it.run(3000);
    expect(it.leader.reports.map(({ sequence }) => sequence)).toEqual([...it.leader.reports.keys()]);
    expectEverySecond(it);
  });
});

const fast = { metric: "fast", sensor: "cpu", everyMs: 50, stages: [] } as const;

/** Mean loads come once a second on the second, however they were sent. */
function expectEverySecond(it: SimulatedBoard): void {
  const loads = it.leader.reports.flatMap(({ readings }) =>
    readings.filter(({ metric }) => metric === "cpu.load"),
  );
  expect(loads.length).toBeGreaterThanOrEqual(5);
  for (let i = 1; i < loads.length; i++) expect(loads[i]!.takenMs - loads[i - 1]!.takenMs).toBe(1000);
}

describe("the link", () => {
  test("comes back after the leader does, with pauses that grow to a bound", () => {
    const it = joined();
    it.leader.listening = false;
    it.leader.cut();
    const before = it.leader.connects;
    it.run(60_000);
    const attempts = it.leader.connects - before;
    expect(attempts).toBeGreaterThan(7);
    expect(attempts).toBeLessThan(25);
    it.leader.listening = true;
    it.run(8100);
    expect(it.board.board!.linkState).toBe("joined");
    expect(it.leader.hellos).toHaveLength(2);
  });

  test("gives up a leader that has fallen silent", () => {
    const it = joined();
    it.leader.answering = false;
    it.run(60_000);
    expect(it.logged("link-lost").join()).toContain("did not answer");
    it.leader.answering = true;
    it.run(16_000);
    expect(it.board.board!.linkState).toBe("joined");
  });

  test("waits for the network", () => {
    const it = joined();
    it.leader.setNetwork(false);
    it.run(5000);
    expect(it.board.board!.linkState).toBe("offline");
    it.leader.setNetwork(true);
    it.run(100);
    expect(it.board.board!.linkState).toBe("joined");
  });

  test.each<[string, (it: SimulatedBoard) => void]>([
    ["bytes that are no MQTT", (it) => it.leader.sendBytes(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff))],
    ["a packet larger than any", (it) => it.leader.sendBytes(Uint8Array.of(0x30, 0xff, 0xff, 0x7f))],
    ["a payload that is no CBOR", (it) => it.leader.sendPayload("raft", Uint8Array.of(0xff))],
    ["CBOR that is no message", (it) => it.leader.sendPayload("raft", encodeCbor([1, 1, "a", "b", 1]))],
  ])("drops a connection that brings %s, counts it, and joins again", (_, disturb) => {
    const it = joined();
    disturb(it);
    it.run(2000);
    expect(it.logged("link-lost")[0]).toContain("garbage");
    expect(it.board.board!.linkState).toBe("joined");
    expect(it.leader.hellos).toHaveLength(2);
    expect(it.restarts).toEqual([]);
    expect(it.leader.healths.at(-1)!.appliedIndex).toBe(5);
  });

  test("ignores messages to a former self, and channels of a newer leader", () => {
    const it = joined();
    const from = it.leader.id;
    const stale = {
      type: "vote-request",
      from,
      to: "north-1.0",
      term: 99,
      lastLogIndex: 0,
      lastLogTerm: 0,
      purpose: "transfer",
    } as const;
    it.leader.sendPayload("raft", encodeCbor(messageToWire(stale)));
    it.leader.sendPayload("update", Uint8Array.of(0xff));
    it.run(3000);
    expect(it.leader.hellos).toHaveLength(1);
    expect(it.leader.healths.at(-1)!.term).toBe(2);
  });
});

describe("damage", () => {
  test("found at the start makes a new member, which says so", () => {
    const before = joined();
    // In the header of a new board's first sector.
    before.flash.bytes[before.flash.sectorBytes + 30]! ^= 4;
    const it = before.reboot();
    it.run(2000);
    expect(it.logged("flash-damaged")).toHaveLength(1);
    expect(it.leader.hellos.at(-1)!.memberId).not.toBe(before.leader.hellos[0]!.memberId);
    expect(it.leader.hellos.at(-1)).toMatchObject({ lastIndex: 0, term: 0 });
    expect(it.leader.healths.at(-1)!.appliedIndex).toBe(5);
    expect(it.outputs.get("fan")).toBe(40);
  });

  test("found while it runs restarts the board, once, and nothing is believed or done after", () => {
    const it = joined();
    // In every record, so that whatever is read next is wrong.
    const { bytes, sectorBytes } = it.flash;
    for (let i = sectorBytes + 16; i < 2 * sectorBytes - 16; i += 16) if (bytes[i] !== 0xff) bytes[i]! ^= 1;
    // A program that begins reads its settings.
    it.leader.put("program/north-1", programBytes(program));
    it.leader.put("fan.duty", 90);
    it.run(3000);
    expect(it.restarts).toHaveLength(1);
    expect(it.logged("crashed")[0]).toContain("FlashDamaged");
    expect(it.outputs.get("fan")).toBe(40);
    const again = it.reboot();
    again.run(2000);
    expect(again.logged("flash-damaged")).toHaveLength(1);
    expect(again.outputs.get("fan")).toBe(90);
    expect(again.restarts).toEqual([]);
  });
});

function run(it: SimulatedBoard, forMs: number): SimulatedBoard {
  it.run(forMs);
  return it;
}
