import fc from "fast-check";
import { expect, test } from "vitest";
import { BoardClock } from "../../../../host-tools/leader/boards/board-clock.ts";

const startMs = 1_700_000_000_000;

test("a delayed message does not move its readings forward by its delay", () => {
  const clock = new BoardClock();
  clock.hear(0, startMs + 2);
  clock.hear(1_000, startMs + 1_000 + 700);
  expect(clock.at(1_000)).toBeLessThan(startMs + 1_000 + 20);
});

test("the first message places the board's time, later ones that travelled faster correct it at once", () => {
  const clock = new BoardClock();
  clock.hear(500, startMs + 80);
  expect(clock.at(500)).toBe(startMs + 80);
  clock.hear(600, startMs + 101);
  expect(clock.at(600)).toBe(startMs + 101);
});

test("a slow clock is followed", () => {
  const clock = new BoardClock();
  // The board counts 998 ms of every 1,000.
  for (let second = 0; second <= 600; second++) clock.hear(second * 998, startMs + second * 1_000);
  expect(Math.abs(clock.at(600 * 998) - (startMs + 600_000))).toBeLessThan(2);
});

test("a reading is never placed after its message arrived", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5_000), fc.nat(3_000)), { minLength: 1 }), (messages) => {
      const clock = new BoardClock();
      let boardMs = 0;
      let receivedMs = startMs;
      for (const [gapMs, delayMs] of messages) {
        boardMs += gapMs;
        receivedMs = Math.max(receivedMs, startMs + boardMs + delayMs);
        clock.hear(boardMs, receivedMs);
        expect(clock.at(boardMs)).toBeLessThanOrEqual(receivedMs);
      }
    }),
  );
});
