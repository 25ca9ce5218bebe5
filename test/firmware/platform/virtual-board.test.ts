import { describe, expect, test } from "vitest";
import { arrivalsMax, VirtualBoard } from "../../../firmware/platform/virtual/virtual-board.ts";
import { LeaderOnTheWire } from "../board/leader-on-the-wire.ts";
import { SimulatedBoard } from "../board/simulated-board.ts";
import { program, programBytes, SimulatedSurroundings } from "../board/surroundings.ts";

describe("a board in process", () => {
  test("does nothing but in its turns", () => {
    const here = new SimulatedSurroundings();
    let calls = 0;
    const board = new VirtualBoard(here.world, () => calls++);
    expect(board.nextDeadlineMs).toBe(-Infinity);
    expect(here.lines).toEqual([]);
    board.turn(0);
    // The connection opened within the turn; what that brings is for the next.
    expect(calls).toBeGreaterThan(0);
    expect(here.leader.connects).toBe(1);
    expect([board.board!.linkState, board.nextDeadlineMs]).toEqual(["connecting", -Infinity]);
    board.turn(0);
    expect(board.board!.linkState).toBe("joining");
  });

  test("does nothing any more once its power is gone, whatever its world brings", () => {
    const it = new SimulatedBoard();
    it.run(1000);
    const { lines } = it;
    const said = lines.length;
    it.board.powerOff();
    it.leader.cut();
    it.leader.setNetwork(false);
    expect(it.board.turn(it.nowMs)).toBe(Infinity);
    expect(lines).toHaveLength(said);
  });

  test("refuses more arrivals than may wait, and a clock that goes back", () => {
    const here = new SimulatedSurroundings();
    const board = new VirtualBoard(here.world, () => {});
    board.turn(10);
    expect(() => board.turn(9)).toThrow("Time went back");
    const flood = () => {
      for (let i = 0; i <= arrivalsMax; i++) here.leader.setNetwork(true);
    };
    expect(flood).toThrow(RangeError);
  });

  test("does the same again, byte for byte, with the same turns", () => {
    const run = () => {
      const it = new SimulatedBoard(new LeaderOnTheWire());
      it.run(300);
      it.leader.put("program/north-1", programBytes(program));
      it.leader.put("fan.duty", 40);
      it.run(20_000);
      it.leader.cut();
      it.run(10_000);
      const { raft, reports, healths } = it.leader;
      return { raft, reports, healths, lines: it.lines, pins: it.pins, flash: it.flash.bytes };
    };
    expect(run()).toEqual(run());
  });
});
