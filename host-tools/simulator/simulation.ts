/**
 * A whole swarm on this computer: its hosts, a process each, and every board in an engine with a world around it.
 *
 * It starts them, keeps them running, and ends them; what they do together it does not know. Whoever wants to see that asks a
 * host, as for a swarm of real boards.
 */
import { availableParallelism } from "node:os";
import { loadBoards } from "../boards/boards.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { BoardSupervisor } from "./board-supervisor.ts";
import { loadFlash } from "./chip/load-flash.ts";
import { giveSettings } from "./chip/settings.ts";
import { readyEngine } from "./engines/engine-choice.ts";
import type { Engine, EngineFigures, EngineName } from "./engines/simulated-board.ts";
import { HostSupervisor } from "./host-supervisor.ts";
import { type ReplayOverride, type SwarmSensors, swarmSensors } from "./sensors/board-sensors.ts";
import { SystemSensors } from "./sensors/system-sensors.ts";
import { SimulationKeys } from "./simulation-keys.ts";
import { StateFolder } from "./state-folder.ts";
import { switchOn } from "./switch-on.ts";
import type { SimulatedHouse } from "./world/air-file.ts";
import { SimulatedLan } from "./world/simulated-lan.ts";

export { ReplayFileError } from "../recording/series.ts";
export { SimulationError } from "./simulation-error.ts";

export interface SimulationOptions {
  /** With exactly the boards to run: see `swarm-size.ts`. */
  readonly definition: SwarmDefinition;
  /** undefined: the best that this computer can run. */
  readonly engine: EngineName | undefined;
  readonly replay: ReplayOverride;
  /** What boards start from, by their names: copies of a whole flash, which replace what their chips held; of the others nothing changes. */
  readonly flash?: ReadonlyMap<string, Uint8Array>;
  /** The Wi-Fi around the boards; undefined: they are online by themselves. */
  readonly house?: SimulatedHouse | undefined;
  /** The network between the boards; undefined: one that nobody cuts. */
  readonly lan?: SimulatedLan | undefined;
  /** Hosts tell boards by mDNS where they are, on this computer's loopback interface. */
  readonly mdns?: boolean | undefined;
  /** Of the first host, each further one has the next; 0 for any free ones. */
  readonly httpPort: number;
  readonly mqttPort: number;
  /** `.covey/<swarm>`, absolute. */
  readonly stateFolder: string;
  /** What takes its time at the start. */
  readonly onProgress: (text: string) => void;
  /** What the user should know about the engine. */
  readonly onNote: (text: string) => void;
  /** `source` is the name of a board or of a host. */
  readonly onEvent: (level: "info" | "warn" | "error", source: string, text: string) => void;
  /** Gives up the start. */
  readonly signal: AbortSignal;
}

/** What only the simulator knows of a board. */
export interface BoardInside {
  readonly id: string;
  readonly model: string;
  readonly engine: EngineName;
  readonly pid: number | undefined;
  readonly restarts: number;
  /** undefined before the board's first turn. */
  readonly figures: EngineFigures | undefined;
}

export class Simulation {
  readonly engine: Engine;
  /** Of the hosts' HTTP interfaces and pages, in the order of `swarm.ts`; at least one. */
  readonly urls: readonly string[];
  readonly #boards: readonly BoardSupervisor[];
  /** What ends each part, in the order in which they were begun. */
  readonly #ends: End[];

  private constructor(
    engine: Engine,
    urls: readonly string[],
    boards: readonly BoardSupervisor[],
    ends: End[],
  ) {
    this.engine = engine;
    this.urls = urls;
    this.#boards = boards;
    this.#ends = ends;
  }

  /**
   * Starts everything; resolves once every host answers and every board has begun. When that fails, or is given up,
   * nothing is left running. @throws {SimulationError} {ReplayFileError}
   */
  static async start(options: SimulationOptions): Promise<Simulation> {
    const ends: End[] = [];
    try {
      return await Simulation.#begin(options, ends);
    } catch (error) {
      await endAll(ends);
      throw error;
    }
  }

  static async #begin(options: SimulationOptions, ends: End[]): Promise<Simulation> {
    const { signal, onProgress, onEvent } = options;
    const state = new StateFolder(options.stateFolder);
    ends.push(() => state.release());
    const system = new SystemSensors();
    ends.push(() => system.stop());
    const sensors = swarmSensors(options.definition, options.replay, system, () => performance.now());
    const keys = await SimulationKeys.prepare(options.stateFolder, options.definition);
    const hosts = makeHosts(options, keys);
    ends.push(() => Promise.all(hosts.map((host) => host.stop())));

