/** Queries from the command line to boards in XS and back. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { QueryAnswer } from "../../host-tools/leader/api/types/queries.ts";
import { RunningSwarm, runCovey, temporaryFolder } from "./running-swarm.ts";

const { folder, remove } = temporaryFolder();
let swarm: RunningSwarm;

beforeAll(async () => {
  const rows = Array.from({ length: 600 }, (_, i) => `${i},${20 + 5 * Math.sin(i / 9)}`);
  writeFileSync(join(folder, "series.csv"), `timestamp,value\n${rows.join("\n")}\n`);
  writeFileSync(
    join(folder, "swarm.ts"),
    `import { board, replay, sense, swarm } from "covey";
const keeper = () =>
  board("esp32c3-devkit", {
    sense: [sense("temperature", { every: "250ms" }).keep("1h")],
    simulate: { temperature: replay("series.csv", { speed: 4 }) },
  });
export default swarm("keeping", { voters: ["north"], boards: { north: keeper(), south: keeper() } });
`,
  );
  swarm = await RunningSwarm.start(folder, [], join(folder, "swarm.ts"));
}, 180_000);

afterAll(async () => {
  await swarm?.end();
  remove();
});

const ask = async (question: string): Promise<QueryAnswer> => {
  const { code, stdout } = await runCovey(["query", question, "--json"], folder);
  expect(code).toBe(0);
  return JSON.parse(stdout);
};

const exported = async (): Promise<{ board: string; value: number }[]> =>
  JSON.parse((await runCovey(["export", "--json"], folder)).stdout);

it("boards answer from what they keep, which is what they reported", { timeout: 240_000 }, async () => {
  await swarm.until(
    "both boards have measured for a while",
    ({ boards }) => boards.every(({ link, samplesIn }) => link === "up" && samplesIn > 80),
    150_000,
  );
  const before = await exported();
  const [count, min, p90] = [
    await ask("count(temperature) by board over 1h"),
    await ask("min(temperature) over 1h"),
    await ask("p90(temperature) over 1h"),
  ];
  const after = await exported();
  expect(count).toMatchObject({ boards: 2, answered: 2, silent: [], unit: "" });
  for (const { group, value } of count.rows) {
    const of = (readings: typeof before) => readings.filter(({ board }) => board === group).length;
    // A report is a second behind at most.
    expect(value!).toBeGreaterThanOrEqual(of(before));
    expect(value!).toBeLessThanOrEqual(of(after) + 8);
  }
  const values = after.map(({ value }) => value);
  expect(min.rows[0]!.value).toBeCloseTo(Math.min(...values), 2);
  expect(p90.rows[0]!.error).toBeGreaterThan(0);
  const sorted = values.toSorted((a, b) => a - b);
  expect(Math.abs(p90.rows[0]!.value! - sorted[Math.floor(0.9 * sorted.length)]!)).toBeLessThan(1);
});

it("the command line says who answered, and what is wrong with a question", { timeout: 60_000 }, async () => {
  const { code, stdout } = await runCovey(["query", "mean(temperature) by board over 1m"], folder);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^north {2}[\d.]+ °C of \d+ samples\nsouth {2}[\d.]+ °C of \d+ samples\n2 of 2 boards answered/,
  );
  const mistaken = await runCovey(["query", "mean(temperature) by room over 1m"], folder);
  expect(mistaken).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('At character 22: "room" is no group'),
  });
});
