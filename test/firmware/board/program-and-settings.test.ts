/** Settings and a program that are committed together: what the board is told at once after a time alone. */
import { expect, test } from "vitest";
import { SimulatedBoard } from "./simulated-board.ts";
import { program, programBytes } from "./surroundings.ts";

test("a program that comes with settings begins with the last of them, and no pin goes back", () => {
  const here = new SimulatedBoard();
  here.run(500);
  here.leader.cut();
  here.leader.put("program/north-1", programBytes(program));
  for (const duty of [20, 30, 40]) here.leader.put("fan.duty", duty);
  here.run(2000);
  expect(here.pins).toEqual(["configure fan 10", "write fan 40"]);
  here.leader.put("fan.duty", 50);
  here.run(1000);
  expect(here.pins.at(-1)).toBe("write fan 50");
});
