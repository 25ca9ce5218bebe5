/** Tasks that hosts hold, as they are deployed: three hosts' processes, a board in XS, and `covey task hold` beside two of the hosts. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SwarmClient } from "../../host-tools/cli/swarm-client.ts";
import type { StoredReading } from "../../host-tools/leader/api/types/readings.ts";
import type { TaskStatus, TasksStatus } from "../../host-tools/leader/api/types/tasks.ts";
import { DeployedSwarm } from "./deployed-swarm.ts";
import { covey, runCovey, sleep } from "./running-swarm.ts";

const source = `
import { board, sense, swarm, task } from "covey";
export default swarm("shared", {
  hosts: { a: { zone: "east" }, b: { zone: "west" }, c: {} },
  boards: { l1: board("esp32c3-devkit", { sense: [sense("cpu.load", { every: "250ms" }).keep("12s").as("load")] }) },
  tasks: {
    gateway: task({ on: "hosts", role: true, lease: "3s" }),
    "house-mean": task({ on: "hosts", aggregate: { of: "load", every: "1s", as: "mean" }, lease: "3s" }),
  },
});
`;
const patient = { timeout: 150_000 };

let swarm: DeployedSwarm;
const holds = new Map<string, ChildProcess>();

const client = () => SwarmClient.find({ url: swarm.urls(), state: swarm.folder });
const notes = () => join(swarm.folder, "notes");

/** What the gateways wrote, in the order in which they did: the token that each had, and its host. */
function written(): { token: number; host: string }[] {
  const lines = existsSync(notes()) ? readFileSync(notes(), "utf8").trim().split("\n") : [];
  return lines.map((line) => ({ token: Number(line.split(" ")[0]), host: line.split(" ")[1]! }));
}

/** A gateway beside a host, which ignores that it is asked to stop. */
function standReady(host: string): void {
  const loop = `trap '' TERM; while true; do echo "$COVEY_TASK_TOKEN $COVEY_HOST" >> ${notes()}; sleep 0.02; done`;
  const args = [
    "task",
    "hold",
    "gateway",
    "--url",
    swarm.url(host),
    "--grace",
    "500ms",
    "--",
    "sh",
    "-c",
    loop,
  ];
  const child = spawn(process.execPath, [covey, ...args], {
    cwd: swarm.folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    swarm.said += `hold ${host}: ${text}`;
  });
  holds.set(host, child);
}

async function stop(host: string, signal: NodeJS.Signals): Promise<void> {
  const child = holds.get(host)!;
  const closed = once(child, "close");
  child.kill(signal);
  await closed;
}

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const endMs = performance.now() + 40_000;
  while (performance.now() < endMs) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`not seen: ${what}; ${JSON.stringify(written().at(-1))}\n${swarm.said}`);
}

/** The gateway of this host has taken over, or begun. */
const untilWrites = (host: string, token = 0) =>
  until(`the gateway at ${host} writes`, () => {
    const last = written().at(-1);
    return last?.host === host && last.token > token ? last : undefined;
  });
const otherThan = (host: string) => (host === "a" ? "b" : "a");

const placed = (name: string) =>
  until(`${name} is placed`, async () => {
    const { tasks } = await client().get<TasksStatus>("/api/tasks");
    return tasks.find(
      (task): task is TaskStatus & { holder: string } => task.name === name && task.state === "placed",
    );
  });

/** Of two gateways, the one with the lower token never wrote after the other. */
function expectNeverTwice(): void {
  const tokens = written().map(({ token }) => token);
  expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
}

describe("tasks on hosts", () => {
  beforeAll(async () => {
    swarm = await DeployedSwarm.deploy(source);
    await swarm.start("a", "b", "c");
    await swarm.untilSettled(60_000);
  }, patient.timeout);
  afterAll(async () => {
    for (const child of holds.values()) child.kill("SIGKILL");
    await swarm?.end();
  });

  it("a role waits until somebody stands ready for it, and goes to that host", patient, async () => {
    await placed("house-mean");
    const { tasks } = await client().get<TasksStatus>("/api/tasks");
    expect(tasks.find(({ name }) => name === "gateway")).toMatchObject({ state: "waiting", on: "hosts" });
    standReady("b");
    await untilWrites("b");
    expect((await placed("gateway")).holder).toBe("b");
    standReady("a");
  });

  it("a host is killed: its gateway ends by itself, and then the other one takes over", patient, async () => {
    const { host, token } = await untilWrites((await placed("gateway")).holder);
    await swarm.kill(host);
    await untilWrites(otherThan(host), token);
    expectNeverTwice();
    await swarm.start(host);
    await swarm.untilSettled(60_000);
  });

  it(
    "a gateway is killed with whatever looks after it: its guard ends it, and the other one takes over",
    patient,
    async () => {
      const { host, token } = await untilWrites((await placed("gateway")).holder);
      await stop(host, "SIGKILL");
      await untilWrites(otherThan(host), token);
      expectNeverTwice();
      standReady(host);
    },
  );

  it(
    "a host is drained: its gateway moves at once, and comes back by itself to nobody",
    patient,
    async () => {
      await sleep(1_000);
      const { host, token } = await untilWrites((await placed("gateway")).holder);
      const url = ["--url", swarm.url(otherThan(host))];
      expect(await runCovey(["task", "drain", host, ...url], swarm.folder)).toMatchObject({ code: 0 });
      await untilWrites(otherThan(host), token);
      expect(await runCovey(["task", "undrain", host, ...url], swarm.folder)).toMatchObject({ code: 0 });
      await sleep(2_000);
      expect((await placed("gateway")).holder).toBe(otherThan(host));
      expectNeverTwice();
    },
  );

  it(
    "a host and what holds its role stand still: both go on later, and neither does anything",
    patient,
    async () => {
      const { host, token } = await untilWrites((await placed("gateway")).holder);
      swarm.signal(host, "SIGSTOP");
      holds.get(host)!.kill("SIGSTOP");
      await untilWrites(otherThan(host), token);
      swarm.signal(host, "SIGCONT");
      holds.get(host)!.kill("SIGCONT");
      await sleep(3_000);
      expectNeverTwice();
      expect(written().at(-1)!.host).toBe(otherThan(host));
      await swarm.untilSettled(60_000);
    },
  );

  it(
    "an aggregation goes on at the other host when its host is killed; no time is told of twice",
    patient,
    async () => {
      const { holder, token } = await placed("house-mean");
      const readings = () => client().get<StoredReading[]>("/api/readings?metric=house-mean&limit=1000");
      await until("it is told", async () => (await readings()).find(({ board }) => board === holder));
      const killedMs = Date.now();
      await swarm.kill(holder);
      await until("another host tells it", async () =>
        (await readings()).find(({ board, atMs }) => board !== holder && atMs > killedMs),
      );
      expect((await placed("house-mean")).token).toBeGreaterThan(token);
      const all = await readings();
      expect(new Set(all.map(({ atMs }) => atMs)).size).toBe(all.length);
      expect(all.every(({ atMs, unit }) => atMs % 1_000 === 0 && unit === "%")).toBe(true);
      await swarm.start(holder);
      await swarm.untilSettled(60_000);
    },
  );
});
