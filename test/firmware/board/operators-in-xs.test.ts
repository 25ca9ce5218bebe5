/** Every operator on a board in the real XS engine, beside the same operators on this computer. */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { exampleStages, slowed } from "../sensing/stages/examples.ts";
import { BoardInXs, type XsFirmware, xsFirmware } from "./board-in-xs.ts";
import { runHere } from "./here.ts";
import { programBytes, SimulatedSurroundings } from "./surroundings.ts";

const everyMs = 500;
const lastMs = 40_000;

/** A wave with steps, a few samples of nothing and a time when it hangs. */
function waveAt(nowMs: number): number {
  const step = Math.floor(nowMs / everyMs);
  if (step % 31 === 7) return Number.NaN;
  if (step % 40 > 33) return 4;
  return Math.round(4 * Math.sin(step / 3)) + (step % 17 === 0 ? 9 : 0);
}

let firmware: XsFirmware;
let board: BoardInXs | undefined;

beforeAll(async () => {
  firmware = await xsFirmware();
}, 300_000);

afterEach(() => board?.powerOff());

const third = Math.ceil(exampleStages.length / 3);

describe.each([
  ["the first third of the operators", exampleStages.slice(0, third)],
  ["the second third of the operators", exampleStages.slice(third, 2 * third)],
  ["the last third of the operators", exampleStages.slice(2 * third)],
])("%s", (_, stages) => {
  test("give what they give on this computer, and fit", { timeout: 120_000 }, async () => {
    const pipelines = stages.map((stage, i) => {
      return { metric: `m${i}`, sensor: "wave", everyMs, stages: [slowed(stage, 20)] };
    });
    const program: Program = { pipelines, outputs: [], rules: [] };
    const here = new SimulatedSurroundings();
    here.sensors.get = () => waveAt(here.nowMs);
    const { stackSlots } = loadBoards().get("esp32c3-devkit")!;
    board = new BoardInXs(firmware, here, stackSlots);
    await board.run(500);
    here.leader.put("program/north-1", programBytes(program));
    await board.run(lastMs);
    const readings = here.leader.reports.flatMap((report) => report.readings);
    const first = readings[0]!.takenMs;
    const last = readings.at(-1)!.takenMs;
    const expected = runHere(program, (_, nowMs) => waveAt(nowMs), first, last).readings.filter(
      ({ takenMs }) => takenMs < last,
    );
    const found = readings.filter(({ takenMs }) => takenMs < last);
    expect(found.length).toBeGreaterThan(200);
    expect(found.map(({ metric, takenMs, quality }) => [metric, takenMs, quality])).toEqual(
      expected.map(({ metric, takenMs, quality }) => [metric, takenMs, quality]),
    );
    found.forEach(({ value }, i) => {
      if (Number.isNaN(expected[i]!.value)) expect(value).toBeNaN();
      else expect(value).toBeCloseTo(expected[i]!.value, 9);
    });
    const { peakBytes, stackPeakSlots } = board.figures!;
    if (firmware.host.slotBytes === 16) expect(peakBytes).toBeLessThan(65_536);
    expect(stackPeakSlots).toBeLessThan(stackSlots);
  });
});
