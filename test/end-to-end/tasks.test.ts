/** Tasks as they are deployed: two hosts of their own, real XS boards, power cuts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SwarmClient } from "../../host-tools/cli/swarm-client.ts";
import type { StoredReading } from "../../host-tools/leader/api/types/readings.ts";
import type { TaskStatus, TasksStatus } from "../../host-tools/leader/api/types/tasks.ts";
import { DeployedSwarm } from "./deployed-swarm.ts";
import { runCovey, sleep } from "./running-swarm.ts";

const source = `
import { board, sense, swarm, task } from "covey";
const small = (zone: string) => board("esp32c3-devkit", { sense: [], place: { zone } });
export default swarm("tasked", {
  hosts: ["a", "b"],
  voters: ["v1"],
  boards: { v1: small("east"), l1: small("east"), l2: small("west") },
  tasks: {
    watch: task({ sense: [sense("temperature", { every: "200ms" }).as("gateway.temp")], lease: "3s", requires: { zones: ["east"] } }),
    other: task({ sense: [sense("humidity", { every: "500ms" }).as("gateway.humidity")], lease: "3s", strategy: "rendezvous", requires: { zones: ["west"], apartFrom: ["watch"] } }),
  },
});
`;
/** Processes start slowly where many other things run. */
const patient = { timeout: 150_000 };

let swarm: DeployedSwarm;
const client = () => SwarmClient.find({ url: swarm.urls(), state: swarm.folder });
const tasks = () => client().get<TasksStatus>("/api/tasks");
const readings = (metric: string) =>
  client().get<StoredReading[]>(`/api/readings?metric=${metric}&limit=100`);

async function until(
  name: string,
  accept: (task: TaskStatus) => boolean,
  timeoutMs = 40_000,
): Promise<TaskStatus> {
  const deadlineMs = performance.now() + timeoutMs;
  let last: TaskStatus | undefined;
  while (performance.now() < deadlineMs) {
    last = (await tasks()).tasks.find((one) => one.name === name);
    if (last !== undefined && accept(last)) return last;
    await sleep(100);
  }
  throw new Error(`${name} did not come so far: ${JSON.stringify(last)}\n${swarm.said}`);
}

/** Readings of `metric` that `board` took come in. */
async function untilHeard(metric: string, board: string, sinceMs: number): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (performance.now() < deadlineMs) {
    const all = await readings(metric);
    if (all.some((one) => one.board === board && one.atMs >= sinceMs)) return;
    await sleep(100);
  }
  throw new Error(`no ${metric} of ${board}\n${swarm.said}`);
}

describe("tasks on XS boards", () => {
  beforeAll(async () => {
    swarm = await DeployedSwarm.deploy(source);
    await swarm.start("a", "b");
    await swarm.untilSettled(60_000);
  }, patient.timeout);
  afterAll(() => swarm?.end());

  it("are placed by themselves, as they require, and report under their own metrics", patient, async () => {
    const watch = await until("watch", ({ state }) => state === "placed");
    const other = await until("other", ({ state }) => state === "placed");
    expect(["v1", "l1"]).toContain(watch.holder);
    expect(other.holder).not.toBe(watch.holder);
    await untilHeard("gateway.temp", watch.holder!, 0);
    await untilHeard("gateway.humidity", other.holder!, 0);
  });

  it("move off a board that is dead, once its lease is over", patient, async () => {
    const before = await until("watch", ({ state }) => state === "placed");
    const board = swarm.boards.find(({ name }) => name === before.holder)!;
    const cutMs = Date.now();
    await board.powerOff();
    const after = await until(
      "watch",
      ({ holder: at, token }) => at !== before.holder && token > before.token,
    );
    // A lease and a quarter after the last claim, which was at most a quarter of a lease before.
    expect(Date.now() - cutMs).toBeGreaterThan(2_900);
    await untilHeard("gateway.temp", after.holder!, cutMs);
    await board.powerOn();
    await swarm.untilSettled(60_000);
    expect(await until("watch", () => true)).toMatchObject({ holder: after.holder, token: after.token });
  });

  it(
    "go on when the leader dies: where they were if that board is back within its lease, else elsewhere",
    patient,
    async () => {
      const before = await until("watch", ({ state }) => state === "placed");
      const leader = (await swarm.status())!.leader.id.split(".")[0]!;
      await swarm.kill(leader);
      const killedMs = Date.now();
      await swarm.until("another leads", ({ leader: now }) => !now.id.startsWith(`${leader}.`), 60_000);
      // Past what the new leader waits for, so that the one that holds it now keeps it.
      await sleep(8_000);
      const after = await until("watch", ({ state }) => state === "placed");
      await untilHeard("gateway.temp", after.holder!, killedMs + 6_000);
      const hasMoved = after.holder !== before.holder;
      expect(after.token > before.token).toBe(hasMoved);
      await swarm.start(leader);
      await swarm.untilSettled(60_000);
    },
  );

  it("leave a board that is drained at once, stop and start by command", patient, async () => {
    const before = await until("watch", ({ state }) => state === "placed");
    const url = ["--url", swarm.urls()];
    const drained = await runCovey(["task", "drain", before.holder!, ...url, "--json"], swarm.folder);
    expect(drained).toMatchObject({ code: 0 });
    const after = await until("watch", ({ state, holder }) => state === "placed" && holder !== before.holder);
    expect(after.token).toBe(before.token + 1);
    const listed = await runCovey(["task", "list", ...url], swarm.folder);
    expect(listed.stdout).toContain(`Drained, and given no tasks: ${before.holder}.`);
    expect((await runCovey(["task", "remove", "watch", ...url], swarm.folder)).stdout).toContain(
      "watch is stopped",
    );
    expect(await until("watch", () => true)).toMatchObject({ state: "stopped" });
    expect((await runCovey(["task", "undrain", before.holder!, ...url], swarm.folder)).code).toBe(0);
    const added = await runCovey(["task", "add", "watch", ...url], swarm.folder);
    expect(added.stdout).toContain("has watch, under token");
    const wrong = await runCovey(["task", "remove", "wach", ...url], swarm.folder);
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain("There is no task wach");
  });
});
