/** A whole swarm from the simulator's side, with a real leader process; the boards in process, which is quick to start. */
import * as fs from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../../host-tools/leader/api/types/status.ts";
import { Simulation, SimulationError } from "../../../host-tools/simulator/simulation.ts";
import { loadSwarm } from "../../../host-tools/swarm-file/load.ts";
import { reservedPorts } from "../../reserved-port.ts";

const folder = fs.mkdtempSync(join(tmpdir(), "covey-simulation-"));
const definition = await loadSwarm(join(import.meta.dirname, "../../../examples/greenhouse"));
const events: string[] = [];
let simulation: Simulation;

async function start(
  over: { stateFolder?: string; mqttPort?: number; signal?: AbortSignal } = {},
): Promise<Simulation> {
  const [httpPort, mqttPort] = await reservedPorts(2);
  return Simulation.start({
    definition,
    engine: "virtual",
    replay: { file: undefined, speed: undefined },
    httpPort: httpPort!,
    mqttPort: mqttPort!,
    stateFolder: join(folder, "greenhouse"),
    onProgress: () => {},
    onNote: () => {},
    onEvent: (level, source, text) => events.push(`${level} ${source}: ${text}`),
    signal: new AbortController().signal,
    ...over,
  });
}

beforeAll(async () => {
  simulation = await start();
});

afterAll(async () => {
  await simulation.stop();
  fs.rmSync(folder, { recursive: true });
});

async function until(what: string, accept: (status: Status) => boolean): Promise<Status> {
  const deadlineMs = performance.now() + 15_000;
  for (;;) {
    const response = await fetch(`${simulation.urls[0]}/api/status`).catch(() => undefined);
    const status = response?.ok ? ((await response.json()) as Status) : undefined;
    if (status !== undefined && accept(status)) return status;
    if (performance.now() > deadlineMs)
      throw new Error(`not within 15 s: ${what}; ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const settled = ({ boards, leader }: Status) =>
  leader.role === "leader" &&
  leader.voters.length === 3 &&
  boards.every(({ link, appliedIndex }) => link === "up" && appliedIndex === leader.commitIndex);

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("a simulated swarm", () => {
  it("has every board joined, sensing, and of one mind with the leader", async () => {
    const status = await until(
      "all settled",
      (each) => settled(each) && each.boards.every((b) => b.samplesIn > 0),
    );
    expect(status.boards.map(({ id }) => id)).toEqual(Object.keys(definition.boards));
    expect(simulation.boards.every(({ engine, restarts }) => engine === "virtual" && restarts === 0)).toBe(
      true,
    );
    const fan = status.boards[0]!.outputs[0];
    expect(fan).toMatchObject({ name: "fan", value: 20, cause: "setting" });
  });

  it("goes on with the same ports and nothing lost when its leader is killed", async () => {
    const put = { method: "PUT", headers: { "content-type": "application/json" }, body: '{"value":true}' };
    expect((await fetch(`${simulation.urls[0]}/api/settings/door.lamp`, put)).status).toBe(200);
    const before = await until("the lamp is lit", ({ boards }) =>
      boards.some((b) => b.outputs[0]?.value === 1),
    );
    process.kill(before.leader.pid, "SIGKILL");
    const after = await until(
      "a new leader",
      (each) => settled(each) && each.leader.pid !== before.leader.pid,
    );
    expect(after.settings["door.lamp"]).toMatchObject({ value: true });
    expect(after.leader).toMatchObject({
      httpPort: before.leader.httpPort,
      mqttPort: before.leader.mqttPort,
    });
    expect(events).toContain(
      `warn ${before.leader.id.split(".")[0]}: was killed (SIGKILL); it is started again`,
    );
    expect(simulation.violations).toEqual([]);
  });

  it("is refused a second time on the same state, and on a port in use, and leaves nothing behind", async () => {
    await expect(start()).rejects.toThrow(SimulationError);
    await expect(start()).rejects.toThrow(`This swarm is running already (process ${process.pid})`);

    const other = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as net.AddressInfo;
    const elsewhere = { stateFolder: join(folder, "elsewhere"), mqttPort: port };
    await expect(start(elsewhere)).rejects.toThrow(
      new RegExp(`Port ${port} for MQTT is in use.*--mqtt-port`),
    );
    other.close();
    const again = await start({ stateFolder: join(folder, "elsewhere") });
    await again.stop();
  });

  it("can be given up while it starts", async () => {
    const giveUp = new AbortController();
    const starting = start({ stateFolder: join(folder, "given-up"), signal: giveUp.signal });
    setTimeout(() => giveUp.abort("enough"), 100);
    await expect(starting).rejects.toBe("enough");
  });

  it("ends with its leader, and goes on from there as the same members, a lost flash aside", async () => {
    const before = await until("all settled", settled);
    await simulation.stop();
    expect(alive(before.leader.pid)).toBe(false);
    const flash = join(folder, "greenhouse/boards/north-2/log");
    fs.truncateSync(flash, 100);
    fs.writeFileSync(join(folder, "greenhouse/boards/north-1/nvs"), new Uint8Array(4096).fill(0x5a));

    simulation = await start();
    const after = await until("all settled", settled);
    const memberIds = ({ boards }: Status) => new Map(boards.map(({ id, memberId }) => [id, memberId]));
    for (const [id, memberId] of memberIds(before)) {
      const now = memberIds(after).get(id);
      if (id === "north-2") expect(now).not.toBe(memberId);
      else expect(now).toBe(memberId);
    }
    expect(after.settings["door.lamp"]).toMatchObject({ value: true });
    expect(events.join("\n")).toContain("warn north-2: has new flash: ");
    expect(events.join("\n")).toContain("warn north-1: has new values: ");
  });
});
