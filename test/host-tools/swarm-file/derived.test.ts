/** What is derived from several metrics compiles to, in an order in which each comes behind what it takes. */
import { expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import {
  board,
  correlation,
  groupBy,
  join,
  regression,
  sense,
  swarm,
} from "../../../host-tools/swarm-file/api.ts";
import { compileSwarm } from "../../../host-tools/swarm-file/compile.ts";
import { programFromWire, programToWire } from "../../../protocols/pipeline/program-codec.ts";

const definition = compileSwarm(
  swarm("house", {
    boards: {
      a: board("esp32c3-devkit", {
        sense: [
          sense("temperature", { every: "1s" }),
          sense("humidity", { every: "5s" }),
          sense("pressure", { every: "1s" }).deadband(1),
          sense("cpu.load", { every: "1s" }).hysteresis({ low: 20, high: 40 }).as("busy"),
        ],
        derived: [
          groupBy("heat", {
            of: "temperature",
            by: "busy",
            groups: { idle: 0, working: 1 },
            window: "1h",
            stat: "slope",
          }),
          correlation("coupled", ["dew", "beyond"], { rows: 20, every: 5 }),
          join("spread", "difference", ["temperature", "dew"]),
          join("dew", "dew-point", ["temperature", "humidity"]),
          join("rise", "ratio", ["pressure", "temperature"], { within: "1m" }),
        ],
        models: [regression("beyond", { of: "dew", from: ["temperature"] })],
      }),
    },
  }),
  "/swarm.ts",
  loadBoards(),
);
const { program, units } = definition.boards.a!;

test("each comes behind what it takes, whatever the order that it is written in", () => {
  expect(program.models!.map(({ metric }) => metric)).toEqual([
    "heat.idle",
    "heat.working",
    "dew",
    "spread",
    "rise",
    "beyond",
    "coupled",
  ]);
  expect(programFromWire(programToWire(program))).toEqual(program);
});

test("a row waits for what is steady, and is as old as its slowest metric may be", () => {
  const byName = Object.fromEntries(program.models!.map((use) => [use.metric, use]));
  expect(byName.dew).toMatchObject({ waits: 3, withinMs: 5000 });
  expect(byName.spread).toMatchObject({ waits: 3, withinMs: 5000 });
  expect(byName.rise).toMatchObject({ waits: 2, withinMs: 60_000 });
  expect(byName["heat.idle"]).toMatchObject({ waits: 1, group: 0, lengthMs: 3_600_000, statistic: "slope" });
  expect(byName.coupled).toMatchObject({ features: ["dew", "beyond"], rows: 20, every: 5 });
});

test("units follow from units", () => {
  expect(units).toMatchObject({
    dew: "°C",
    spread: "°C",
    rise: "hPa/°C",
    "heat.working": "°C/s",
    beyond: "°C",
    coupled: "",
  });
});
