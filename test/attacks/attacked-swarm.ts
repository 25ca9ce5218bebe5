/**
 * A swarm that runs as it would in a building - hosts on their disks, boards in the real XS engine, real sockets - with a hostile broker before each host: all
 * that boards and hosts say to each other goes through its hands. What the root's key and members' keys can do is in the test's hands only where an attack says so.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadBoards } from "../../host-tools/boards/boards.ts";
import type { BoardStatus, Status } from "../../host-tools/leader/api/types/status.ts";
import { type RunningHost, startHost } from "../../host-tools/leader/host.ts";
import type { PeerAddress } from "../../host-tools/leader/hosts/host-links.ts";
import { createLog } from "../../host-tools/leader/log.ts";
import type { MemberSecrets } from "../../host-tools/security/member-file.ts";
import { BoardSupervisor } from "../../host-tools/simulator/board-supervisor.ts";
import { giveSettings } from "../../host-tools/simulator/chip/settings.ts";
import { readyEngine } from "../../host-tools/simulator/engines/engine-choice.ts";
import type { Engine } from "../../host-tools/simulator/engines/simulated-board.ts";
import type { SwarmDefinition } from "../../host-tools/swarm-file/definition.ts";
import { definition as oneHost } from "../host-tools/leader/leader-under-test.ts";
import { memberOf, rootOf } from "../host-tools/leader/test-swarm.ts";
import { reservedPorts } from "../reserved-port.ts";
import { HostileBroker } from "./hostile-broker.ts";

export const swarmName = oneHost.name;

export interface AttackedHost {
  readonly name: string;
  readonly broker: HostileBroker;
  running: RunningHost | undefined;
  /** The port of its own broker, behind the hostile one; kept over restarts. */
  readonly mqttPort: number;
  readonly peerPort: number;
}

export interface SwarmPlan {
  readonly hosts?: readonly string[];
  readonly boards?: readonly string[];
  readonly voters?: readonly string[];
}

export class AttackedSwarm {
  readonly definition: SwarmDefinition;
  readonly folder = mkdtempSync(join(tmpdir(), "covey-attack-"));
  readonly hosts = new Map<string, AttackedHost>();
  readonly boards = new Map<string, BoardSupervisor>();
  /** What hosts logged and boards told, a line each. */
  readonly said: string[] = [];
  /** Why hosts gave up. */
  readonly failures: Error[] = [];
  readonly #engine: Engine;

  /** Starts hosts and boards; resolves when all boards have joined and applied what is committed. */
  static async start(plan: SwarmPlan = {}): Promise<AttackedSwarm> {
    const nothing = () => {};
    const engine = await readyEngine({ engine: "xs", onProgress: nothing, onNote: nothing });
    const swarm = new AttackedSwarm(engine, plan);
    try {
      await swarm.#begin();
      return swarm;
    } catch (error) {
      await swarm.end();
      throw error;
    }
  }

  private constructor(
    engine: Engine,
    { hosts = ["a"], boards = ["north-1", "north-2"], voters = ["north-1"] }: SwarmPlan,
  ) {
    this.#engine = engine;
    const one = Object.values(oneHost.boards)[0]!;
    this.definition = {
      ...oneHost,
      hosts,
      voters,
      boards: Object.fromEntries(boards.map((name) => [name, one])),
    };
  }

  /** The broker before the first host. */
  get broker(): HostileBroker {
    return this.hosts.values().next().value!.broker;
  }

  /** Of any host that runs and leads. */
  get status(): Status {
    const running = [...this.hosts.values()].flatMap((host) => host.running ?? []);
    const all = running.map((host) => host.status());
    return all.find(({ leader }) => leader.role === "leader") ?? all[0]!;
  }

  /** Member id of the host that leads. */
  get leaderId(): string {
    const { hosts } = this.status;
    return hosts.find(({ role }) => role === "leader")!.memberId!;
  }

  boardStatus(name: string): BoardStatus {
    return this.status.boards.find(({ id }) => id === name)!;
  }

  async startHost(name: string): Promise<void> {
    const host = this.hosts.get(name)!;
    const peers = new Map<string, PeerAddress>();
    for (const { name: other, peerPort } of this.hosts.values()) {
      if (other !== name) peers.set(other, { address: "127.0.0.1", port: peerPort });
    }
    host.running = await startHost({
      definition: this.definition,
      stateDir: this.folder,
      hostName: name,
      member: memberOf(swarmName, "host", name),
      mqttPort: host.mqttPort,
      httpPort: 0,
      peerPort: host.peerPort,
      peers,
      log: createLog("debug", (line) => this.said.push(line)),
      onFailure: (error) => this.failures.push(error),
    });
  }

  async stopHost(name: string): Promise<void> {
    const host = this.hosts.get(name)!;
    await host.running?.stop();
    host.running = undefined;
  }

