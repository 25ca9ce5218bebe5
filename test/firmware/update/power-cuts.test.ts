/** The power fails at every byte that an update writes, and at every point of every erase: the board always ends on a firmware that works, and says which. */
import { describe, expect, test } from "vitest";
import { type Behaviour, ChipModel, imageOf } from "./chip-model.ts";
import { hostWith, publish, Updating } from "./updating.ts";

const slotSectors = 8;
const old = imageOf("old", "good", 8);
const third = publish(imageOf("third", "good", 12), 3);

/** Of the bytes amid the image, where one cut is like the next, every 61st is tried; all of them take minutes: `COVEY_CUTS=all`. */
const stride = process.env.COVEY_CUTS === "all" ? 1 : 61;

/** A board that was flashed by cable, and has taken its first update over the air. */
function updatedBoard(): ChipModel {
  const board = new Updating(ChipModel.flashed(old, slotSectors), [hostWith(third)]).give(third).run();
  expect(board.health).toMatchObject({ sequence: 3, stage: "steady" });
  return board.chip;
}

/** Takes an update with the power failing at `cuts`, counted from one to the next; gives how much was spent in the end. */
function takeUpdate(before: ChipModel, update: typeof third, cuts: readonly number[]): Updating {
  const chip = before.copy();
  const board = new Updating(chip, [hostWith(update)]).give(update);
  for (const power of cuts) {
    chip.flash.power = power;
    for (let life = 0; life < 10 && chip.flash.power < Infinity; life++) {
      if (board.live() === "quiet") break;
    }
    chip.flash.power = Infinity;
  }
  return board.run();
}

const outcomes: Readonly<Record<Behaviour, object>> = {
  good: { sequence: 4, target: 4, stage: "steady", percent: 100, reason: undefined },
  deaf: { sequence: 3, target: 4, stage: "rolled-back", percent: 0 },
  crash: { sequence: 3, target: 4, stage: "rolled-back", percent: 0 },
};

function check(board: Updating, behaviour: Behaviour): void {
  expect(board.health).toMatchObject(outcomes[behaviour]);
  expect(board.runs!.name).toBe(behaviour === "good" ? "fourth" : "third");
  expect(board.runs!.slot.isOnTrial && behaviour !== "good").toBe(false);
}

describe.each(["good", "deaf", "crash"] as const)("an update to a firmware that is %s", (behaviour) => {
  const before = updatedBoard();
  const fourth = publish(imageOf("fourth", behaviour, 24), 4);

  test("cut at every byte", () => {
    const whole = takeUpdate(before, fourth, []);
    check(whole, behaviour);
    const { spent } = whole.chip.flash;
    expect(spent).toBeGreaterThan(24 * 1024);
    for (let power = 0; power < spent; power++) {
      const isInImage = power > 100 && power < 24 * 1024 - 100;
      if (isInImage && power % stride !== 0) continue;
      check(takeUpdate(before, fourth, [power]), behaviour);
    }
  }, 1_200_000);
});
