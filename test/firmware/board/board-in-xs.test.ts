/** The whole board in the real XS engine, in the arena and with the stack of an ESP32-C3. */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import type { ScheduledValue } from "../../../protocols/pipeline/program.ts";
import { kidBytes, kidOf } from "../../../protocols/security/identity/credential.ts";
import { rosterKey } from "../../../protocols/security/identity/roster.ts";
import { parseZone } from "../../../protocols/time/posix-tz.ts";
import { BoardInXs, type XsFirmware, xsFirmware } from "./board-in-xs.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { memberOf, root } from "./members.ts";
import { program, programBytes, SimulatedSurroundings, threeHosts } from "./surroundings.ts";

/** What a board may use at most, so that the issues to come have room: of an arena of 94,208 bytes. */
const heapPeakBytesMax = 65_536;

let firmware: XsFirmware;
let stackSlots: number;
const boards: BoardInXs[] = [];

beforeAll(async () => {
  firmware = await xsFirmware();
  stackSlots = loadBoards().get("esp32c3-devkit")!.stackSlots;
}, 300_000);

afterEach(async () => {
  for (const board of boards.splice(0)) await board.powerOff();
});

function powerOn(surroundings: SimulatedSurroundings): BoardInXs {
  const board = new BoardInXs(firmware, surroundings, stackSlots);
  boards.push(board);
  return board;
}

function expectToFit(board: BoardInXs): void {
  const { peakBytes, stackPeakSlots } = board.figures!;
  // Where only a 64-bit host can be built, slots are twice the size.
  if (firmware.host.slotBytes === 16) expect(peakBytes).toBeLessThan(heapPeakBytesMax);
  expect(stackPeakSlots).toBeLessThan(stackSlots);
}

