import { describe, expect, test } from "vitest";
import { MoveWatch, moveText } from "../../../../host-tools/cli/move/board-move.ts";
import type { BoardStatus } from "../../../../host-tools/leader/api/types/status.ts";

const agreed = { number: 3, index: 50 };
const board = (over: Partial<BoardStatus>) =>
  ({ id: "north-1", link: "up", contact: 2, appliedIndex: 60, role: "learner", ...over }) as BoardStatus;

/** Looks each ten seconds; what is seen last. */
function seen(...looks: readonly Partial<BoardStatus>[]): string[] {
  const watch = new MoveWatch();
  const moves = looks.map((look, i) => watch.look(board(look), agreed, i * 10_000));
  return moves.map((move) => `${move.outcome}: ${moveText(move)}`);
}

describe("a board that", () => {
  test("hears of it, tries it and stays has moved", () => {
    expect(seen({ appliedIndex: 49 }, {}, { link: "down" }, { contact: 3 })).toEqual([
      "pending: hears of it",
      "pending: knows it",
      "pending: tries it",
      "moved: has moved",
    ]);
  });

  test("was gone for as long as a try takes, and is back by its old one, went back", () => {
    const gone = new Array(8).fill({ link: "down" });
    expect(seen({}, ...gone, {}, {}).slice(-2)).toEqual([
      "pending: is back",
      "went-back: went back: it did not reach the swarm by the new one",
    ]);
  });

  test("is back for longer than that, and tells that it has moved, has", () => {
    const gone = new Array(8).fill({ link: "down" });
    expect(seen({}, ...gone, {}, { contact: 3 }).at(-1)).toBe("moved: has moved");
  });

  test("only lost its connection for a moment still has its try before it", () => {
    expect(seen({ role: "voter" }, { role: "voter", link: "down" }, { role: "voter" }).at(-1)).toBe(
      "pending: knows it: voters go one at a time",
    );
  });

  test("was not there is not waited for, and is when it comes", () => {
    expect(seen({ link: "down" }, {}).map((text) => text.split(":")[0])).toEqual(["away", "pending"]);
  });

  test("keeps no contact stays", () => {
    expect(seen({ contact: undefined })[0]).toMatch(/^keeps-none/);
  });
});
