/** A board and several hosts: a learner keeps one link, a voter one to each (design, point 9). */
import { describe, expect, test } from "vitest";
import { linkLimits } from "../../../firmware/board/link.ts";
import { linksLimits } from "../../../firmware/board/links.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { messageToWire } from "../../../protocols/raft/codec.ts";
import type { VoteRequest } from "../../../protocols/raft/types.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { hostNameAt } from "./members.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { program, programBytes, threeHosts } from "./surroundings.ts";

const ports = threeHosts.map(({ port }) => port);

function learner(leader = new LeaderOnTheWire()): SimulatedBoard {
  const it = new SimulatedBoard(leader, undefined, 0, { hosts: threeHosts });
  it.run(500);
  expect(it.board.board!.lifeState).toBe("running");
  return it;
}

function voter(): SimulatedBoard {
  const it = learner();
  it.leader.homePort = it.leader.connected[0]!;
  it.leader.change("promote");
  it.run(1000);
  expect(it.leader.connected).toEqual(ports);
  return it;
}

const votePlease = (it: SimulatedBoard, from: string): Uint8Array => {
  const request: VoteRequest = {
    type: "vote-request",
    from,
    to: it.board.board!.memberId,
    term: 9,
    lastLogIndex: 99,
    lastLogTerm: 9,
    purpose: "election",
  };
  return encodeCbor(messageToWire(request));
};

describe("a learner", () => {
  test("is connected to one host, and to the next one that takes it when that is gone", () => {
    const it = learner();
    const [first] = it.leader.connected;
    expect(it.leader.connected).toHaveLength(1);
    it.leader.deafPorts.add(first!);
    it.leader.cut();
    it.run(1000);
    expect(it.leader.connected).toHaveLength(1);
    expect(it.leader.connected).not.toContain(first);
    expect(it.board.board!.lifeState).toBe("running");
    expect(it.leader.hellos).toHaveLength(2);
  });

  test("begins at a random host, so that a swarm spreads over all", () => {
    const firsts = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const it = new SimulatedBoard(undefined, undefined, 7 * seed, { hosts: threeHosts });
      it.run(100);
      firsts.add(it.leader.ports[0]!);
    }
    expect([...firsts].sort()).toEqual(ports);
  });

  test("leaves a host through which no leader speaks, and stays where one does", { timeout: 30_000 }, () => {
    const it = learner();
    it.run(2 * linksLimits.silentFirstMs);
    expect(it.leader.connects).toBe(1);
    it.leader.homePort = ports.find((port) => port !== it.leader.connected[0]);
    it.leader.relays = false;
    // At most over one host in vain: 20 s, then 40 s.
    it.run(4 * linksLimits.silentFirstMs);
    expect(it.leader.connected).toEqual([it.leader.homePort]);
    expect(it.board.board!.lifeState).toBe("running");
    const { connects } = it.leader;
    it.run(3 * linksLimits.silentFirstMs);
    expect(it.leader.connects).toBe(connects);
  });

  test("looks for a leader less and less often while there is none", { timeout: 60_000 }, () => {
    const it = learner();
    it.leader.homePort = 1;
    it.leader.relays = false;
    it.run(600_000);
    const atFirst = it.leader.connects;
    it.run(1_800_000);
    expect(atFirst).toBeLessThan(8);
    expect(it.leader.connects - atFirst).toBeLessThanOrEqual(1_800_000 / linksLimits.silentMostMs + 1);
    it.leader.homePort = undefined;
    it.run(1000);
    const { connects } = it.leader;
    it.leader.homePort = 1;
    it.run(linksLimits.silentFirstMs + 2000);
    expect(it.leader.connects).toBe(connects + 1);
  });

  test("with a single host stays with it, whoever speaks", { timeout: 30_000 }, () => {
    const it = new SimulatedBoard();
    it.leader.homePort = 1;
    it.leader.relays = false;
    it.run(3 * linksLimits.silentFirstMs);
    expect(it.leader.connects).toBe(1);
  });
});

