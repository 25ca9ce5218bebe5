/** Recovery points as a user meets them: boards in XS that follow a restore at once, all of it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CheckpointListing, CheckpointRestored } from "../../host-tools/leader/api/types/checkpoints.ts";
import type { Status } from "../../host-tools/leader/api/types/status.ts";
import { RunningSwarm, runCovey, temporaryFolder } from "./running-swarm.ts";

const { folder, remove } = temporaryFolder();
let swarm: RunningSwarm;

beforeAll(async () => {
  swarm = await RunningSwarm.start(folder);
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
