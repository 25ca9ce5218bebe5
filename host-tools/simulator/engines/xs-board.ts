/**
 * A board in the real XS engine, in a process of its own: its calls are answered from its world at once, what happens
 * in the world becomes turns, and its deadlines are kept in real time.
 */
import type { SimulatedWorld } from "../world/simulated-world.ts";
import type { XsHost } from "../xs-host/build.ts";
import type { BoardExit } from "../xs-host/exit-reason.ts";
import { BoardGone, XsProcess } from "../xs-host/process.ts";
import { CallAnswers } from "./call-answers.ts";
import type { BoardEnd, BoardRam, EngineFigures, SimulatedBoard } from "./simulated-board.ts";

/** What every board of this simulation runs: bytecode for one host. */
export interface XsProgram {
  readonly host: XsHost;
  readonly core: string;
  readonly main: string;
}

const xsBoardLimits = Object.freeze({
  /** Messages that wait for a board; each holds at most about a kilobyte. */
  arrivalsMax: 1024,
  /**
   * A turn takes milliseconds. The chip's watchdog would bite a board of which nothing is heard for so long in the middle of one. What it
   * waits for an answer of its world does not count: with a hundred boards on a busy computer, that is the simulator's slowness.
   */
  silenceMs: 15_000,
  readMs: 500,
  /** setTimeout knows no longer delay. */
  delayMs: 2 ** 31 - 1,
});

export class XsBoard implements SimulatedBoard {
  readonly engine = "xs";
  readonly #firstTurn = Promise.withResolvers<void>();
  readonly begun = this.#firstTurn.promise;
  readonly ended: Promise<BoardEnd>;
  readonly #process: XsProcess;
  readonly #world: SimulatedWorld;
  readonly #arrivals: Uint8Array[] = [];
  #figures: EngineFigures;
  readonly #silenceMs: number;
  /** When it began its turn, or last called in it. */
  #heardMs = 0;
  #deadlineMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #running = false;
  #off = false;
  #failure: BoardEnd | undefined;

  constructor(
    { host, core, main }: XsProgram,
    world: SimulatedWorld,
    ram: BoardRam,
    { silenceMs }: { readonly silenceMs: number } = xsBoardLimits,
  ) {
    const answers = new CallAnswers(world, (message) => this.#arrive(message));
    this.#world = world;
    this.#silenceMs = silenceMs;
    this.#figures = {
      slotBytes: host.slotBytes,
      arenaBytes: ram.arenaBytes,
      heapUsedBytes: 0,
      heapPeakBytes: 0,
    };
    this.#process = new XsProcess({
      host,
      core,
      main,
      ...ram,
      onCall: (request) => {
        const reply = answers.answer(request);
        this.#heardMs = performance.now();
        return reply;
      },
    });
    this.ended = new Promise((resolve) => {
      this.#process.once("exit", (exit) => {
        clearTimeout(this.#timer);
        this.#world.powerOff();
        resolve(this.#endOf(exit));
      });
    });
    void this.#run();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get figures(): EngineFigures {
    return this.#figures;
  }

  async powerOff(): Promise<void> {
    this.#off = true;
    await this.#process.kill();
  }

  #arrive(message: Uint8Array): void {
    if (this.#off) return;
    if (this.#arrivals.length >= xsBoardLimits.arrivalsMax) {
      this.#fail("failure", `could not keep up: ${xsBoardLimits.arrivalsMax} messages were waiting`);
      return;
    }
    this.#arrivals.push(message);
    if (!this.#running) void this.#run();
  }

  /** Turns, one after another, for as long as something has arrived or the deadline has passed. */
  async #run(): Promise<void> {
    this.#running = true;
    clearTimeout(this.#timer);
    try {
      for (;;) {
        const message = this.#arrivals.shift();
        if (message === undefined && nowMs() < this.#deadlineMs) break;
        await this.#turn(message);
      }
    } catch (error) {
      if (!(error instanceof BoardGone)) this.#fail("failure", (error as Error).message);
      return;
    } finally {
      this.#running = false;
    }
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(
      Math.max(0, Math.ceil(this.#deadlineMs - performance.now())),
      xsBoardLimits.delayMs,
    );
    this.#timer = setTimeout(() => void this.#run(), delayMs);
  }

  async #turn(message: Uint8Array | undefined): Promise<void> {
    this.#heardMs = performance.now();
    this.#watch(this.#silenceMs);
    try {
      const { nextDeadlineMs, heap } = await this.#process.turn(nowMs(), message);
      this.#deadlineMs = nextDeadlineMs;
      this.#figures = {
        slotBytes: heap.slotBytes,
        arenaBytes: heap.arenaBytes,
        heapUsedBytes: heap.usedBytes,
        heapPeakBytes: heap.peakBytes,
      };
    } finally {
      clearTimeout(this.#watchdog);
      this.#firstTurn.resolve();
    }
  }

  #watch(waitMs: number): void {
    this.#watchdog = setTimeout(() => {
      // If this process was asleep meanwhile (Ctrl-Z, a closed lid), what the board said is there and only waits to be read.
      this.#watchdog = setTimeout(() => {
        const quietMs = performance.now() - this.#heardMs;
        if (quietMs < this.#silenceMs) this.#watch(this.#silenceMs - quietMs);
        else this.#fail("watchdog", `said nothing for ${this.#silenceMs / 1000} s of a turn (watchdog)`);
      }, xsBoardLimits.readMs);
    }, waitMs);
  }

  #fail(cause: BoardEnd["cause"], text: string): void {
    this.#failure ??= { cause, text };
    void this.#process.kill();
  }

  #endOf({ reason, message, signal, code }: BoardExit): BoardEnd {
    if (this.#off) return { cause: "power-off", text: "was switched off" };
    if (this.#failure !== undefined) return this.#failure;
    if (reason === "killed")
      return { cause: "killed", text: `was killed (${signal ?? `exit code ${code}`})` };
    const said = message.replaceAll("\n", "; ");
    return {
      cause: reason === "endless turn" ? "watchdog" : "failure",
      text: `died: ${said.startsWith(reason) || said === "" ? said || reason : `${reason}: ${said}`}`,
    };
  }
}

/** The board's clock: whole milliseconds of this process. */
function nowMs(): number {
  return Math.floor(performance.now());
}
