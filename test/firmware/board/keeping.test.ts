/** A whole board that keeps blocks for others, asked by its leader's host over the wire. */
import { describe, expect, test } from "vitest";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { type KeepRequest, keepRequestToWire } from "../../../protocols/keeping/messages.ts";
import { blockAt } from "../keeping/ring-model.ts";
import { FlashModel } from "../storage/flash-model.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { SimulatedBoard } from "./simulated-board.ts";
import { program, programBytes } from "./surroundings.ts";

function keeperBoard(keeping = FlashModel.blank(8, 4096)): SimulatedBoard {
  const board = new SimulatedBoard(new LeaderOnTheWire(), FlashModel.blank(16, 4096), 0, {}, keeping);
  board.run(1_000);
  return board;
}

function ask(board: SimulatedBoard, request: KeepRequest) {
  askAny(board, keepRequestToWire(request));
  return board.leader.kept.at(-1);
}

function askAny(board: SimulatedBoard, value: CborValue): void {
  board.leader.sendPayload("keep", encodeCbor(value));
  board.run(50);
}

const series = "south-1/temperature";

describe("a board that is asked to keep blocks", () => {
  test("keeps them, and gives them back after a power cut", () => {
    const board = keeperBoard();
    ask(board, { kind: "put", id: 4, blocks: [blockAt(1)] });
    expect(ask(board, { kind: "put", id: 5, blocks: [blockAt(2), blockAt(3)] })).toMatchObject({
      ...{ kind: "stored", id: 5, sectors: [1, 1] },
      ring: { oldest: 1, newest: 1, sectors: 8 },
    });
    const after = board.reboot();
    after.run(1_000);
    expect(ask(after, { kind: "read", id: 6, cursor: 0, series, from: 3, to: 9 })).toMatchObject({
      ...{ kind: "blocks", id: 6, next: undefined },
      blocks: [blockAt(3)],
    });
    expect(ask(after, { kind: "list", id: 7, cursor: 0 })).toMatchObject({
      runs: [{ series, sector: 1, first: 1, last: 3 }],
    });
    expect(after.board.board!.linkState).toBe("joined");
  });

  test("that has lost its memory is somebody new, and keeps nothing", () => {
    const board = keeperBoard();
    const before = ask(board, { kind: "put", id: 1, blocks: [blockAt(1)] });
    board.board.powerOff();
    board.leader.cut();
    const blank = FlashModel.blank(16, 4096);
    const { leader, nowMs, keeping } = board;
    const after = new SimulatedBoard(leader, blank, nowMs, {}, keeping!.reboot());
    after.run(1_000);
    const answer = ask(after, { kind: "list", id: 2, cursor: 0 });
    expect(answer).toMatchObject({ kind: "held", runs: [], next: undefined });
    if (answer?.kind !== "held" || before?.kind !== "stored") throw new Error("no answer");
    expect(answer.ring.name).not.toBe(before.ring.name);
    expect(answer.ring.oldest).toBe(2);
  });

  test("has nothing of it in its heap until it is asked, and long after", () => {
    const keeping = FlashModel.blank(8, 4096);
    const board = keeperBoard(keeping);
    expect(keeping.reads).toBe(0);
    ask(board, { kind: "put", id: 1, blocks: [blockAt(1)] });
    expect(board.logged("keeping")).toHaveLength(1);
    const { reads } = keeping;
    ask(board, { kind: "put", id: 2, blocks: [blockAt(2)] });
    // Where its ring ends it knows by now: a look at the sector, the write read back.
    expect(keeping.reads - reads).toBeLessThan(8);
    board.run(11 * 60_000);
    ask(board, { kind: "put", id: 3, blocks: [blockAt(3)] });
    expect(board.logged("keeping")).toHaveLength(2);
    expect(ask(board, { kind: "read", id: 4, cursor: 0, series, from: 2, to: 9 })).toMatchObject({
      blocks: [blockAt(2), blockAt(3)],
    });
  });

  test("without room for it says so", () => {
    const none = new SimulatedBoard();
    none.run(1_000);
    expect(ask(none, { kind: "list", id: 9, cursor: 0 })).toEqual({
      ...{ kind: "refused", id: 9, reason: "no-room" },
    });
  });

  test("that sleeps says so", () => {
    const board = keeperBoard();
    const sleep = { everyMs: 60_000, awakeMs: 10_000 };
    board.leader.put("program/north-1", programBytes({ ...program, sleep }));
    board.run(500);
    expect(ask(board, { kind: "put", id: 9, blocks: [blockAt(1)] })).toEqual({
      ...{ kind: "refused", id: 9, reason: "sleeps" },
    });
  });

  test("whose flash for it fails says so, goes on, and keeps again when it works again", () => {
    const keeping = FlashModel.blank(8, 4096);
    const board = keeperBoard(keeping);
    ask(board, { kind: "put", id: 1, blocks: [blockAt(1)] });
    keeping.power = 100;
    expect(ask(board, { kind: "put", id: 2, blocks: [blockAt(7)] })).toMatchObject({ reason: "flash" });
    expect(board.restarts).toEqual([]);
    expect(board.logged("keeping-failed")).toHaveLength(1);
    keeping.power = Infinity;
    expect(ask(board, { kind: "put", id: 3, blocks: [blockAt(7)] })).toMatchObject({ sectors: [2] });
    expect(ask(board, { kind: "read", id: 4, cursor: 0, series, from: 1, to: 9 })).toMatchObject({
      blocks: [blockAt(1), blockAt(7)],
    });
  });

  test("drops who asks nonsense", () => {
    const board = keeperBoard();
    askAny(board, [1, 0, 1, []]);
    expect(board.leader.kept).toEqual([]);
    expect(board.lines.filter((line) => line.includes("garbage"))).toHaveLength(1);
  });
});
