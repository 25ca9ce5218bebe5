import { expect, test } from "vitest";
import type { BoardStatus } from "../../../../host-tools/leader/api/types/status.ts";

// The page's own types are checked by its own tsconfig.json, with a browser's library.
const source = new URL("../../../../host-tools/leader/page/board-states.js", import.meta.url);
const { DueIndex, matches, stateOf } = await import(source.href);

const board = {
  id: "north-1",
  model: "esp32c3-devkit",
  role: "learner",
  link: "up",
  appliedIndex: 10,
  arenaBytes: 94_208,
  heapPeakBytes: 50_000,
  lastSeenMs: 1,
} as unknown as BoardStatus;

test("the worst that is to be said of a board is said", () => {
  expect(stateOf(board, 10)).toBe("fine");
  expect(stateOf({ ...board, heapPeakBytes: 71_000 }, 10)).toBe("memory");
  expect(stateOf({ ...board, heapPeakBytes: 71_000 }, 11)).toBe("behind");
  expect(stateOf({ ...board, link: "down" }, 11)).toBe("down");
  expect(stateOf({ ...board, arenaBytes: 0, heapPeakBytes: 0 }, 10)).toBe("fine");
});

test("each word that is looked for has to be in what a row says", () => {
  expect(matches(board, "fine", "")).toBe(true);
  expect(matches(board, "fine", "NORTH learner")).toBe(true);
  expect(matches(board, "fine", "north voter")).toBe(false);
  expect(matches({ ...board, link: "down" }, "down", "gone")).toBe(true);
  expect(matches({ ...board, link: "down", lastSeenMs: undefined }, "down", "never")).toBe(true);
});

test("a board is behind when it lacks what was committed long enough ago", () => {
  const due = new DueIndex(5_000);
  expect(due.note(10, 0)).toBe(10);
  expect(due.note(12, 1_000)).toBe(10);
  expect(due.note(13, 5_900)).toBe(10);
  expect(due.note(13, 6_000)).toBe(12);
  // Another leader may have committed less.
  expect(due.note(11, 6_100)).toBe(11);
});
