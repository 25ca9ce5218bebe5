/** A board that votes restarts into its new firmware when the swarm gives it the turn, and not before. */
import { describe, expect, test } from "vitest";
import { restartLimits } from "../../../firmware/update/restart-turn.ts";
import { ChipModel, imageOf } from "./chip-model.ts";
import { hostWith, publish, Updating } from "./updating.ts";

const { againMs } = restartLimits;
const next = publish(imageOf("next", "good", 8), 1);
const longMs = 3_600_000;

function ready(over: Partial<Pick<Updating, "hasTurn" | "isLeading">>): Updating {
  const board = new Updating(ChipModel.flashed(imageOf("old", "good", 8), 8), [hostWith(next)]);
  board.isVoter = true;
  board.hasTurn = false;
  board.give(next).run(10_000);
  return Object.assign(board, over).run(longMs);
}

describe("a voter whose firmware is ready", () => {
  test("waits for its turn, however long, and takes it as soon as it comes", () => {
    const board = ready({});
    expect([board.lives, board.health.stage, board.health.percent]).toEqual([1, "ready", 100]);
    board.hasTurn = true;
    expect(board.run(longMs + 1).health).toMatchObject({ stage: "steady", sequence: 1 });
  });

  test("does not leave without its leader, turn or not", () => {
    const board = ready({ hasTurn: true, isLeading: false });
    expect(board.lives).toBe(1);
    board.isLeading = true;
    expect(board.run(longMs + againMs).health.stage).toBe("steady");
  });

  test("that votes no more asks nobody", () => {
    const board = ready({});
    board.isVoter = false;
    expect(board.run(longMs + againMs).health.stage).toBe("steady");
  });
});
