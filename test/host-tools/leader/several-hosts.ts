/** Several real hosts in this process, connected by real sockets, for tests. */
import { expect } from "vitest";
import type { ApiError } from "../../../host-tools/leader/api/types/error.ts";
import type { Members } from "../../../host-tools/leader/api/types/members.ts";
import type { Status } from "../../../host-tools/leader/api/types/status.ts";
import type { HostOptions } from "../../../host-tools/leader/host.ts";
import type { SwarmDefinition } from "../../../host-tools/swarm-file/definition.ts";
import {
  definition,
  eventually,
  type LeaderUnderTest,
  leaderUnderTest,
  temporaryFolder,
} from "./leader-under-test.ts";
import type { BoardMemory, RawBoard } from "./raw-board.ts";

export class SeveralHosts {
  readonly stateDir = temporaryFolder();
  readonly definition: SwarmDefinition;
  readonly hosts = new Map<string, LeaderUnderTest>();
  /** Where each host listens for the others; kept over its restarts. */
  readonly #ports = new Map<string, Pick<LeaderUnderTest, "httpPort" | "mqttPort" | "peerPort">>();

  /** What a host is started with beside the rest. */
  readonly #more: (name: string) => Partial<HostOptions>;

  constructor(
    names: readonly string[],
    voters: readonly string[],
    more: (name: string) => Partial<HostOptions> = () => ({}),
  ) {
    this.#more = more;
    this.definition = { ...definition, hosts: names, voters };
  }

  static async start(
    names: readonly string[],
    voters: readonly string[],
    more?: (name: string) => Partial<HostOptions>,
  ): Promise<SeveralHosts> {
    const several = new SeveralHosts(names, voters, more);
    for (const name of names) await several.start(name);
    return several;
  }

  async start(name: string): Promise<LeaderUnderTest> {
    const address = (port: number) => ({ address: "127.0.0.1", port });
    const peers = new Map(
      [...this.#ports]
        .filter(([other]) => other !== name)
        .map(([other, { peerPort }]) => [other, address(peerPort)]),
    );
    const { definition: swarm, stateDir } = this;
    const host = await leaderUnderTest({
      definition: swarm,
      stateDir,
      hostName: name,
      peers,
      ...this.#ports.get(name),
      ...this.#more(name),
    });
    this.hosts.set(name, host);
    this.#ports.set(name, host);
    return host;
  }

  async stop(name: string): Promise<void> {
    await this.host(name).stop();
    this.hosts.delete(name);
  }

  host(name: string): LeaderUnderTest {
    return this.hosts.get(name)!;
  }

  /** The name of the host that leads, once one does and has committed something. */
  leader(): Promise<string> {
    return eventually(() => {
      const leading = [...this.hosts].filter(([, host]) => host.status().leader.role === "leader");
      const [first] = leading;
      return first !== undefined && first[1].status().leader.commitIndex > 0 && first[0];
    }, 15_000);
  }

  /** A board with a connection to each of these hosts, as a voter has. */
  async join(name: string, hosts: readonly string[], memory?: BoardMemory): Promise<RawBoard[]> {
    const boards: RawBoard[] = [];
    for (const host of hosts) {
      const kept = memory ?? boards[0]?.memory;
      boards.push(await this.host(host).join(name, kept === undefined ? {} : { memory: kept }));
    }
    return boards;
  }

  async ask<T>(host: string, path: string, init?: RequestInit): Promise<T & { error?: ApiError }> {
    return JSON.parse((await this.host(host).request(path, init)).body);
  }

  status(host: string): Promise<Status> {
    return this.ask<Status>(host, "/api/status");
  }

  members(host: string): Promise<Members> {
    return this.ask<Members>(host, "/api/members");
  }

  set(host: string, key: string, value: unknown, headers: Record<string, string> = {}, expected?: unknown) {
    return this.ask<{ index: number; term: number; value: unknown }>(host, `/api/settings/${key}`, {
      method: "PUT",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ value, expected }),
    });
  }

  post<T>(host: string, path: string, body: unknown) {
    return this.ask<T>(host, path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  expectNoViolations(): void {
    for (const host of this.hosts.values()) expect(host.status().violations).toEqual([]);
  }
}
