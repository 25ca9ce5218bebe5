/** Hosts of a swarm without boards, each in a process of its own, as `covey sim` starts them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Status } from "../../../host-tools/leader/api/types/status.ts";
import { SimulationKeys } from "../../../host-tools/simulator/simulation-keys.ts";
import type { SwarmDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { repository, sleep } from "../../../test/end-to-end/running-swarm.ts";
import { reservedPorts } from "../../../test/reserved-port.ts";
import { keyOf } from "./load.ts";
import { StartedProcess } from "./started-process.ts";

/** Keys that clients may set, one each. */
const keysMax = 256;

interface Place {
  readonly name: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly peerPort: number;
}

export class CoveyCluster {
  readonly #folder: string;
  readonly #places: readonly Place[];
  readonly #processes = new Map<string, StartedProcess>();
  readonly #keys: SimulationKeys;
  readonly #nodeOptions: readonly string[];

  /** `nodeOptions` are for profiling. */
  static async start(
    folder: string,
    hostNames: readonly string[],
    nodeOptions: readonly string[] = [],
  ): Promise<CoveyCluster> {
    const ports = await reservedPorts(3 * hostNames.length);
    const places = hostNames.map((name, at) => ({
      name,
      httpPort: ports[3 * at]!,
      mqttPort: ports[3 * at + 1]!,
      peerPort: ports[3 * at + 2]!,
    }));
    mkdirSync(folder, { recursive: true });
    const definition = definitionFor(hostNames);
    writeFileSync(join(folder, "definition.json"), JSON.stringify(definition));
    const keys = await SimulationKeys.prepare(join(folder, "state"), definition);
    const cluster = new CoveyCluster(folder, places, keys, nodeOptions);
    for (const { name } of places) cluster.restart(name);
    return cluster;
  }

  private constructor(
    folder: string,
    places: readonly Place[],
    keys: SimulationKeys,
    nodeOptions: readonly string[],
  ) {
    this.#folder = folder;
    this.#places = places;
    this.#keys = keys;
    this.#nodeOptions = nodeOptions;
  }

  get names(): readonly string[] {
    return this.#places.map(({ name }) => name);
  }

  urlOf(name: string): string {
    return `http://127.0.0.1:${this.#places.find((place) => place.name === name)!.httpPort}`;
  }

  get pids(): readonly number[] {
    return this.names.map((name) => this.#processes.get(name)!.pid);
  }

  /** Starts a host that does not run. */
  restart(name: string): void {
    const { httpPort, mqttPort, peerPort } = this.#places.find((place) => place.name === name)!;
    const peers = this.#places.filter((place) => place.name !== name);
    const main = join(repository, "host-tools/leader/main.ts");
    const args = [
      ...this.#nodeOptions,
      ...[main, "--name", name, "--definition", join(this.#folder, "definition.json")],
      ...["--state", join(this.#folder, "state"), "--log-level", "warn"],
      ...["--member", this.#keys.memberFile(name)],
      ...["--http-port", `${httpPort}`, "--mqtt-port", `${mqttPort}`, "--peer-port", `${peerPort}`],
      ...["--peers", peers.map((peer) => `${peer.name}=127.0.0.1:${peer.peerPort}`).join(",")],
    ];
    this.#processes.set(name, new StartedProcess(name, process.execPath, args, this.#folder));
  }

  /** kill -9. */
  kill(name: string): Promise<void> {
    return this.#processes.get(name)!.kill();
  }

  /** Waits until one of those that run leads and, if `allVote`, all of them vote with it, up to date; gives its name. */
  async leader(allVote: boolean, timeoutMs = 30_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      for (const { name } of this.#places) {
        const process = this.#processes.get(name)!;
        if (!process.isRunning) continue;
        const status = await statusOf(this.urlOf(name));
        const self = status?.hosts.find((host) => host.name === name);
        if (status?.isConfirmed !== true || self?.role !== "leader") continue;
        const settled = status.hosts.every(
          ({ isVoter, link, appliedIndex }) =>
            isVoter && link === "up" && appliedIndex === status.leader.commitIndex,
        );
        if (!allVote || settled) return name;
      }
      await sleep(20);
    }
    const said = [...this.#processes.values()].map((process) => `${process.name}: ${process.said}`);
    throw new Error(`Nobody leads the hosts within ${timeoutMs} ms.\n${said.join("\n")}`);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.end()));
  }
}

async function statusOf(url: string): Promise<Status | undefined> {
  try {
    const response = await fetch(`${url}/api/status`, { signal: AbortSignal.timeout(1_000) });
    return response.ok ? ((await response.json()) as Status) : undefined;
  } catch {
    return undefined;
  }
}

function definitionFor(hosts: readonly string[]): SwarmDefinition {
  const settings = Object.fromEntries(
    Array.from({ length: keysMax }, (_, client) => [
      keyOf(client),
      { type: "text", lengthMax: 64, initial: "" } as const,
    ]),
  );
  return { name: "bench", file: "bench.ts", hosts, voters: [], settings, boards: {} };
}
