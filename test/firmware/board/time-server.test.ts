/** A board without a leader learns the time from a server (SNTP, RFC 4330). */
import * as dgram from "node:dgram";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { timeServerLimits } from "../../../firmware/board/time-server.ts";
import { VirtualBoard } from "../../../firmware/platform/virtual/virtual-board.ts";
import type { BoardWorld } from "../../../firmware/platform/virtual/world.ts";
import { SimulatedNetwork } from "../../../host-tools/simulator/world/simulated-network.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { sntpAnswer } from "./sntp-server.ts";
import { SimulatedSurroundings } from "./surroundings.ts";

const { firstMs, answerMs, pauseFirstMs, pauseMostMs, boundMsMax } = timeServerLimits;

function alone(bornMs = 0): SimulatedBoard {
  const it = new SimulatedBoard(new LeaderOnTheWire(), undefined, bornMs, { timeServer: "time.example" });
  it.leader.listening = false;
  return it;
}

/** What the leader hears of the board's time, once it is there; it tells none itself. */
function told(it: SimulatedBoard) {
  it.leader.epochMs = undefined;
  it.leader.listening = true;
  it.run(10_000);
  return it.leader.healths.at(-1)!;
}

describe("a board without a leader", () => {
  test("asks a time server soon, and knows the time within the bound that it tells", () => {
    const it = alone();
    it.run(firstMs + 100);
    expect(it.timeServer.places).toEqual(["time.example:123"]);
    expect(it.logged("time-known")).toHaveLength(1);
    const { sentMs, wallMs, timeBoundMs } = told(it);
    expect(Math.abs(wallMs! - it.timeServer.epochMs - sentMs)).toBeLessThanOrEqual(timeBoundMs!);
    expect(timeBoundMs).toBeLessThan(30);
    expect(it.timeServer.openSockets).toBe(0);
  });

  test("asks again only when what it knows has become inexact", { timeout: 60_000 }, () => {
    const it = alone();
    it.run(7_200_000);
    // 500 ppm make 250 ms in some eight minutes.
    const gaps = it.timeServer.requestsMs.slice(1).map((at, i) => at - it.timeServer.requestsMs[i]!);
    expect(gaps.length).toBeGreaterThan(10);
    expect(Math.min(...gaps)).toBeGreaterThan((boundMsMax / 500e-6) * 0.9);
    expect(told(it).timeBoundMs).toBeLessThanOrEqual(boundMsMax + 40);
  });

  test("gives a silent server more and more time, within bounds", { timeout: 60_000 }, () => {
    const it = alone();
    it.timeServer.answers = false;
    it.run(3 * pauseMostMs);
    const { requestsMs } = it.timeServer;
    const gaps = requestsMs.slice(1).map((at, i) => at - requestsMs[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(15_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(pauseMostMs + answerMs + 10);
    expect(gaps.at(-1)).toBeGreaterThan(4 * pauseFirstMs);
    expect(it.timeServer.openSockets).toBe(0);
    expect(it.logged("time-server").length).toBe(requestsMs.length);
  });

  test("never asks again after a kiss of death, but for one that only wants longer pauses", {
    timeout: 60_000,
  }, () => {
    const denied = alone();
    Object.assign(denied.timeServer, { stratum: 0, reference: "DENY" });
    denied.run(pauseMostMs);
    expect(denied.timeServer.requestsMs).toHaveLength(1);
    expect(denied.logged("time-server")[0]).toContain("DENY");
    const slowed = alone();
    Object.assign(slowed.timeServer, { stratum: 0, reference: "RATE" });
    slowed.run(pauseMostMs);
    expect(slowed.timeServer.requestsMs.length).toBeGreaterThan(3);
  });

  test("begins at a random time, so that boards that got their power together do not ask together", () => {
    const firsts = new Set<number>();
    for (let seed = 0; seed < 10; seed++) {
      const it = alone(1000 * seed);
      it.run(firstMs + 100);
      firsts.add(it.timeServer.requestsMs[0]! - 1000 * seed);
    }
    expect(firsts.size).toBeGreaterThan(4);
    expect(Math.max(...firsts)).toBeLessThanOrEqual(firstMs + 10);
  });
});

test("a board that its leader tells the time asks nobody else", () => {
  const it = new SimulatedBoard(undefined, undefined, 0, { timeServer: "time.example" });
  it.run(120_000);
  expect(it.timeServer.requestsMs).toEqual([]);
});

test("without a network nobody is asked", () => {
  const it = new SimulatedBoard(undefined, undefined, 0, { timeServer: "time.example" });
  it.run(0);
  it.leader.setNetwork(false);
  it.leader.epochMs = undefined;
  it.run(60_000);
  expect(it.timeServer.requestsMs).toEqual([]);
});

test("a host's time and a server's make one: the host is believed when both speak", () => {
  const it = alone();
  it.run(firstMs + 100);
  it.leader.epochMs = it.timeServer.epochMs + 3_600_000;
  it.leader.listening = true;
  it.run(20_000);
  const { sentMs, wallMs, timeBoundMs } = it.leader.healths.at(-1)!;
  expect(Math.abs(wallMs! - it.leader.epochMs - sentMs)).toBeLessThanOrEqual(timeBoundMs!);
  expect(it.logged("time-was-set")).toHaveLength(1);
});

test("over real UDP: a board in this process, a time server at the other end of a socket", async () => {
  const server = dgram.createSocket("udp4");
  server.on("message", (request, { port, address }) => {
    const nowMs = Date.now();
    const answer = sntpAnswer(request, { receivedMs: nowMs, sentMs: nowMs });
    if (answer !== undefined) server.send(answer, port, address);
  });
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const it = new SimulatedSurroundings(undefined, undefined, 0, { timeServer: `127.0.0.1:${port}` });
  const network = new SimulatedNetwork();
  const world: BoardWorld = {
    ...it.world,
    network: { ...it.world.network, openUdp: network.openUdp.bind(network) },
  };
  it.leader.listening = false;
  const board = new VirtualBoard(world, () => {});
  const startMs = performance.now();
  while (it.logged("time-known").length === 0 && performance.now() - startMs < 8_000) {
    board.turn(Math.floor(performance.now() - startMs));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  board.powerOff();
  network.powerOff();
  server.close();
  expect(it.logged("time-known")).toHaveLength(1);
}, 10_000);
