/** A timed action at a board that loses its power about the start; it knows no time until a host has told it. */
import { describe, expect, test } from "vitest";
import type { Action, OutputValue } from "../../../protocols/two-phase-commit/action.ts";
import { packNames } from "../../../protocols/two-phase-commit/names.ts";
import { Participant } from "../../../protocols/two-phase-commit/participant.ts";
import { promisesFromBytes } from "../../../protocols/two-phase-commit/promises.ts";

const slot = 3;
const startMs = 10_000;
const begun: Action = {
  ...{ id: 7, name: "open-valves", phase: "begun", reason: "", deadlineMs: 5_000, startMs },
  ...{ boards: packNames(["north", "south"]), set: [{ output: "valve", value: 1 }], require: [] },
  ...{ forMs: 0, safetyMs: 0, isEnded: false, givenUp: [] },
};
const committed: Action = { ...begun, phase: "committed" };

/** One board; its own milliseconds are the wall's, once it knows them. */
class Board {
  participant: Participant;
  knowsTime = true;
  held: readonly OutputValue[] = [];
  /** The power fails once it has kept something. */
  failsOnceKept = false;
  #kept: Uint8Array | undefined;

  constructor() {
    this.participant = this.#started(0);
  }

  /** Off and on again. */
  restart(nowMs: number): void {
    this.held = [];
    this.failsOnceKept = false;
    this.knowsTime = false;
    this.participant = this.#started(nowMs);
    this.participant.onSlot(slot, committed, nowMs);
  }

  /** What it tells of the action in this turn; undefined for nothing new. */
  told(nowMs: number): string | undefined {
    return this.participant.run(nowMs) ? this.participant.reports()[0]!.stage : undefined;
  }

  #started(nowMs: number): Participant {
    const ports = {
      wallMs: (ms: number) => (this.knowsTime ? ms : NaN),
      boundMs: () => (this.knowsTime ? 5 : Infinity),
      obstacle: () => undefined,
      keep: (bytes: Uint8Array) => {
        this.#kept = bytes;
        if (this.failsOnceKept) throw new PowerCut();
        return true;
      },
      canHold: () => true,
      hold: (set: readonly OutputValue[]) => {
        this.held = set;
      },
      holdSafe: () => {},
      release: () => {},
    };
    const kept = this.#kept && promisesFromBytes(this.#kept);
    return new Participant("north", ports, kept ?? [], nowMs);
  }
}

class PowerCut extends Error {}

function armed(): Board {
  const board = new Board();
  board.participant.onSlot(slot, begun, 1_000);
  expect(board.told(1_000)).toBe("yes");
  board.participant.onSlot(slot, committed, 2_000);
  expect(board.told(2_000)).toBe("armed");
  expect(board.participant.dueMs(2_000)).toBe(startMs);
  return board;
}

describe("a board that loses its power before the start of an action", () => {
  test("and is back before it: it says that it will act at its time once it knows the time, and does", () => {
    const board = armed();
    board.restart(8_000);
    expect(board.told(8_000)).toBe("yes");
    expect(board.participant.dueMs(8_000)).toBe(Infinity);
    board.knowsTime = true;
    expect(board.told(8_100)).toBe("armed");
    expect(board.participant.dueMs(8_100)).toBe(startMs);
    expect(board.told(startMs - 1)).toBe(undefined);
    expect(board.held).toEqual([]);
    expect(board.told(startMs)).toBe("acted");
    expect(board.held).toEqual(begun.set);
  });

  test("and is back after it: it never says that it will act at its time, and acts as soon as it knows the time", () => {
    const board = armed();
    board.restart(10_600);
    expect(board.told(10_600)).toBe("yes");
    expect(board.held).toEqual([]);
    board.knowsTime = true;
    expect(board.told(10_700)).toBe("acted");
    expect(board.participant.reports()[0]!.wallMs).toBe(10_700);
    expect(board.held).toEqual(begun.set);
  });
});

test("a board whose power fails between its note that it acted and its outputs holds them when it is back, and tells the time of the note", () => {
  const board = armed();
  board.failsOnceKept = true;
  expect(() => board.participant.run(startMs)).toThrow(PowerCut);
  expect(board.held).toEqual([]);
  board.restart(10_600);
  expect(board.held).toEqual(begun.set);
  expect(board.told(10_600)).toBe("acted");
  expect(board.participant.reports()[0]!.wallMs).toBe(startMs);
});
