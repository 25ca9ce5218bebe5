import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { swarmSensors } from "../../../host-tools/simulator/sensors/board-sensors.ts";
import { SystemSensors } from "../../../host-tools/simulator/sensors/system-sensors.ts";
import type { ReplayDefinition, SwarmDefinition } from "../../../host-tools/swarm-file/definition.ts";

let folder: string;
let nowMs = 0;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "covey-sensors-"));
  nowMs = 0;
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

function recording(name: string, ...values: number[]): string {
  const file = join(folder, name);
  fs.writeFileSync(file, values.map((value, i) => `${i},${value}`).join("\n"));
  return file;
}

/** A swarm in which each board senses the same, and replays what is given. */
function swarm(
  boards: Record<string, Record<string, ReplayDefinition>>,
  sensed: readonly string[] = ["temperature", "humidity"],
): SwarmDefinition {
  const pipelines = sensed.map((sensor) => {
    return { metric: sensor, sensor, everyMs: 1000, stages: [] };
  });
  const program = { pipelines, outputs: [], rules: [] };
  const entries = Object.entries(boards).map(([name, simulate]) => {
    return [name, { model: "esp32c3-devkit", program, units: {}, simulate }] as const;
  });
  const rest = { file: join(folder, "swarm.ts"), hosts: ["main"], voters: [], settings: {} };
  return { ...rest, name: "garden", boards: Object.fromEntries(entries) };
}

const asWritten = { file: undefined, speed: undefined };
const sensors = (definition: SwarmDefinition, override: { file?: string; speed?: number } = {}) =>
  swarmSensors(definition, { ...asWritten, ...override }, new SystemSensors(), () => nowMs);

describe("what feeds the sensors of a simulated swarm", () => {
  it("is a recording where the swarm file names one, in the sensor's unit, and else this computer or nothing", () => {
    const file = recording("warm.csv", 50, 68);
    const { boards, replays } = sensors(swarm({ a: { temperature: { file, speed: 1, unit: "°F" } }, b: {} }));
    expect(boards.get("a")!.get("temperature")!.read()).toBeCloseTo(10);
    nowMs = 1000;
    expect(boards.get("a")!.get("temperature")!.read()).toBeCloseTo(20);
    expect(boards.get("b")!.get("temperature")!.read()).toBeNaN();
    expect(boards.get("a")!.has("humidity")).toBe(false);
    expect(replays.map(({ board, sensor }) => [board, sensor])).toEqual([["a", "temperature"]]);
  });

  it("is, with --replay, that recording for all that replay one, and with --speed its pace", () => {
    const planned = recording("planned.csv", 1, 1, 1, 1);
    const instead = recording("instead.csv", 5, 6, 7, 8);
    const definition = swarm({ a: { humidity: { file: planned, speed: 1, unit: "%" } }, b: {} });
    const { boards } = sensors(definition, { file: instead, speed: 2 });
    nowMs = 1000;
    expect(boards.get("a")!.get("humidity")!.read()).toBe(7);
    expect(boards.get("b")!.has("humidity")).toBe(false);
  });

  it("is, with --replay where nothing is replayed, that recording for every temperature", () => {
    const { boards } = sensors(swarm({ a: {}, b: {} }), { file: recording("instead.csv", 21, 22) });
    expect(["a", "b"].map((name) => boards.get(name)!.get("temperature")!.read())).toEqual([21, 21]);
    expect(boards.get("a")!.has("humidity")).toBe(false);
  });

  it("is a recording of pressure in whatever unit, and of carbon dioxide", () => {
    const inPascal = recording("pressure.csv", 101_325, 98_000);
    const ppm = recording("co2.csv", 420, 900);
    const definition = swarm(
      {
        a: {
          pressure: { file: inPascal, speed: 1, unit: "Pa" },
          co2: { file: ppm, speed: 1, unit: "ppm" },
        },
      },
      ["pressure", "co2"],
    );
    const { boards } = sensors(definition);
    expect(boards.get("a")!.get("pressure")!.read()).toBeCloseTo(1013.25);
    expect(boards.get("a")!.get("co2")!.read()).toBe(420);
    nowMs = 1000;
    expect(boards.get("a")!.get("pressure")!.read()).toBeCloseTo(980);
    expect(boards.get("a")!.get("co2")!.read()).toBe(900);
  });

  it("is refused when the recording measures something else", () => {
    const file = recording("wrong.csv", 1, 2);
    const definition = swarm({ a: { temperature: { file, speed: 1, unit: "hPa" } } });
    expect(() => sensors(definition)).toThrow(
      `${file}: this series cannot be replayed: hPa measures pressure`,
    );
  });
});