    // The hosts first: a port in use is to be told at once, not after the engine was built.
    onProgress(hosts.length === 1 ? "Starting the host" : `Starting ${hosts.length} hosts`);
    const begun = Promise.all([startAll(hosts), system.start()]);
    await Promise.race([begun, rejectedBy(signal)]);
    const engine = await Promise.race([readyEngine(options), rejectedBy(signal)]);
    onProgress("Switching the boards on");
    const boards = makeBoards(options, engine, sensors, state, keys, hosts);
    ends.push(() => Promise.all(boards.map((board) => board.powerOff())));
    const urls = hosts.map(({ address }) => address!.url);
    // The page shows meanwhile who has joined.
    const tellBegun = atMostEvery(progressEveryMs, (count: number) =>
      onProgress(`${count} of ${boards.length} boards are started; ${urls[0]} shows them`),
    );
    const on = switchOn(boards, { atOnce: boardsAtOnce, patienceMs, signal, onBegun: tellBegun });
    await Promise.race([on, rejectedBy(signal)]);
    ends.push(tellRounds(sensors, onEvent));
    return new Simulation(engine, urls, boards, ends);
  }

  get boards(): readonly BoardInside[] {
    return this.#boards.map((board) => ({
      id: board.name,
      model: board.model,
      engine: this.engine.name,
      pid: board.pid,
      restarts: board.restarts,
      figures: board.figures,
    }));
  }

  /** What boards did that they must never do, a sentence each. */
  get violations(): readonly string[] {
    return this.#boards.flatMap((board) => board.violations);
  }

  /** Ends boards and hosts; resolves when no process is left and the state is given back. */
  stop(): Promise<void> {
    return endAll(this.#ends);
  }
}

/** Boards that begin at the same time: one computes while another one's process is made. */
const boardsAtOnce = 2 * availableParallelism();
/** One that takes longer is waited for no more: else those that work already would leave little to those that begin. */
const patienceMs = 250;
const progressEveryMs = 500;

/** `tell`, unless it was called in the last `everyMs`. */
function atMostEvery<T>(everyMs: number, tell: (now: T) => void): (now: T) => void {
  let toldMs = performance.now();
  return (now) => {
    if (performance.now() - toldMs < everyMs) return;
    toldMs = performance.now();
    tell(now);
  };
}

type End = () => unknown;

/** Last begun, first ended. Called again, there is nothing left to end. */
async function endAll(ends: End[]): Promise<void> {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function makeHosts(options: SimulationOptions, keys: SimulationKeys): HostSupervisor[] {
  const { definition, stateFolder, httpPort, mqttPort, onEvent } = options;
  const hosts: HostSupervisor[] = [];
  // A host opens the connections to those before it, which are up by then; after a restart it knows all.
  const peersOf = (name: string) =>
    hosts
      .filter((host) => host.name !== name && host.address !== undefined)
      .map((host) => `${host.name}=127.0.0.1:${host.address!.peerPort}`)
      .join(",");
  definition.hosts.forEach((name, i) => {
    hosts.push(
      new HostSupervisor({
        ...{ name, definition, stateFolder, memberFile: keys.memberFile(name), peerPort: 0 },
        httpPort: httpPort === 0 ? 0 : httpPort + i,
        mqttPort: mqttPort === 0 ? 0 : mqttPort + i,
        peers: () => peersOf(name),
        mdns: options.mdns === true,
        tell: (level, text) => onEvent(level, name, text),
      }),
    );
  });
  return hosts;
}

async function startAll(hosts: readonly HostSupervisor[]): Promise<void> {
  for (const host of hosts) await host.start();
}

function makeBoards(
  options: SimulationOptions,
  engine: Engine,
  sensors: SwarmSensors,
  state: StateFolder,
  keys: SimulationKeys,
  hosts: readonly HostSupervisor[],
): BoardSupervisor[] {
  const models = loadBoards();
  const { boards } = options.definition;
  const lan = options.lan ?? new SimulatedLan();
  const brokers = hosts.map(({ name, address }) => ({ name, address: "127.0.0.1", port: address!.mqttPort }));
  return Object.entries(boards).map(([board, { model }], i) => {
    // Each begins with another host, so that every host has its share of them.
    const first = i % brokers.length;
    const description = models.get(model)!;
    const folder = state.boardFolder(board);
    const contact = {
      number: 0,
      wifi: options.house?.wifi,
      hosts: [...brokers.slice(first), ...brokers.slice(0, first)],
      timeServer: undefined,
    };
    const flash = options.flash?.get(board);
    if (flash !== undefined) loadFlash(folder, description, flash);
    const damage = giveSettings(folder, description, {
      member: keys.secretsOf(board),
      contactKey: keys.contactKey,
      contact,
    });
    if (damage !== undefined) options.onEvent("warn", board, `has new values: ${damage}`);
    return new BoardSupervisor({
      name: board,
      model: description,
      engine,
      folder,
      hasOwnFirmware: flash === undefined,
      air: options.house?.air,
      lan,
      sensors: sensors.boards.get(board)!,
      tell: (level, text) => options.onEvent(level, board, text),
    });
  });
}

/** Says when a recording has come to its end and starts again. */
function tellRounds({ replays }: SwarmSensors, onEvent: SimulationOptions["onEvent"]): () => void {
  const rounds = new Map(replays.map((each) => [each, 0]));
  const timer = setInterval(() => {
    for (const [each, known] of rounds) {
      if (each.replay.rounds === known) continue;
      rounds.set(each, each.replay.rounds);
      onEvent("info", each.board, `${each.sensor}: the recording is at its end and starts again`);
    }
  }, 500);
  timer.unref();
  return () => clearInterval(timer);
}
