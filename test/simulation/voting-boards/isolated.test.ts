/** Whole boards whose hosts are gone agree, and the log has it all when they are back. Engine: in process, virtual time. */
import { isDeepStrictEqual } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Lan } from "../../../firmware/lan/lan.ts";
import { BoardStore } from "../../../firmware/storage/board-store.ts";
import { RecordKind } from "../../../firmware/storage/record.ts";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import { memberFromBytes } from "../../../protocols/paxos/kept.ts";
import { type PaxosMessage, paxosMessageFromWire } from "../../../protocols/paxos/messages.ts";
import { FlashModel } from "../../firmware/storage/flash-model.ts";
import { sha256 } from "../../firmware/storage/store-model.ts";
import { randomFrom } from "../../firmware/storage/store-workload.ts";
import type { SimulatedBoard } from "../raft/full/simulated-board.ts";
import { isolated, names, outputsOf } from "./isolated-boards.ts";

afterEach(() => void vi.restoreAllMocks());

describe("three boards whose hosts are gone", () => {
  it("agree on what one of them proposes, choose a coordinator, and tell the log of it once", async () => {
    const voting = await isolated(1);
    const { swarm } = voting;
    await voting.run(12_000);
    expect(outputsOf(voting, "horn")).toEqual([0, 0, 0]);
    swarm.boards[1]!.reading = 90;
    await voting.run(15_000);
    expect(outputsOf(voting, "horn")).toEqual([1, 1, 1]);
    await voting.run(40_000);
    for (const host of swarm.hosts) host.start();
    await voting.run(55_000);
    const registers = voting.registersOf(voting.leader!)!;
    const coordinator = registers.copy("coordinator")!.said;
    expect(registers.copy("emergency")?.said).toMatchObject({ version: 1, value: true, by: "n-1" });
    expect(coordinator).toMatchObject({ version: 1, value: coordinator.by });
    expect(names).toContain(coordinator.value);
    expect(outputsOf(voting, "fan")).toEqual(
      names.map((name) => (name === coordinator.value && name !== "n-1" ? 1 : 0)),
    );
    expect(registers.history("emergency")?.said.changes).toMatchObject([{ version: 1, value: true }]);
    expect(voting.notes).toEqual([]);
    // It was recorded, and nobody tells it any more.
    voting.reports.length = 0;
    await voting.run(80_000);
    expect(voting.reports).toEqual([]);
  });

  it("replace a coordinator that is lost, which finds out when it is back", async () => {
    const voting = await isolated(2);
    const { swarm } = voting;
    await voting.run(35_000);
    const first = outputsOf(voting, "fan").indexOf(1);
    expect(first).toBeGreaterThanOrEqual(0);
    swarm.boards[first]!.powerOff();
    await voting.run(70_000);
    const second = outputsOf(voting, "fan").indexOf(1);
    expect(second).not.toBe(first);
    expect(second).toBeGreaterThanOrEqual(0);
    swarm.boards[first]!.powerOn();
    await voting.run(85_000);
    expect(outputsOf(voting, "fan")).toEqual(names.map((_, i) => (i === second ? 1 : 0)));
  });

  it("one of them alone says once that it has no majority, goes on trying, and gets it", async () => {
    const voting = await isolated(3);
    const { swarm } = voting;
    const [alone, ...others] = swarm.boards as [SimulatedBoard, ...SimulatedBoard[]];
    for (const board of others) board.powerOff();
    alone.reading = 90;
    await voting.run(120_000);
    expect(outputsOf(voting, "horn")[0]).toBe(0);
    const waits = voting.notes.filter((note) => note.includes("proposal-waits register=emergency"));
    expect(waits).toHaveLength(1);
    expect(waits[0]).toContain('reason="no majority of the group answers"');
    others[0]!.powerOn();
    await voting.run(127_000);
    expect(outputsOf(voting, "horn").slice(0, 2)).toEqual([1, 1]);
  });

  it("propose nothing any more when the reason is gone before there is a majority", async () => {
    const voting = await isolated(4);
    const { swarm } = voting;
    swarm.boards[1]!.powerOff();
    swarm.boards[2]!.powerOff();
    swarm.boards[0]!.reading = 90;
    await voting.run(30_000);
    swarm.boards[0]!.reading = 10;
    await voting.run(32_000);
    swarm.boards[1]!.powerOn();
    await voting.run(60_000);
    expect(outputsOf(voting, "horn").slice(0, 2)).toEqual([0, 0]);
  });

  it("learn what was agreed while they were without power, from each other", async () => {
    const voting = await isolated(5);
    const { swarm } = voting;
    swarm.boards[2]!.powerOff();
    swarm.boards[0]!.reading = 90;
    await voting.run(15_000);
    expect(outputsOf(voting, "horn").slice(0, 2)).toEqual([1, 1]);
    swarm.boards[2]!.powerOn();
    await voting.run(25_000);
    expect(outputsOf(voting, "horn")).toEqual([1, 1, 1]);
    // And keep it over a power cut of all of them.
    for (const board of swarm.boards) board.powerOff();
    for (const board of swarm.boards) board.reading = 10;
    for (const board of swarm.boards) board.powerOn();
    await voting.run(26_000);
    expect(outputsOf(voting, "horn")).toEqual([1, 1, 1]);
  });
});

