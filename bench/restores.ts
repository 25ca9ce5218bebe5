/**
 * What a restore takes on real hosts: three in this process with real sockets and disks, and two boards of bytes that vote with them, each connected to all hosts.
 * Messages and bytes are those that the leader counts itself, so heartbeats in between and the checkpoint that is made before it are in them.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckpointDifference, CheckpointRestored } from "../host-tools/leader/api/types/checkpoints.ts";
import type { Status } from "../host-tools/leader/api/types/status.ts";
import { type RunningHost, startHost } from "../host-tools/leader/host.ts";
import { createLog } from "../host-tools/leader/log.ts";
import type { SwarmDefinition } from "../host-tools/swarm-file/definition.ts";
import type { Pipeline } from "../protocols/pipeline/program.ts";
import { RawBoard } from "../test/host-tools/leader/raw-board.ts";
import { TestRoot } from "../test/members.ts";

export interface RestoreCost {
  /** Median of several, and the fastest. */
  readonly ms: number;
  readonly fastestMs: number;
  readonly entries: number;
  /** Sent by the leader, to hosts and to boards, sealed, with the packets around them. */
  readonly messages: number;
  readonly bytes: number;
}

const hostNames = ["a", "b", "c"];
const voters = ["north-1", "south-1"];
const boardCount = 100;
/** For programs of 325 bytes, and so a draft of 39 pieces. */
const pipelineCount = 7;
const runs = 7;

/** Of ten settings, and of a hundred programs. */
export async function measureRestores(): Promise<{ settings: RestoreCost; programs: RestoreCost }> {
  const root = new TestRoot("bench");
  const members = new Map([
    ...hostNames.map((name) => [name, root.issue("host", name)] as const),
    ...voters.map((name) => [name, root.issue("board", name)] as const),
  ]);
  const stateDir = mkdtempSync(join(tmpdir(), "covey-bench-"));
  const swarm = new Swarm(stateDir, members);
  try {
    await swarm.start(definition("summer"));
    await swarm.ask("POST", "/api/checkpoints", { name: "summer" });
    await swarm.stop();
    await swarm.start(definition("winter"));
    await swarm.ask("POST", "/api/checkpoints", { name: "winter" });
    const programs = await swarm.measure(["summer", "winter"], "programs", async () => {});
    const settings = await swarm.measure(["summer"], "settings", async (run) => {
      for (let i = 0; i < 10; i++) await swarm.ask("PUT", `/api/settings/zone-${i}`, { value: 50 + run });
    });
    return { settings, programs };
  } finally {
    await swarm.stop();
    rmSync(stateDir, { recursive: true });
  }
}

class Swarm {
  readonly #stateDir: string;
  readonly #members: ReadonlyMap<string, ReturnType<TestRoot["issue"]>>;
  #hosts: RunningHost[] = [];
  #boards: RawBoard[] = [];

  constructor(stateDir: string, members: ReadonlyMap<string, ReturnType<TestRoot["issue"]>>) {
    this.#stateDir = stateDir;
    this.#members = members;
  }

  /** Resolves when all five vote and the definition is agreed on. */
  async start(definition: SwarmDefinition): Promise<void> {
    for (const hostName of hostNames) {
      const peers = this.#hosts.map(
        ({ peerPort: port }, i) => [hostNames[i]!, { address: "127.0.0.1", port }] as const,
      );
      const host = await startHost({
        ...{ definition, stateDir: this.#stateDir, hostName, member: this.#members.get(hostName)! },
        ...{
          mqttPort: 0,
          httpPort: 0,
          peerPort: 0,
          peers: new Map(peers),
          log: createLog("error", () => {}),
        },
        onFailure: (error) => {
          throw error;
        },
      });
      this.#hosts.push(host);
    }
    for (const name of voters) {
      let memory: RawBoard["memory"] | undefined;
      for (const { mqttPort: port } of this.#hosts) {
        const more = memory === undefined ? {} : { memory };
        const board = await RawBoard.join({
          ...{ swarm: "bench", name, port, member: this.#members.get(name)! },
          ...more,
        });
        memory ??= board.memory;
        this.#boards.push(board);
      }
    }
    let lastIndex = 0;
    for (;;) {
      await sleep(500);
      const now = (await this.#leader()).status().leader;
      const isWhole = now.voters.length === hostNames.length + voters.length;
      if (isWhole && now.commitIndex === now.lastIndex && now.lastIndex === lastIndex) return;
      lastIndex = now.lastIndex;
    }
  }

  async stop(): Promise<void> {
    for (const board of this.#boards) board.cut();
    for (const host of this.#hosts) await host.stop();
    this.#boards = [];
    this.#hosts = [];
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { "content-type": "application/json" };
    const answer = await fetch((await this.#leader()).url + path, { method, headers, ...init });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Restores one after the other of these, again and again. */
  async measure(
    names: readonly string[],
    part: string,
    before: (run: number) => Promise<void>,
  ): Promise<RestoreCost> {
    const costs: RestoreCost[] = [];
    for (let run = 0; run < runs; run++) {
      const name = names[run % names.length]!;
      await before(run);
      const path = `/api/checkpoints/diff?from=now&to=${name}&only=${part}`;
      const { restore } = await this.ask<CheckpointDifference>("GET", path);
      const leader = await this.#leader();
      const [first, startedMs] = [sentBy(leader.status()), performance.now()];
      const wanted = { name, shown: restore.digest, only: [part] };
      const { entries = 0 } = await this.ask<CheckpointRestored>("PUT", "/api/checkpoints/restore", wanted);
      const [last, ms] = [sentBy(leader.status()), performance.now() - startedMs];
      costs.push({
        ms,
        fastestMs: 0,
        entries,
        messages: last.messages - first.messages,
        bytes: last.bytes - first.bytes,
      });
    }
    costs.sort((a, b) => a.ms - b.ms);
    return { ...costs[Math.floor(runs / 2)]!, fastestMs: costs[0]!.ms };
  }

  async #leader(): Promise<RunningHost> {
    for (;;) {
      const leading = this.#hosts.find((host) => host.status().leader.role === "leader");
      if (leading !== undefined) return leading;
      await sleep(50);
    }
  }
}

function sentBy({ counters }: Status): { messages: number; bytes: number } {
  const { messagesOut, bytesOut, hosts } = counters;
  return { messages: messagesOut + hosts.framesOut, bytes: bytesOut + hosts.bytesOut };
}

function definition(season: "summer" | "winter"): SwarmDefinition {
  const names = Array.from({ length: boardCount - voters.length }, (_, i) => `board-${i}`);
  const zone = { type: "number", unit: "%", min: 0, max: 100, initial: 20 } as const;
  const pipelines = Array.from(
    { length: pipelineCount },
    (_, i): Pipeline => ({
      ...{ metric: `temperature-${season}-${i}`, sensor: `temperature-${i}`, everyMs: 1_000 },
      stages: [{ op: "median", count: 5 }],
    }),
  );
  const board = {
    model: "esp32c3-devkit",
    program: { pipelines, outputs: [], rules: [] },
    units: {},
    simulate: {},
  };
  return {
    ...{ name: "bench", file: "/bench/swarm.ts", hosts: hostNames, voters },
    settings: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`zone-${i}`, zone])),
    boards: Object.fromEntries([...voters, ...names].map((name) => [name, board])),
  };
}
