/** Recovery points as a user meets them: boards in XS that follow a restore at once, all of it. */
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CheckpointListing, CheckpointRestored } from "../../host-tools/leader/api/types/checkpoints.ts";
import type { LogEntry } from "../../host-tools/leader/api/types/log.ts";
import type { Status } from "../../host-tools/leader/api/types/status.ts";
import { greenhouse, RunningSwarm, runCovey, temporaryFolder } from "./running-swarm.ts";

const { folder, remove } = temporaryFolder();
const file = join(folder, "swarm.ts");
const zones = 60;
let swarm: RunningSwarm;

/** The greenhouse with so many settings more, and what else is to be replaced in its text. */
function writeSwarm(replacements: readonly (readonly [string, string])[]): void {
  const door = '"door.lamp": setting.boolean({ initial: false }),';
  const more = `...Object.fromEntries(Array.from({ length: ${zones} }, (_, i) =>
    [\`zone-\${i}.limit\`, setting.number({ unit: "%", min: 0, max: 100, initial: 20 })])),`;
  let text = readFileSync(greenhouse, "utf8");
  for (const [from, to] of [[door, door + more] as const, ...replacements]) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
}

beforeAll(async () => {
  symlinkSync(join(dirname(greenhouse), "data"), join(folder, "data"));
  writeSwarm([]);
  swarm = await RunningSwarm.start(folder, [], file);
  await swarm.untilSettled(5, 180_000);
}, 200_000);

afterAll(async () => {
  await swarm?.end();
  remove();
});

async function covey<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await runCovey([...args, "--json"], folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

const outputsOf = ({ boards }: Status) =>
  boards.flatMap(({ id, outputs }) => outputs.map(({ name, value }) => `${id} ${name} ${value}`)).sort();

it("settings that were changed come back in one entry, and every board's outputs follow", async () => {
  await covey("set", "fan.duty", "40");
  await covey("set", "heat.limit", "45");
  const before = outputsOf(
    await swarm.until("fans at 40 %", (now) => outputsOf(now).join().includes("fan 40")),
  );
  await covey("checkpoint", "create", "good");
  await covey("set", "fan.duty", "70");
  await covey("set", "door.lamp", "true");
  await swarm.until("lamp on, fans at 70 %", (now) => {
    const outputs = outputsOf(now);
    return outputs.includes("door lamp 1") && outputs.includes("north-2 fan 70");
  });
  const shown = await runCovey(["checkpoint", "diff", "good"], folder);
  expect(shown.stdout).toBe("door.lamp: false -> true\nfan.duty: 40 -> 70\n");
  const refused = await runCovey(["checkpoint", "restore", "good"], folder);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("Nothing was changed");
  const { index, changed } = await covey<CheckpointRestored>("checkpoint", "restore", "good", "--yes");
  expect(changed).toBe(2);
  const now = await swarm.until(
    "restored on all five",
    (status) =>
      status.boards.every(({ appliedIndex }) => appliedIndex !== undefined && appliedIndex >= index!) &&
      outputsOf(status).join() === before.join(),
  );
  expect(now.violations).toEqual([]);
  const { checkpoints, restored } = await covey<CheckpointListing>("checkpoint", "list");
  expect(checkpoints.map(({ isAutomatic, copies }) => [isAutomatic, copies])).toEqual([
    [false, { main: "whole" }],
    [true, { main: "whole" }],
  ]);
  expect(restored).toContain("good by ");
}, 120_000);

it("programs of all boards and sixty settings come back at once, by a draft, and the boards run them", async () => {
  await covey("set", "fan.duty", "35");
  const before = await swarm.until("fans at 35 %", (now) => outputsOf(now).includes("north-2 fan 35"));
  await covey("checkpoint", "create", "summer");
  await swarm.interrupt();
  writeSwarm([
    ['follows: "fan.duty"', 'follows: "zone-0.limit"'],
    ['rules: [when("temperature").above("heat.limit", { hysteresis: 1, for: "1s" }).set("fan", 90)],', ""],
    ['sense("memory.used", { every: "1s" }).mean("5s").deadband(0.5, { atLeastEvery: "30s" }),', ""],
    ['outputs: { lamp: output.digital({ pin: 5, safe: false, follows: "door.lamp" }) },', ""],
  ]);
  swarm = await RunningSwarm.start(folder, [], file);
  await swarm.untilSettled(5, 180_000);
  for (let i = 0; i < zones; i++) {
    const body = JSON.stringify({ value: 77 });
    const init = { method: "PUT", headers: { "content-type": "application/json" }, body };
    expect((await fetch(`${swarm.url()}/api/settings/zone-${i}.limit`, init)).status).toBe(200);
  }
  await swarm.until("fans at 77 %, no lamp", (now) => {
    const outputs = outputsOf(now);
    return outputs.includes("north-1 fan 77") && outputs.includes("north-2 fan 77") && outputs.length === 2;
  });
  const restoredMs = Date.now();
  const told = await runCovey(["checkpoint", "restore", "summer", "--yes", "--json"], folder);
  expect(told).toMatchObject({ code: 0, stderr: expect.stringMatching(/^The programs stay restored/) });
  const done = JSON.parse(told.stdout) as CheckpointRestored;
  expect(done.changed).toBe(zones + 5);
  expect(done.entries).toBeGreaterThan(2);
  const isSensed = ({ boards }: Status, board: string, metric: string) =>
    boards.some(
      ({ id, readings }) =>
        id === board && readings.some((reading) => reading.metric === metric && reading.atMs > restoredMs),
    );
  const now = await swarm.until(
    "all five run what they ran",
    (status) =>
      status.boards.every(({ appliedIndex }) => appliedIndex >= done.index!) &&
      ["north-1 fan 35", "north-2 fan 35"].every((output) => outputsOf(status).includes(output)) &&
      ["south-1", "south-2"].every((board) => isSensed(status, board, "memory.used")),
    120_000,
  );
  expect(now.violations).toEqual([]);
  await covey("set", "door.lamp", "true");
  await swarm.until("the lamp follows again", (status) =>
    status.boards.some(({ id, outputs }) => id === "door" && outputs.some(({ value }) => value === 1)),
  );
  expect(outputsOf(before).length).toBe(3);
  const log = await covey<LogEntry[]>("log", "--limit", "20");
  expect(log.find(({ index }) => index === done.index)).toMatchObject({ kind: "adoption" });
}, 400_000);