  /** Switches a device on that has this identity; `flash` is the folder that it has its memory in. */
  powerOn(
    name: string,
    member: MemberSecrets = memberOf(swarmName, "board", name),
    flash = this.flashOf(name),
  ): BoardSupervisor {
    const { model } = Object.values(this.definition.boards)[0]!;
    const description = loadBoards().get(model)!;
    const hosts = Array.from(this.hosts.values(), ({ name: host, broker }) => ({
      ...{ name: host, address: "127.0.0.1", port: broker.port },
    }));
    const contact = { number: 0, wifi: undefined, hosts, timeServer: undefined };
    giveSettings(flash, description, { member, contactKey: new Uint8Array(16), contact });
    const board = new BoardSupervisor({
      name,
      model: description,
      engine: this.#engine,
      folder: flash,
      hasOwnFirmware: true,
      sensors: new Map([["temperature", { read: () => 20 }]]),
      tell: (level, text) => this.said.push(`${level} ${name}: ${text}`),
    });
    board.powerOn();
    return board;
  }

  /** Takes a board's power and gives it back: it begins with a handshake, and without what it has learned of waiting. */
  async restart(name: string): Promise<void> {
    await this.boards.get(name)!.powerOff();
    this.boards.set(name, this.powerOn(name));
  }

  flashOf(name: string): string {
    return join(this.folder, name);
  }

  /** A copy of the flash of a board that is switched off, or as it is at this moment. */
  copyFlash(name: string): string {
    const copy = join(this.folder, `${name}.copy`);
    cpSync(this.flashOf(name), copy, { recursive: true });
    return copy;
  }

  /** Sets `fan.duty` as an operator on this computer would. Gives the index at which it is committed. */
  async set(value: number): Promise<number> {
    const url = await this.#leaderUrl();
    const response = await fetch(`${url}/api/settings/fan.duty`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ value }),
    });
    const answer = (await response.json()) as { index: number };
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer.index;
  }

  /** Sets `fan.duty` and waits until these boards drive their output so. */
  async agree(
    value: number,
    boards: readonly string[] = [...this.boards.keys()],
    timeoutMs = 15_000,
  ): Promise<void> {
    await this.set(value);
    await this.until(
      `fan at ${value} on ${boards.join(", ")}`,
      () => boards.every((name) => this.fanOf(name) === value),
      timeoutMs,
    );
  }

  fanOf(name: string): number | undefined {
    return this.boardStatus(name).outputs.find((output) => output.name === "fan")?.value;
  }

  /** The root revokes members; all hosts that run have heard it when this resolves. */
  async revoke(epoch: number, ...members: readonly MemberSecrets[]): Promise<void> {
    const { kidOf } = await import("../../protocols/security/identity/credential.ts");
    const { nodeCiphers } = await import("../../host-tools/security/node-ciphers.ts");
    const kids = members.map(({ signed }) => kidOf(nodeCiphers, signed));
    const statement = Buffer.from(rootOf(swarmName).revoke(epoch, ...kids)).toString("base64url");
    const url = await this.#leaderUrl();
    const response = await fetch(`${url}/api/roster`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ statement }),
    });
    if (!response.ok) throw new Error(await response.text());
  }

  async until(what: string, accept: (status: Status) => boolean, timeoutMs = 15_000): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (performance.now() < deadlineMs) {
      if (this.hosts.size > 0 && accept(this.status)) return;
      await sleep(25);
    }
    throw new Error(`not seen within ${timeoutMs} ms: ${what}\n${this.said.slice(-40).join("\n")}`);
  }

  async end(): Promise<void> {
    await Promise.all([...this.boards.values()].map((board) => board.powerOff()));
    for (const { broker, running } of this.hosts.values()) {
      await broker.close();
      await running?.stop();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #leaderUrl(): Promise<string> {
    const leads = ({ running }: AttackedHost) => running?.status().leader.role === "leader";
    await this.until("somebody leads", () => [...this.hosts.values()].some(leads));
    return [...this.hosts.values()].find(leads)!.running!.url;
  }

  async #begin(): Promise<void> {
    for (const name of this.definition.hosts) {
      const [mqttPort, peerPort] = await reservedPorts(2);
      const broker = new HostileBroker(mqttPort!);
      await broker.listen();
      this.hosts.set(name, {
        ...{ name, broker },
        mqttPort: mqttPort!,
        peerPort: peerPort!,
        running: undefined,
      });
    }
    for (const name of this.definition.hosts) await this.startHost(name);
    for (const name of Object.keys(this.definition.boards)) this.boards.set(name, this.powerOn(name));
    const voters = this.definition.hosts.length + this.definition.voters.length;
    await this.until(
      "all boards have joined",
      ({ leader, boards }) =>
        leader.role === "leader" &&
        leader.voters.length === voters &&
        boards.every(({ link, appliedIndex }) => link === "up" && appliedIndex >= leader.commitIndex),
      60_000,
    );
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