describe("a board in XS", () => {
  test("joins, follows, senses and reports for a minute, and fits", { timeout: 60_000 }, async () => {
    const here = new SimulatedSurroundings();
    const board = powerOn(here);
    await board.run(500);
    here.leader.put("program/north-1", programBytes(program));
    here.leader.put("limit.high", 30);
    here.leader.put("fan.duty", 40);
    await board.run(60_000);
    const health = here.leader.healths.at(-1)!;
    expect(health).toMatchObject({
      appliedIndex: 5,
      readingsDropped: 0,
      reconnects: 0,
      arenaBytes: board.figures!.arenaBytes,
    });
    expect(health.outputs).toEqual([{ name: "fan", value: 40, cause: "setting" }]);
    expect(health.device!.stackPeakSlots).toBe(board.figures!.stackPeakSlots);
    expect(here.leader.reports.length).toBeGreaterThan(50);
    expectToFit(board);
  });

  test("catches up with a long log of large entries, and fits", { timeout: 60_000 }, async () => {
    const leader = new LeaderOnTheWire();
    for (let i = 0; i < 100; i++) leader.put(`program/board-${i % 10}`, new Uint8Array(900).fill(i));
    const here = new SimulatedSurroundings(leader);
    const board = powerOn(here);
    await board.run(5000);
    expect(leader.healths.at(-1)!.appliedIndex).toBe(102);
    expectToFit(board);
  });

  test("keeps sixteen schedules by the leader's time, and fits", { timeout: 60_000 }, async () => {
    const zone = parseZone("CET-1CEST,M3.5.0,M10.5.0/3");
    const schedules = Array.from({ length: 16 }, (_, i): ScheduledValue => {
      const schedule = { kind: "daily", minutes: 61 + i, weekdays: 127, zone } as const;
      return { schedule, output: "fan", value: 50 + i, forMs: 60_000 };
    });
    const here = new SimulatedSurroundings();
    here.leader.put("program/north-1", programBytes({ ...program, schedules }));
    const board = powerOn(here);
    // The tests' time begins at midnight in UTC, an hour past it in the zone.
    await board.run(130_000);
    expect(here.pins.slice(-2)).toEqual(["write fan 50", "write fan 51"]);
    const { sentMs, wallMs, timeBoundMs } = here.leader.healths.at(-1)!;
    expect(Math.abs(wallMs! - here.leader.epochMs! - sentMs)).toBeLessThanOrEqual(timeBoundMs!);
    expectToFit(board);
  });

  test("votes over three links, each of which carries large entries in its turn, and fits", {
    timeout: 120_000,
  }, async () => {
    const here = new SimulatedSurroundings(undefined, undefined, 0, { hosts: threeHosts });
    const { leader } = here;
    const board = powerOn(here);
    await board.run(500);
    leader.put("program/north-1", programBytes(program));
    leader.change("promote");
    await board.run(1000);
    expect(leader.connected).toEqual(threeHosts.map(({ port }) => port));
    for (const port of leader.connected) {
      leader.homePort = port;
      // Another host takes over, which needs the board's vote.
      await board.run(5000);
      for (let i = 10; i < 20; i++) leader.put(`key.${i}`, "x".repeat(400));
      await board.run(20_000);
    }
    expect(leader.healths.at(-1)!.appliedIndex).toBe(leader.commitIndex);
    expectToFit(board);
  });

  test("listens to publications, misses some, takes a snapshot, and fits", { timeout: 60_000 }, async () => {
    const here = new SimulatedSurroundings();
    const { leader } = here;
    leader.listens = true;
    for (let i = 10; i < 80; i++) leader.put(`key.${i}`, "x".repeat(100));
    leader.compact();
    const board = powerOn(here);
    await board.run(3000);
    leader.put("program/north-1", programBytes(program));
    for (let i = 10; i < 40; i++) {
      if (i % 7 === 0) leader.publicationsLost = 1;
      leader.put(`key.${i}`, "y".repeat(400));
      await board.run(300);
    }
    await board.run(2000);
    expect(here.logged("snapshot-installed")).toHaveLength(1);
    expect(leader.healths.at(-1)!.appliedIndex).toBe(leader.commitIndex);
    expectToFit(board);
  });

  test("goes over to new keys with a new epoch, refreshes when it comes back, refuses what is forged, and fits", {
    timeout: 60_000,
  }, async () => {
    const here = new SimulatedSurroundings();
    const { leader } = here;
    leader.put("program/north-1", programBytes(program));
    const board = powerOn(here);
    await board.run(2000);
    leader.put(rosterKey, root.revoke(1, new Uint8Array(kidBytes)));
    await board.run(1000);
    expect(leader.trust).toMatchObject({ handshakes: 1, refreshes: 1 });
    expect(leader.trust.kept.get(7883)!.epoch).toBe(1);
    leader.cut();
    await board.run(2000);
    expect(leader.trust).toMatchObject({ handshakes: 1, refreshes: 2 });
    for (let i = 0; i < 10; i++) leader.sendRaw("raft", new Uint8Array(30).fill(i));
    leader.put("fan.duty", 40);
    await board.run(3000);
    expect(here.outputs.get("fan")).toBe(40);
    expect(leader.healths.at(-1)!.device!.recordsRefused).toBe(10);
    expectToFit(board);
    leader.put(rosterKey, root.revoke(2, kidOf(nodeCiphers, memberOf("host", "main").signed)));
    await board.run(3000);
    expect(here.logged("link-lost").at(-1)).toMatch(/main was revoked|nobody that is known/);
    expect(here.restarts).toEqual([]);
  });

  test("sleeps, and wakes with its filters as they were, and its session", { timeout: 60_000 }, async () => {
    const before = new SimulatedSurroundings();
    before.leader.put(
      "program/north-1",
      programBytes({ ...program, sleep: { awakeMs: 5000, everyMs: 60_000 } }),
    );
    const board = powerOn(before);
    await board.run(8000);
    expect(before.sleepsMs).toHaveLength(1);
    await board.powerOff();
    before.leader.cut();
    const wakesMs = before.nowMs + before.sleepsMs[0]!;
    const here = new SimulatedSurroundings(before.leader, before.flash.reboot(), wakesMs);
    Object.assign(here.world.system, { startReason: "sleep" });
    const again = powerOn(here);
    await again.run(8000);
    expect(here.logged("checkpoint-restored")).toHaveLength(1);
    expect(here.logged("sessions-restored")).toHaveLength(1);
    expect(here.leader.trust).toMatchObject({ handshakes: 1, refreshes: 1 });
    expect(here.sleepsMs).toHaveLength(1);
    expect(here.leader.hellos).toHaveLength(2);
    expect(here.restarts).toEqual([]);
  });

  test("loses its power, recovers, and goes on under the same id", { timeout: 60_000 }, async () => {
    const before = new SimulatedSurroundings();
    before.leader.put("program/north-1", programBytes(program));
    before.leader.put("fan.duty", 40);
    const first = powerOn(before);
    await first.run(1000);
    await first.powerOff();
    before.leader.cut();
    const here = new SimulatedSurroundings(before.leader, before.flash.reboot(), before.nowMs);
    const again = powerOn(here);
    await again.run(1000);
    expect(here.leader.hellos.map(({ memberId }) => memberId)).toEqual(
      Array(2).fill(here.leader.hellos[0]!.memberId),
    );
    expect(here.outputs.get("fan")).toBe(40);
    expectToFit(again);
  });
});
