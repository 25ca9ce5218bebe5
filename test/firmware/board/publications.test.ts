/** A whole board takes what is published to all, asks for what it missed, and takes snapshots in chunks (design, point 12). */
import { describe, expect, test } from "vitest";
import { refusalLimits } from "../../../firmware/board/held-refusal.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { messageToWire, publicationToWire } from "../../../protocols/raft/codec.ts";
import type { AppendResponse, LogResponse, Publication } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { program, programBytes } from "./surroundings.ts";

/** A board that has caught up and listens. */
function listening(bornMs = 0): SimulatedBoard {
  const leader = new LeaderOnTheWire();
  leader.listens = true;
  // Chance begins where time does.
  const it = new SimulatedBoard(leader, undefined, bornMs);
  it.run(500);
  leader.put("program/north-1", programBytes(program));
  it.run(500);
  expect(it.board.board!.lifeState).toBe("running");
  expect(applied(it)).toBe(leader.commitIndex);
  leader.raft.length = 0;
  return it;
}

const applied = (it: SimulatedBoard) => it.leader.healths.at(-1)!.appliedIndex;
const sent = (it: SimulatedBoard) => it.leader.raft.filter(({ type }) => type === "append-request");
const refusals = (it: SimulatedBoard) =>
  it.leader.raft.filter(
    (message): message is AppendResponse => message.type === "append-response" && !message.success,
  );

describe("a board that listens", () => {
  test("takes entries from the publication and applies them when the leader's own word covers them", () => {
    const it = listening();
    it.leader.put("fan.duty", 40);
    it.run(300);
    expect(it.leader.publications).toBeGreaterThan(0);
    expect(it.outputs.get("fan")).toBe(40);
    // Not one entry was sent to the board itself.
    expect(
      sent(it).every((message) => message.type === "append-request" && message.entries.length === 0),
    ).toBe(true);
    expect(refusals(it)).toEqual([]);
  });

  test("asks for what it missed, once and a little later, and is sent that", () => {
    const it = listening();
    it.leader.publicationsLost = 3;
    for (const duty of [40, 50, 60]) it.leader.put("fan.duty", duty);
    const lostMs = it.nowMs;
    while (refusals(it).length === 0) it.run(0);
    expect(it.nowMs - lostMs).toBeLessThanOrEqual(refusalLimits.waitMsMax + 300);
    it.run(1000);
    expect(it.outputs.get("fan")).toBe(60);
    expect(refusals(it)).toHaveLength(1);
    it.leader.put("fan.duty", 70);
    it.run(500);
    expect(it.outputs.get("fan")).toBe(70);
    expect(refusals(it)).toHaveLength(1);
  });

  test("spreads its refusals over time", () => {
    const waits = new Set<number>();
    for (let seed = 0; seed < 12; seed++) {
      const it = listening(1000 * seed);
      it.leader.publicationsLost = 1;
      it.leader.put("fan.duty", 40);
      const lostMs = it.nowMs;
      while (refusals(it).length === 0) it.run(0);
      waits.add(it.nowMs - lostMs);
    }
    expect(waits.size).toBeGreaterThan(4);
    expect(Math.max(...waits)).toBeLessThanOrEqual(refusalLimits.waitMsMax + 20);
  });

  test("says nothing when what it missed comes after all", () => {
    const it = listening();
    const lost: Uint8Array[] = [];
    it.leader.onPublication = (payload) => void lost.push(payload);
    it.leader.put("fan.duty", 40);
    it.leader.onPublication = undefined;
    it.run(0);
    for (const payload of lost) it.leader.publish(payload);
    it.run(400);
    expect(refusals(it)).toEqual([]);
    expect(it.outputs.get("fan")).toBe(40);
  });

  test("applies nothing that somebody else published, and mends its log when it has taken it", () => {
    const it = listening();
    const { commitIndex, term } = it.leader;
    const forged: Publication = {
      type: "publication",
      from: it.leader.id,
      term,
      prevLogIndex: commitIndex,
      prevLogTerm: it.leader.log.termAt(commitIndex)!,
      prevHash: it.leader.log.hashAt(commitIndex)!,
      entries: [
        {
          index: commitIndex + 1,
          term,
          kind: EntryKind.put,
          version: 1,
          data: encodeCbor(["fan.duty", 99]),
        },
      ],
    };
    it.leader.publish(encodeCbor(publicationToWire(forged)));
    it.run(1000);
    expect(it.outputs.get("fan")).toBe(10);
    expect(applied(it)).toBe(commitIndex);
    it.leader.put("fan.duty", 40);
    it.run(1000);
    expect(it.outputs.get("fan")).toBe(40);
    expect(applied(it)).toBe(it.leader.commitIndex);
    expect(it.pins.some((line) => line.endsWith(" 99"))).toBe(false);
  });

  test("drops the connection over a publication that is none, and passes over a message of another kind", () => {
    const it = listening();
    it.run(500);
    it.leader.publish(encodeCbor(messageToWire(sent(it)[0]!)));
    it.run(100);
    expect(it.leader.connects).toBe(1);
    it.leader.publish(Uint8Array.of(0xff));
    it.run(1000);
    expect(it.leader.connects).toBe(2);
    expect(it.board.board!.lifeState).toBe("running");
  });
});

