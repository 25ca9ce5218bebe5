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

export { ReplayFileError } from "./sensors/replay.ts";
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
  readonly #leader: LeaderSupervisor;
  readonly #boards: readonly BoardSupervisor[];
  readonly #stopRest: () => void;

  private constructor(
    engine: Engine,
    url: string,
    leader: LeaderSupervisor,
    boards: readonly BoardSupervisor[],
    stopRest: () => void,
  ) {
    this.engine = engine;
    this.url = url;
    this.#leader = leader;
    this.#boards = boards;
    this.#stopRest = stopRest;
  }

  /**
   * Starts everything; resolves once the leader answers and every board is switched on. When that fails, nothing is left running.
   * @throws {SimulationError} {ReplayFileError}
   */
  static async start(options: SimulationOptions): Promise<Simulation> {
    const { definition, signal, onProgress } = options;
    const ends: (() => void | Promise<void>)[] = [];
    try {
      const state = new StateFolder(options.stateFolder);
      ends.push(() => state.release());
      const system = new SystemSensors();
      const sensors = swarmSensors(definition, options.replay, system, () => performance.now());
      const leader = new LeaderSupervisor({
        ...options,
        tell: (level, text) => options.onEvent(level, "leader", text),
      });
      ends.push(
        () => leader.stop(),
        () => system.stop(),
      );
      onProgress("Starting the leader");
      const [engine, address] = await Promise.all([readyEngine(options), leader.start(), system.start()]);
      signal.throwIfAborted();
      onProgress("Switching the boards on");
      const boards = makeBoards(options, engine, sensors, state, address.mqttPort);
      ends.push(async () => void (await Promise.all(boards.map((board) => board.powerOff()))));
      for (const board of boards) board.powerOn();
      const stopTelling = tellRounds(sensors, options.onEvent);
      ends.push(stopTelling);
      return new Simulation(engine, address.url, leader, boards, () => {
        stopTelling();
        system.stop();
        state.release();
      });
    } catch (error) {
      for (const end of ends.reverse()) await end();
      throw error;
    }
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
  async stop(): Promise<void> {
    await Promise.all(this.#boards.map((board) => board.powerOff()));
    await this.#leader.stop();
    this.#stopRest();
  }
}

function makeBoards(
  options: SimulationOptions,
  engine: Engine,
  sensors: SwarmSensors,
  state: StateFolder,
  leaderPort: number,
): BoardSupervisor[] {
  const models = loadBoards();
  const { name: swarm, boards } = options.definition;
  return Object.entries(boards).map(([board, { model }]) => {
    const { arenaBytes, stackSlots, partitions } = models.get(model)!;
    return new BoardSupervisor({
      config: { swarm, board, model, leaderHost: "127.0.0.1", leaderPort },
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
