/**
 * A whole swarm on this computer: one leader process, and every board in an engine with a world around it.
 *
 * It starts them, keeps them running, and ends them; what they do together it does not know. Whoever wants to see that asks the
 * leader, as for a swarm of real boards.
 */
import { loadBoards } from "../boards/boards.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { BoardSupervisor } from "./board-supervisor.ts";
import { readyEngine } from "./engines/engine-choice.ts";
import type { Engine, EngineFigures, EngineName } from "./engines/simulated-board.ts";
import { LeaderSupervisor } from "./leader-supervisor.ts";
import { type ReplayOverride, type SwarmSensors, swarmSensors } from "./sensors/board-sensors.ts";
import { SystemSensors } from "./sensors/system-sensors.ts";
import { StateFolder } from "./state-folder.ts";
import { nor } from "./world/flash-file.ts";

export { ReplayFileError } from "../recording/series.ts";
export { SimulationError } from "./simulation-error.ts";

export interface SimulationOptions {
  /** With exactly the boards to run: see `swarm-size.ts`. */
  readonly definition: SwarmDefinition;
  /** undefined: the best that this computer can run. */
  readonly engine: EngineName | undefined;
  readonly replay: ReplayOverride;
  /** 0 for any free one. */
  readonly httpPort: number;
  readonly mqttPort: number;
  /** `.covey/<swarm>`, absolute. */
  readonly stateFolder: string;
  /** What takes its time at the start. */
  readonly onProgress: (text: string) => void;
  /** What the user should know about the engine. */
  readonly onNote: (text: string) => void;
  /** `source` is a board's name or `leader`. */
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
  /** Of the leader's HTTP interface and page. */
  readonly url: string;
  readonly #boards: readonly BoardSupervisor[];
  /** What ends each part, in the order in which they were begun. */
  readonly #ends: End[];

  private constructor(engine: Engine, url: string, boards: readonly BoardSupervisor[], ends: End[]) {
    this.engine = engine;
    this.url = url;
    this.#boards = boards;
    this.#ends = ends;
  }

  /**
   * Starts everything; resolves once the leader answers and every board is switched on. When that fails, or is given up,
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
    const leader = new LeaderSupervisor({
      ...options,
      tell: (level, text) => onEvent(level, "leader", text),
    });
    ends.push(() => leader.stop());

    // The leader first: a port in use is to be told at once, not after the engine was built.
    onProgress("Starting the leader");
    const begun = Promise.all([leader.start(), system.start()]);
    const [address] = await Promise.race([begun, rejectedBy(signal)]);
    const engine = await Promise.race([readyEngine(options), rejectedBy(signal)]);
    onProgress("Switching the boards on");
    const boards = makeBoards(options, engine, sensors, state, address.mqttPort);
    ends.push(() => Promise.all(boards.map((board) => board.powerOff())));
    for (const board of boards) board.powerOn();
    ends.push(tellRounds(sensors, onEvent));
    return new Simulation(engine, address.url, boards, ends);
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

  /** Ends boards and leader; resolves when no process is left and the state is given back. */
  stop(): Promise<void> {
    return endAll(this.#ends);
  }
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

function makeBoards(
  options: SimulationOptions,
  engine: Engine,
  sensors: SwarmSensors,
  state: StateFolder,
  leaderPort: number,
): BoardSupervisor[] {
  const models = loadBoards();
  const { name: swarm, hosts, boards } = options.definition;
  return Object.entries(boards).map(([board, { model }]) => {
    const { arenaBytes, stackSlots, partitions } = models.get(model)!;
    return new BoardSupervisor({
      config: { swarm, board, model, hosts: [{ name: hosts[0]!, address: "127.0.0.1", port: leaderPort }] },
      engine,
      flashPath: state.flashPath(board),
      geometry: { sizeBytes: partitions.find(({ name }) => name === "log")!.sizeBytes, ...nor },
      ram: { arenaBytes, stackSlots },
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
