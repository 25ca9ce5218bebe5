import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SessionClock, sessionClockLimits } from "../../../protocols/time/session-clock.ts";

const epochMs = 1_770_000_000_000;

/** True time in exact milliseconds, and a board's clock that counts it wrongly and in whole milliseconds. */
class DriftingBoard {
  readonly clock = new SessionClock();
  trueMs: number;
  readonly #bootMs: number;
  readonly #rate: number;

  constructor(bootMs: number, ppm: number) {
    this.trueMs = bootMs;
    this.#bootMs = bootMs;
    this.#rate = 1 + ppm * 1e-6;
  }

  get ownMs(): number {
    return Math.floor((this.trueMs - this.#bootMs) * this.#rate);
  }

  /** A message up, an answer down, each with a delay of its own. */
  exchange(upMs: number, downMs: number, leaderAheadMs = 0): boolean {
    const askedMs = this.ownMs;
    this.clock.ask(askedMs);
    this.trueMs += upMs;
    const toldMs = Math.floor(this.trueMs + leaderAheadMs);
    this.trueMs += downMs;
    return this.clock.answer(askedMs, toldMs, this.ownMs);
  }

  get errorMs(): number {
    return Math.abs(this.clock.wallMs(this.ownMs) - this.trueMs);
  }

  get boundMs(): number {
    return this.clock.boundMs(this.ownMs);
  }
}

const exact = (max: number) => fc.double({ min: 0, max, noNaN: true });
const ppm = fc.double({ min: -450, max: 450, noNaN: true });
/** Delays that leave a bound of little more than the clocks' own milliseconds, and any others. */
const delay = fc.oneof(fc.constant(0), exact(2), exact(4_000));
const pause = fc.oneof(exact(3), exact(600_000));
const exchanges = fc.array(fc.record({ pauseMs: pause, upMs: delay, downMs: delay }), {
  minLength: 1,
  maxLength: 40,
});

describe("the true time", () => {
  test("is within the bound, whatever the delays and the drift, at and between answers", () => {
    fc.assert(
      fc.property(exact(1000), ppm, exchanges, (phase, drift, steps) => {
        const board = new DriftingBoard(epochMs + phase, drift);
        for (const { pauseMs, upMs, downMs } of steps) {
          board.exchange(upMs, downMs);
          expect(board.errorMs).toBeLessThanOrEqual(board.boundMs);
          for (let part = 0; part < 5; part++) {
            board.trueMs += pauseMs / 5;
            expect(board.errorMs).toBeLessThanOrEqual(board.boundMs);
          }
        }
        expect(board.clock.settings).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test("is within the bound again with the first answer after the leader's clock was set", () => {
    fc.assert(
      fc.property(
        ppm,
        exchanges,
        fc.integer({ min: 20_000, max: 1e9 }),
        fc.boolean(),
        (drift, steps, byMs, back) => {
          const board = new DriftingBoard(epochMs, drift);
          for (const { pauseMs, upMs, downMs } of steps) {
            board.exchange(upMs, downMs);
            board.trueMs += pauseMs;
          }
          const aheadMs = back ? -byMs : byMs;
          board.exchange(10, 10, aheadMs);
          const wallMs = board.clock.wallMs(board.ownMs);
          expect(Math.abs(wallMs - (board.trueMs + aheadMs))).toBeLessThanOrEqual(board.boundMs);
          expect(board.clock.settings).toBe(1);
        },
      ),
    );
  });
});

test("what is shown never goes back, and never stands, while the leader's clock is not set", () => {
  fc.assert(
    fc.property(ppm, exchanges, (drift, steps) => {
      const board = new DriftingBoard(epochMs, drift);
      board.exchange(1, 1);
      let ownMs = board.ownMs;
      let shownMs = board.clock.wallMs(ownMs);
      const look = () => {
        const nowShownMs = board.clock.wallMs(board.ownMs);
        expect(nowShownMs - shownMs).toBeGreaterThanOrEqual(Math.floor((board.ownMs - ownMs) / 2) - 1);
        expect(nowShownMs).toBeGreaterThanOrEqual(shownMs);
        ownMs = board.ownMs;
        shownMs = nowShownMs;
      };
      for (const { pauseMs, upMs, downMs } of steps) {
        // Slow answers after long pauses: the estimate moves both ways, by less than `backMsMax`.
        board.trueMs += pauseMs;
        look();
        board.exchange(upMs / 5, downMs / 5);
        look();
      }
    }),
    { numRuns: 300 },
  );
});

test("one fast answer serves on: slow ones after it leave the bound small", () => {
  const board = new DriftingBoard(epochMs, 30);
  board.exchange(2, 2);
  expect(board.boundMs).toBeLessThanOrEqual(6);
  for (let minute = 0; minute < 10; minute++) {
    board.trueMs += 60_000;
    board.exchange(900, 5);
  }
  // A slow answer alone would leave 453, the fast one alone, ten minutes old, 300; together they leave some half of it.
  expect(board.boundMs).toBeLessThan(170);
});

describe("nothing is known", () => {
  test("before the first answer", () => {
    const clock = new SessionClock();
    expect(clock.isKnown).toBe(false);
    expect(clock.wallMs(5)).toBeNaN();
    expect(clock.boundMs(5)).toBe(Infinity);
  });

  test.each([
    ["to what was not asked", 6, 20],
    ["from before it was asked", 5, 4],
    ["after too long", 5, 5 + sessionClockLimits.roundTripMsMax + 1],
  ])("by an answer %s", (_, askedMs, nowMs) => {
    const clock = new SessionClock();
    clock.ask(5);
    expect(clock.answer(askedMs, epochMs, nowMs)).toBe(false);
    expect(clock.isKnown).toBe(false);
  });

  test("by the same answer again", () => {
    const clock = new SessionClock();
    clock.ask(5);
    expect(clock.answer(5, epochMs, 9)).toBe(true);
    expect(clock.answer(5, epochMs, 2000)).toBe(false);
    expect(clock.wallMs(1009)).toBeGreaterThan(epochMs + 900);
  });
});

test("a clock ahead by more than a second is set back, one ahead by less runs slower until it is right", () => {
  const far = new SessionClock();
  far.take(0, epochMs + 5000, epochMs + 5000, 0, 2);
  far.take(1000, epochMs + 1000, epochMs + 1000, 0, 1002);
  expect(Math.abs(far.wallMs(1002) - (epochMs + 1001))).toBeLessThanOrEqual(2);
  const near = new SessionClock();
  near.take(0, epochMs + 500, epochMs + 500, 0, 2);
  near.take(1000, epochMs + 1000, epochMs + 1000, 0, 1002);
  expect(near.wallMs(1002)).toBeGreaterThan(epochMs + 1490);
  expect(near.boundMs(1002)).toBeGreaterThan(490);
  expect(Math.abs(near.wallMs(2102) - (epochMs + 2101))).toBeLessThanOrEqual(2);
});