describe("a voter", () => {
  test("is connected to each host, and says hello to each", () => {
    const it = voter();
    expect(it.leader.hellos).toHaveLength(3);
    expect(new Set(it.leader.hellos.map(({ memberId }) => memberId)).size).toBe(1);
    expect(it.logged("votes")).toHaveLength(1);
  });

  test("comes back with all its links after a power cut, for its flash knows that it votes", () => {
    const it = voter().reboot();
    it.run(500);
    expect(it.leader.connected).toEqual(ports);
    expect(it.board.board!.lifeState).toBe("running");
  });

  test("answers where it was asked: a candidate through its own host, the leader through its", () => {
    const it = voter();
    const candidatePort = ports.find((port) => port !== it.leader.homePort)!;
    it.leader.tick = () => {};
    // Longer than a voter is content with a leader that it heard.
    it.run(1500);
    it.leader.answeredTo.length = 0;
    it.leader.raft.length = 0;
    it.leader.step = () => {};
    const candidate = `${hostNameAt(candidatePort)}.1`;
    it.leader.sendPayload("raft", votePlease(it, candidate), candidatePort);
    it.run(100);
    expect(it.leader.raft).toMatchObject([{ type: "vote-response", to: candidate, granted: true }]);
    expect(it.leader.answeredTo).toEqual([candidatePort]);
  });

  test("reports where the leader speaks, and where it speaks next", () => {
    const it = voter();
    it.leader.put("program/north-1", programBytes(program));
    it.run(2000);
    it.leader.toldTo.length = 0;
    it.run(5000);
    expect(new Set(it.leader.toldTo)).toEqual(new Set([it.leader.homePort]));
    it.leader.homePort = ports.find((port) => port !== it.leader.homePort);
    it.run(5000);
    it.leader.toldTo.length = 0;
    it.run(5000);
    expect(it.leader.toldTo.length).toBeGreaterThan(4);
    expect(new Set(it.leader.toldTo)).toEqual(new Set([it.leader.homePort]));
  });

  test("goes on over the others when one link breaks, and mends that one", () => {
    const it = voter();
    const home = it.leader.homePort!;
    it.leader.deafPorts.add(home);
    it.leader.cut(home);
    const { length } = it.leader.healths;
    it.run(5000);
    expect(it.board.board!.lifeState).toBe("running");
    expect(it.leader.healths.length).toBeGreaterThan(length + 1);
    expect(it.leader.connected).toEqual(ports.filter((port) => port !== home));
    it.leader.deafPorts.clear();
    it.run(10_000);
    expect(it.leader.connected).toEqual(ports);
  });

  test("is back within two seconds of a host that was away for long, which may need its vote", () => {
    const it = voter();
    const home = it.leader.homePort!;
    it.leader.deafPorts.add(home);
    it.leader.cut(home);
    it.run(60_000);
    it.leader.deafPorts.clear();
    it.run(linkLimits.voterPauseMostMs + 100);
    expect(it.leader.connected).toEqual(ports);
  });

  test("keeps the link on which the leader speaks when it votes no more", () => {
    const it = voter();
    it.leader.homePort = ports[2]!;
    it.run(5000);
    it.leader.change("demote");
    it.run(1000);
    expect(it.leader.connected).toEqual([ports[2]]);
    expect(it.board.board!.lifeState).toBe("running");
    expect(it.logged("votes-no-more")).toHaveLength(1);
    // And may go to any host again.
    it.leader.deafPorts.add(ports[2]!);
    it.leader.cut();
    it.run(1000);
    expect(it.leader.connected).toHaveLength(1);
  });

  test("drops only the link over which garbage came", () => {
    const it = voter();
    it.leader.sendPayload("raft", Uint8Array.of(0xff), ports[1]);
    it.run(10);
    expect(it.leader.connected).toEqual([ports[0], ports[2]]);
    expect(it.logged("link-lost")[0]).toContain("host=b");
    it.run(1000);
    expect(it.leader.connected).toEqual(ports);
  });

  test("follows the network down and up with all its links", () => {
    const it = voter();
    it.leader.setNetwork(false);
    it.run(100);
    expect(it.board.board!.lifeState).toBe("offline");
    it.leader.setNetwork(true);
    it.run(1000);
    expect(it.leader.connected).toEqual(ports);
    expect(it.board.board!.lifeState).toBe("running");
  });
});