test("a voter takes nothing that is published: it is sent its entries itself", () => {
  const it = listening();
  it.leader.change("promote");
  it.run(1000);
  it.leader.raft.length = 0;
  it.leader.put("fan.duty", 40);
  it.run(500);
  expect(it.outputs.get("fan")).toBe(40);
  expect(sent(it).some((message) => message.type === "append-request" && message.entries.length > 0)).toBe(
    true,
  );
});

describe("a voter's log", () => {
  test("can be copied by a host, over the link on which it asks, and the leader is not disturbed", () => {
    const it = listening();
    it.leader.change("promote");
    it.leader.put("fan.duty", 40);
    it.run(1000);
    const { memberId } = it.board.board!;
    const answers: LogResponse[] = [];
    const step = it.leader.step.bind(it.leader);
    it.leader.step = (message) => {
      if (message.type === "log-response") answers.push(message);
      else step(message);
    };
    const request = {
      type: "log-request",
      from: "main.00000009",
      to: memberId,
      term: it.leader.term,
      afterIndex: 1,
      afterTerm: 1,
      snapshotIndex: 0,
      snapshotFirst: 0,
    } as const;
    it.leader.sendPayload("raft", encodeCbor(messageToWire(request)));
    it.run(100);
    expect(answers).toHaveLength(1);
    const { isMatch, entries, lastLogIndex } = answers[0]!;
    expect(isMatch).toBe(true);
    expect(lastLogIndex).toBe(it.leader.commitIndex);
    expect(entries[0]!.index).toBe(2);
    expect(entries.map(({ index }) => it.leader.log.termAt(index))).toEqual(entries.map(({ term }) => term));
  });
});

describe("a snapshot", () => {
  /** A leader whose log no longer has what led to its 100 settings and the board's program. */
  function compacted(): LeaderOnTheWire {
    const leader = new LeaderOnTheWire();
    leader.put("program/north-1", programBytes(program));
    for (let i = 10; i < 99; i++) leader.put(`key.${i}`, "x".repeat(40));
    leader.put("fan.duty", 40);
    leader.compact();
    return leader;
  }

  test("makes a new board what the others are: its program runs, its settings hold", () => {
    const it = new SimulatedBoard(compacted());
    it.run(3000);
    const chunks = it.leader.raft.filter(({ type }) => type === "snapshot-chunk");
    expect(chunks.length).toBeGreaterThan(3);
    expect(it.logged("snapshot-installed")).toHaveLength(1);
    expect(it.board.board!.lifeState).toBe("running");
    expect(it.outputs.get("fan")).toBe(40);
    expect(applied(it)).toBe(it.leader.commitIndex);
    const again = it.reboot();
    again.run(10);
    expect(again.outputs.get("fan")).toBe(40);
  });

  test("goes on where it broke off when the power failed", () => {
    const it = new SimulatedBoard(compacted());
    const chunks = () => it.leader.raft.filter((message) => message.type === "snapshot-chunk");
    const step = it.leader.step.bind(it.leader);
    let answers = 0;
    it.leader.step = (message) => {
      if (message.type !== "snapshot-response" || ++answers < 4) step(message);
    };
    it.run(1000);
    const again = it.reboot();
    it.leader.step = step;
    const before = chunks().length;
    again.run(3000);
    const firsts = chunks()
      .slice(before)
      .map((chunk) => chunk.type === "snapshot-chunk" && chunk.first);
    expect(again.outputs.get("fan")).toBe(40);
    expect(again.logged("snapshot-installed")).toHaveLength(1);
    // The first of them, which the leader begins with, is refused: the board says where it is.
    expect(firsts[0]).toBe(0);
    expect(firsts.slice(1).every((first) => Number(first) > 10)).toBe(true);
  });

  test("replaces what ran: an output that the new program lacks is given back", () => {
    const it = listening();
    it.leader.put("fan.duty", 40);
    it.run(500);
    it.leader.setNetwork(false);
    it.leader.put("program/north-1", programBytes({ pipelines: [], outputs: [], rules: [] }));
    for (let i = 10; i < 60; i++) it.leader.put(`key.${i}`, i);
    it.leader.compact();
    it.leader.setNetwork(true);
    it.run(3000);
    expect(it.logged("snapshot-installed")).toHaveLength(1);
    expect(it.outputs.has("fan")).toBe(false);
    expect(applied(it)).toBe(it.leader.commitIndex);
  });
});