describe("what a board has promised, accepted or found to be chosen", () => {
  it("is in its flash before a word of it leaves the board", async () => {
    const senders = new WeakMap<Lan, string>();
    const { send, setPeers } = Lan.prototype;
    vi.spyOn(Lan.prototype, "setPeers").mockImplementation(function (this: Lan, peers) {
      senders.set(this, names.find((name) => !peers.includes(name))!);
      setPeers.call(this, peers);
    });
    const said = { prepare: 0, promise: 0, accept: 0, accepted: 0, decided: 0 };
    let flashOf = (_name: string): FlashModel => FlashModel.blank(16, 4096);
    vi.spyOn(Lan.prototype, "send").mockImplementation(function (this: Lan, to, bytes) {
      const message = paxosMessageFromWire(decodeCbor(bytes));
      const sender = senders.get(this)!;
      if (message.kind in said) {
        said[message.kind as keyof typeof said]++;
        expect({ sender, message, isDurable: isDurable(message, sender, flashOf(sender)) }).toMatchObject({
          isDurable: true,
        });
      }
      return send.call(this, to, bytes);
    });
    const voting = await isolated(6);
    const { swarm } = voting;
    flashOf = (name) => swarm.boards.find((board) => board.name === name)!.flash;
    for (const board of swarm.boards) board.reading = 90;
    swarm.noise = { loss: 0.1, repeat: 0.1, slow: 0.2, slowMsMax: 500 };
    await voting.run(60_000);
    for (const count of Object.values(said)) expect(count).toBeGreaterThan(1);
  });

  it("survives the power, whichever byte of it is written last", async () => {
    let cuts = 0;
    // Every byte is for the store's own test; here is what a whole group makes of it.
    for (let bytes = 8; cuts >= 0; bytes += 40) {
      const voting = await isolated(7);
      const { swarm } = voting;
      const victim = swarm.boards[cuts % 3]!;
      const { boots } = victim;
      for (const board of swarm.boards) board.reading = 90;
      victim.powerOffAfter(bytes);
      await voting.run(25_000);
      // It may have lost its power just now.
      if (!victim.isOn) await voting.run(40_000);
      expect(outputsOf(voting, "horn"), `cut at ${bytes}`).toEqual([1, 1, 1]);
      if (victim.boots === boots) break;
      cuts++;
    }
    expect(cuts).toBeGreaterThan(10);
  }, 60_000);
});

/** Whether a board that loses its power now would still know what it says here. */
function isDurable(message: PaxosMessage, board: string, flash: FlashModel): boolean {
  const store = new BoardStore(flash, { swarm: "garden", board }, randomFrom(1), sha256);
  const kept = memberFromBytes(store.own(RecordKind.registers)!)!;
  const acceptor = kept.acceptor!;
  switch (message.kind) {
    case "prepare":
    case "promise":
      return acceptor.promised(message.register) >= message.ballot;
    case "accept":
    case "accepted":
      return acceptor.accepted()[message.register]!.ballot >= message.ballot;
    case "decided":
      // Others need not keep what they heard: they hear it again.
      return (
        message.state.by !== board || kept.untold.some(({ state }) => isDeepStrictEqual(state, message.state))
      );
  }
  return true;
}
