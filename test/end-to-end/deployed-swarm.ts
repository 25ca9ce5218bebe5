/**
 * A swarm as it is deployed: each host a `covey lead` of its own, started and killed at will, and the boards of the swarm in the real XS
 * engine, which know nothing of that.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BoardDescription, loadBoards } from "../../host-tools/boards/boards.ts";
import type { KeyFolder } from "../../host-tools/keys/key-folder.ts";
import type { Status } from "../../host-tools/leader/api/types/status.ts";
import { nodeCiphers } from "../../host-tools/security/node-ciphers.ts";
import { BoardSupervisor } from "../../host-tools/simulator/board-supervisor.ts";
import { loadFlash } from "../../host-tools/simulator/chip/load-flash.ts";
import { giveSettings } from "../../host-tools/simulator/chip/settings.ts";
import { readyEngine } from "../../host-tools/simulator/engines/engine-choice.ts";
import type { Engine } from "../../host-tools/simulator/engines/simulated-board.ts";
import { type BoardSensors, swarmSensors } from "../../host-tools/simulator/sensors/board-sensors.ts";
import { SystemSensors } from "../../host-tools/simulator/sensors/system-sensors.ts";
import { SimulatedLan } from "../../host-tools/simulator/world/simulated-lan.ts";
import type { SwarmDefinition } from "../../host-tools/swarm-file/definition.ts";
import { contactKeyOf } from "../../protocols/provisioning/contact.ts";
import { bringTo, issueAll } from "../host-tools/keys/deployed-keys.ts";
import { reservedPorts } from "../reserved-port.ts";
import { covey, repository, sleep, statusOf, temporaryFolder } from "./running-swarm.ts";

export interface HostPorts {
  readonly http: number;
  readonly mqtt: number;
  readonly peer: number;
}

export class DeployedSwarm {
  readonly folder: string;
  readonly definition: SwarmDefinition;
  readonly ports: ReadonlyMap<string, HostPorts>;
  readonly keys: KeyFolder;
  readonly #file: string;
  readonly #remove: () => void;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #boards: BoardSupervisor[] = [];
  readonly #sensors = new SystemSensors();
  /** What a test has a board's sensor show: `BOARD/SENSOR`. */
  readonly #fed = new Map<string, number>();
  /** The pins of boards as they were last driven: `BOARD/OUTPUT`. */
  readonly #pins = new Map<string, number>();
  /** The network that the boards share. */
  readonly lan = new SimulatedLan();
  #engine: Engine | undefined;
  /** What hosts said on stderr, for a failure's message. */
  said = "";

  /** `swarm.ts` as given; no host is started, all boards are, unless they lie in their box, without an identity. */
  static async deploy(
    source: string,
    { boards: place = "on" }: { readonly boards?: "on" | "in their box" } = {},
  ): Promise<DeployedSwarm> {
    const { folder, remove } = temporaryFolder();
    const file = join(folder, "swarm.ts");
    writeFileSync(file, source);
    const definition = load(file);
    const ports = new Map<string, HostPorts>();
    for (const host of definition.hosts) {
      const [http, mqtt, peer] = await reservedPorts(3);
      ports.set(host, { http: http!, mqtt: mqtt!, peer: peer! });
    }
    const { name, hosts, boards } = definition;
    const issued = place === "on" ? Object.keys(boards) : [];
    const keys = await issueAll(join(folder, ".covey", name), name, hosts, issued);
    const swarm = new DeployedSwarm(folder, remove, file, definition, ports, keys);
    await swarm.#makeReady();
    if (place === "on") await swarm.#powerOn();
    return swarm;
  }

  private constructor(
    folder: string,
    remove: () => void,
    file: string,
    definition: SwarmDefinition,
    ports: ReadonlyMap<string, HostPorts>,
    keys: KeyFolder,
  ) {
    this.folder = folder;
    this.#remove = remove;
    this.#file = file;
    this.definition = definition;
    this.ports = ports;
    this.keys = keys;
  }

  get boards(): readonly BoardSupervisor[] {
    return this.#boards;
  }

  /** From now on this sensor shows that. */
  feed(board: string, sensor: string, value: number): void {
    this.#fed.set(`${board}/${sensor}`, value);
  }

  /** At what an output is driven; undefined for never. A board without power has the last value still. */
  pin(board: string, output: string): number | undefined {
    return this.#pins.get(`${board}/${output}`);
  }

  get stateDir(): string {
    return join(this.folder, ".covey", this.definition.name);
  }

  /** Names of the hosts that run. */
  get running(): string[] {
    return [...this.#processes.keys()].sort();
  }

  /** The words after `lead` or `recover` that say which host it is and where it answers. */
  placeOf(host: string): string[] {
    const { http, mqtt, peer } = this.ports.get(host)!;
    const others = [...this.ports].filter(([name]) => name !== host);
    const peers = others.map(([name, ports]) => `${name}=127.0.0.1:${ports.peer}`).join(",");
    return [
      ...[this.#file, "--name", host, "--peers", peers, "--peer-port", `${peer}`],
      ...["--http-port", `${http}`, "--mqtt-port", `${mqtt}`],
    ];
  }

  /** `covey lead`; resolves when it serves. */
  async start(...hosts: readonly string[]): Promise<void> {
    await Promise.all(hosts.map((host) => this.#lead(host)));
  }

  /** As a power cut would. */
  async kill(...hosts: readonly string[]): Promise<void> {
    for (const host of hosts) {
      const child = this.#processes.get(host)!;
      this.#processes.delete(host);
      child.kill("SIGKILL");
      await once(child, "close");
    }
  }

  /** `SIGSTOP`: it stands still; `SIGCONT`: it goes on. */
  signal(host: string, signal: NodeJS.Signals): void {
    this.#processes.get(host)!.kill(signal);
  }

  /** All that a host kept is gone; its identity is brought to it again. */
  forget(host: string): void {
    rmSync(join(this.stateDir, `host-${host}`), { recursive: true });
    bringTo(this.keys, this.stateDir, host);
  }

  url(host: string): string {
    return `http://127.0.0.1:${this.ports.get(host)!.http}`;
  }

  urls(): string {
    return this.definition.hosts.map((host) => this.url(host)).join(",");
  }

  /** From any host that runs. */
  async status(): Promise<Status | undefined> {
    for (const host of this.running) {
      const status = await statusOf(this.url(host));
      if (status?.isConfirmed) return status;
    }
    return undefined;
  }

  async until(what: string, accept: (status: Status) => boolean, timeoutMs = 30_000): Promise<Status> {
    const deadline = Date.now() + timeoutMs;
    let last: Status | undefined;
    while (Date.now() < deadline) {
      last = (await this.status()) ?? last;
      if (last !== undefined && accept(last)) return last;
      await sleep(50);
    }
    throw new Error(
      `not seen within ${timeoutMs} ms: ${what}; ${JSON.stringify(last, null, 1)}\n${this.said}`,
    );
  }

  /** Everybody who ought to vote does, and all boards have applied what is committed. */
  untilSettled(timeoutMs?: number): Promise<Status> {
    const voters = this.definition.hosts.length + this.definition.voters.length;
    return this.until(
      "all settled",
      ({ leader, boards }) =>
        leader.voters.length === voters &&
        boards.every(({ link, appliedIndex }) => link === "up" && appliedIndex >= leader.commitIndex),
      timeoutMs,
    );
  }

  async end(): Promise<void> {
    await this.kill(...this.running);
    await Promise.all(this.#boards.map((board) => board.powerOff()));
    this.#sensors.stop();
    this.#remove();
  }

  async #lead(host: string): Promise<void> {
    const child = spawn(process.execPath, [covey, "lead", ...this.placeOf(host), "--log-level", "warn"], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#processes.set(host, child);
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.said += text;
    });
    const ended = once(child, "close").then(() => Promise.reject(new Error(`${host} ended: ${this.said}`)));
    ended.catch(() => {});
    await Promise.race([once(child.stdout!, "data"), ended]);
  }

  /** Switches a board on whose chip has this in its flash: all of it, from offset 0. */
  powerOnFrom(board: string, flash: Uint8Array): BoardSupervisor {
    const folder = this.#flashOf(board);
    loadFlash(folder, this.#modelOf(board), flash);
    return this.#switchOn(board, false);
  }

  async #makeReady(): Promise<void> {
    const nothing = () => {};
    this.#engine = await readyEngine({ engine: "xs", onProgress: nothing, onNote: nothing });
    await this.#sensors.start();
  }

  async #powerOn(): Promise<void> {
    const { name: swarm, boards } = this.definition;
    const { root } = await this.keys.unlock();
    const contactKey = contactKeyOf(nodeCiphers, root, swarm);
    const hosts = Array.from(this.ports, ([name, { mqtt }]) => ({ name, address: "127.0.0.1", port: mqtt }));
    const contact = { number: 0, wifi: undefined, hosts, timeServer: undefined };
    for (const board of Object.keys(boards)) {
      const settings = { member: this.keys.readIssued(board), contactKey, contact };
      giveSettings(this.#flashOf(board), this.#modelOf(board), settings);
      this.#boards.push(this.#switchOn(board, true));
    }
  }

  #switchOn(board: string, hasOwnFirmware: boolean): BoardSupervisor {
    const replay = { file: undefined, speed: undefined };
    const sensors = swarmSensors(this.definition, replay, this.#sensors, () => performance.now());
    const supervisor = new BoardSupervisor({
      name: board,
      model: this.#modelOf(board),
      engine: this.#engine!,
      folder: this.#flashOf(board),
      hasOwnFirmware,
      sensors: this.#feedable(board, sensors.boards.get(board)!),
      lan: this.lan,
      onOutput: ({ output, value }) => void this.#pins.set(`${board}/${output}`, value),
      tell: (level, text) => {
        this.said += `${level} ${board}: ${text}\n`;
      },
    });
    supervisor.powerOn();
    return supervisor;
  }

  #feedable(board: string, sensors: BoardSensors): BoardSensors {
    return new Map(
      Array.from(sensors, ([sensor, source]) => [
        sensor,
        { read: () => this.#fed.get(`${board}/${sensor}`) ?? source.read() },
      ]),
    );
  }

  #modelOf(board: string): BoardDescription {
    return loadBoards().get(this.definition.boards[board]!.model)!;
  }

  #flashOf(board: string): string {
    return join(this.folder, "flash", board);
  }
}

/** As the CLI loads it: under Node's own type stripping. */
function load(file: string): SwarmDefinition {
  const { stdout } = spawnSync(process.execPath, [loadInProcess, file], { encoding: "utf8" });
  const [loaded] = JSON.parse(stdout) as { definition?: SwarmDefinition; mistakes?: string[] }[];
  if (loaded?.definition === undefined) throw new Error(loaded?.mistakes?.join("\n"));
  return loaded.definition;
}

const loadInProcess = join(repository, "test/host-tools/swarm-file/load-in-process.ts");
