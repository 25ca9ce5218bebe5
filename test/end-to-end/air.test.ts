/** Pressure and carbon dioxide, from a recording through a board in the engine to what the leader has stored. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RunningSwarm, runCovey, temporaryFolder } from "./running-swarm.ts";

const { folder, remove } = temporaryFolder();
let swarm: RunningSwarm;

const swarmFile = `import { board, output, replay, sense, swarm, when } from "covey";
export default swarm("house", {
  voters: ["hall"],
  boards: {
    hall: board("esp32c3-devkit", {
      sense: [sense("pressure", { every: "100ms" }), sense("co2", { every: "100ms" }).mean("300ms")],
      outputs: { vent: output.digital({ pin: 5, safe: false }) },
      rules: [when("co2").above(1000, { hysteresis: 100 }).set("vent", true)],
      simulate: {
        pressure: replay("pascal.csv", { unit: "Pa" }),
        co2: replay("co2.csv"),
      },
    }),
  },
});
`;

beforeAll(async () => {
  writeFileSync(join(folder, "swarm.ts"), swarmFile);
  writeFileSync(join(folder, "pascal.csv"), "0,101325\n60,101325\n");
  writeFileSync(join(folder, "co2.csv"), "0,1250\n60,1250\n");
  swarm = await RunningSwarm.start(folder, [], join(folder, "swarm.ts"));
}, 180_000);

afterAll(async () => {
  await swarm?.end();
  remove();
});

it("arrive in hPa and ppm, and open the vent", { timeout: 180_000 }, async () => {
  const status = await swarm.until(
    "both readings, and the vent open by its rule",
    ({ boards: [hall] }) =>
      hall?.readings.length === 2 && hall.outputs.some(({ value, cause }) => value === 1 && cause === "rule"),
    120_000,
  );
  expect(status.boards[0]!.device!.stackPeakSlots).toBeGreaterThan(100);
  const { code, stdout } = await runCovey(["export", "--json"], folder);
  expect(code).toBe(0);
  const readings: { metric: string; value: number; unit: string }[] = JSON.parse(stdout);
  const of = (metric: string) => readings.find((reading) => reading.metric === metric);
  expect(of("pressure")).toMatchObject({ value: 1013.25, unit: "hPa" });
  expect(of("co2")).toMatchObject({ value: 1250, unit: "ppm" });
});
