/** A real host on ports and a folder of its own, for tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { ApiError } from "../../../host-tools/leader/api/types/error.ts";
import { type HostOptions, type RunningHost, startHost } from "../../../host-tools/leader/host.ts";
import { createLog } from "../../../host-tools/leader/log.ts";
import type { SwarmDefinition } from "../../../host-tools/swarm-file/definition.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { reservedPorts } from "../../reserved-port.ts";
import { RawBoard, type RawBoardOptions } from "./raw-board.ts";
import { memberOf } from "./test-swarm.ts";

const program: Program = {
  pipelines: [
    { metric: "temperature", sensor: "temperature", everyMs: 100, stages: [{ op: "median", count: 3 }] },
  ],
  outputs: [{ name: "fan", kind: "pwm", pin: 4, safeValue: 0, setting: "fan.duty" }],
  rules: [],
};

/** Three boards; north-1 votes. */
export const definition: SwarmDefinition = {
  name: "greenhouse",
  file: "/greenhouse/swarm.ts",
  hosts: ["a"],
  voters: ["north-1"],
  settings: {
    "fan.duty": { type: "number", unit: "%", min: 0, max: 100, initial: 20 },
    "door.lamp": { type: "boolean", initial: false },
    "door.text": { type: "text", lengthMax: 8, initial: "hello" },
  },
  boards: Object.fromEntries(
    ["north-1", "north-2", "south-1"].map((name) => [
      name,
      { model: "esp32c3-devkit", program, units: { temperature: "°C" }, simulate: {} },
    ]),
  ),
};

export interface LeaderUnderTest extends RunningHost {
  readonly stateDir: string;
  readonly hostName: string;
  /** What it logged so far. */
  readonly logged: string[];
  /** Joins a board of the swarm; it is cut off when the test ends. */
  join(name: string, options?: Partial<RawBoardOptions>): Promise<RawBoard>;
  /** A request to the HTTP interface. */
  request(path: string, init?: RequestInit): Promise<{ status: number; headers: Headers; body: string }>;
  put(
    key: string,
    value: unknown,
  ): Promise<{ status: number; error?: ApiError; index?: number; value?: unknown }>;
}

/** Stops, and its folder goes, when the test ends. A next one may have its ports. */
export async function leaderUnderTest(options: Partial<HostOptions> = {}): Promise<LeaderUnderTest> {
  const stateDir = options.stateDir ?? temporaryFolder();
  const logged: string[] = [];
  const [mqttPort, httpPort, peerPort] = await reservedPorts(3);
  const leader = await startHost({
    definition,
    stateDir,
    hostName: "a",
    member: memberOf((options.definition ?? definition).name, "host", options.hostName ?? "a"),
    mqttPort: mqttPort!,
    httpPort: httpPort!,
    peerPort: peerPort!,
    peers: new Map(),
    log: createLog("debug", (line) => logged.push(line)),
    onFailure: (error) => {
      throw error;
    },
    ...options,
  });
  onTestFinished(() => leader.stop());
  const request = async (path: string, init?: RequestInit) => {
    const response = await fetch(leader.url + path, init);
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return {
    ...leader,
    hostName: options.hostName ?? "a",
    stateDir,
    logged,
    request,
    join: async (name, boardOptions) => {
      const board = await RawBoard.join({
        swarm: "greenhouse",
        name,
        port: leader.mqttPort,
        ...boardOptions,
      });
      onTestFinished(() => board.cut());
      return board;
    },
    put: async (key, value) => {
      const headers = { "content-type": "application/json" };
      const init = { method: "PUT", headers, body: JSON.stringify({ value }) };
      const { status, body } = await request(`/api/settings/${key}`, init);
      return { status, ...JSON.parse(body) };
    },
  };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "covey-leader-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Waits until `check` gives something else than undefined or false. */
export async function eventually<T>(check: () => T | undefined | false, timeoutMs = 5_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
