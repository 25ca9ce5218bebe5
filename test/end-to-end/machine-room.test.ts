/** Models from the CLI's file to what boards say: `covey sim` of the machine room, in the engine. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readModelFile } from "../../host-tools/trainer/model-file.ts";
import { RunningSwarm, repository, runCovey, temporaryFolder } from "./running-swarm.ts";

const { folder, remove } = temporaryFolder();
const room = join(repository, "examples/machine-room");
let swarm: RunningSwarm;

beforeAll(async () => {
  swarm = await RunningSwarm.start(folder, [], join(room, "swarm.ts"));
}, 180_000);

afterAll(async () => {
  await swarm?.end();
  remove();
});

it("the lamp goes on once the model sees the machine stand still", { timeout: 240_000 }, async () => {
  await swarm.until(
    "every model tells something",
    ({ boards }) =>
      ["machine.stopped", "temperature.unusual", "memory.unexplained"].every((metric) =>
        boards.some(({ readings }) => readings.some((reading) => reading.metric === metric)),
      ),
    150_000,
  );
  const status = await swarm.until(
    "the lamp on by its rule",
    ({ boards }) =>
      boards.some(({ outputs }) => outputs.some(({ value, cause }) => value === 1 && cause === "rule")),
    120_000,
  );
  const press = status.boards.find(({ id }) => id === "press")!;
  expect(press.readings.find(({ metric }) => metric === "machine.stopped")!.value).toBeGreaterThan(0.5);
});

it("each row's reading is what this computer says of the same row", { timeout: 60_000 }, async () => {
  const { code, stdout } = await runCovey(["export", "--json"], folder);
  expect(code).toBe(0);
  const readings: { board: string; metric: string; value: number; atMs: number }[] = JSON.parse(stdout);
  const { model, features } = readModelFile(join(room, "machine.cvm"));
  const rows = new Map<number, Map<string, number>>();
  for (const { board, metric, value, atMs } of readings) {
    if (board !== "press") continue;
    if (!rows.has(atMs)) rows.set(atMs, new Map());
    rows.get(atMs)!.set(metric, value);
  }
  const whole = [...rows.values()].filter((row) => row.size === features.length + 1);
  expect(whole.length).toBeGreaterThan(15);
  const shares = whole.map((row) => {
    model.decide(Float64Array.from(features, (feature) => row.get(feature)!));
    return model.score(1);
  });
  expect(whole.map((row) => row.get("machine.stopped"))).toEqual(shares);
  expect(Math.min(...shares)).toBeLessThan(0.5);
  expect(Math.max(...shares)).toBeGreaterThan(0.5);
});
