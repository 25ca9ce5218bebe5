/**
 * Actions in the full simulation: whole boards and hosts under cut links, power cuts at any byte, boards that are off for seconds, hosts that are killed; some actions at once, some at
 * a time. In seed 112 what a board said last before its power failed arrives after it. Engine: in process.
 */
import { describe, expect, it } from "vitest";
import { unpackNames } from "../../../protocols/two-phase-commit/names.ts";
import { Ordeal, type OrdealResult } from "./ordeal.ts";

const timeout = 60_000;

describe("actions over five boards, power cuts, cut links and killed hosts", () => {
  it.each([
    [["host"], [1, 2, 3, 4, 112]],
    [
      ["east", "west"],
      [5, 6, 7, 8],
    ],
  ] as const)(
    "all or none, each at its time, and everything ends: hosts %j, seeds %j",
    { timeout },
    (hosts, seeds) => {
      const sums = { committed: 0, late: 0, punctual: 0, heuristic: 0, givenUp: 0 };
      for (const seed of seeds) {
        const result = new Ordeal(seed, hosts).run();
        expectAllOrNone(result);
        expectOnTime(result, sums);
        expectSafe(result, sums);
        expectNothingLate(result, sums);
        sums.committed += [...result.decisions.values()].filter((phase) => phase === "committed").length;
      }
      expect(sums.committed).toBeGreaterThan(20);
      expect(sums.punctual).toBeGreaterThan(10);
      expect(sums.heuristic).toBeGreaterThan(0);
      expect(sums.givenUp).toBeGreaterThan(2);
    },
  );
});

function expectAllOrNone({ decisions, begun, astray, deeds, isDone }: OrdealResult): void {
  expect(isDone).toBe(true);
  for (const [id, action] of begun) {
    const boards = unpackNames(action.boards);
    const who = boards.filter((board) => deeds.get(`${board} ${id}`)?.actedMs !== undefined);
    if (decisions.get(id) !== "committed") expect({ id, who }).toEqual({ id, who: [] });
    // A limited action may have had its time while the board was off.
    else if (action.forMs === 0) {
      const bound = boards.filter((board) => !astray.has(`${board} ${id}`));
      expect({ id, missing: bound.filter((board) => !who.includes(board)) }).toEqual({ id, missing: [] });
    }
  }
}

/** A turn takes no time in this world; a millisecond is lost by rounding here and there. */
const roundingMs = 3;

/**
 * Nobody acts before the start, as well as it knows the time; who was there and waited for it acts at it. Nobody acts before the time that it tells, nor after it, but for one whose
 * power failed between its note that it acted and the pin.
 */
function expectOnTime({ begun, deeds }: OrdealResult, sums: { punctual: number; late: number }): void {
  for (const [key, { actedMs, hasWaited, wallMs, boundMs = 0 }] of deeds) {
    const startMs = begun.get(Number(key.split(" ")[1]))?.startMs;
    if (actedMs === undefined) continue;
    if (wallMs === undefined) continue;
    expectWithin(key, wallMs - actedMs, boundMs);
    if (startMs === undefined) continue;
    expectWithin(key, startMs - actedMs, boundMs);
    if (hasWaited !== true) sums.late++;
    else {
      sums.punctual++;
      expectWithin(key, actedMs - startMs, boundMs);
      expectWithin(key, actedMs - wallMs, boundMs);
    }
  }
}

function expectWithin(key: string, ms: number, mostMs: number): void {
  expect({ key, beyondMs: Math.max(0, ms - mostMs - roundingMs) }).toEqual({ key, beyondMs: 0 });
}

/** Nobody acts when its safety time has long passed since it promised, however often and however long it was off: it has gone to its safe values instead. */
function expectSafe({ begun, astray, deeds }: OrdealResult, sums: { heuristic: number }): void {
  sums.heuristic += astray.size;
  for (const [key, { wallMs, promisedWallMs, boundMs = 0 }] of deeds) {
    const action = begun.get(Number(key.split(" ")[1]));
    if (wallMs === undefined || promisedWallMs === undefined || action === undefined) continue;
    if (action.safetyMs === 0 || action.startMs !== undefined) continue;
    expectWithin(key, wallMs - promisedWallMs, action.safetyMs + 2 * boundMs);
  }
}

/** Who was given up acts no more, whatever it had promised; and the log ends up with what it did. */
function expectNothingLate({ deeds, astray }: OrdealResult, sums: { givenUp: number }): void {
  for (const [key, { actedMs, givenUpMs }] of deeds) {
    if (givenUpMs === undefined) continue;
    sums.givenUp++;
    if (actedMs === undefined) continue;
    expect({ key, isLate: actedMs > givenUpMs }).toEqual({ key, isLate: false });
    expect({ key, isAstray: astray.has(key) }).toEqual({ key, isAstray: false });
  }
}
