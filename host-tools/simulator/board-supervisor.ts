/**
 * Keeps one simulated board running: switches it on, and on again when it ended by itself or was killed, as a board in
 * a cupboard would be after a power cut. Its flash is all that it keeps.
 */
import type { BoardConfig, StartReason } from "../../firmware/platform/ports.ts";
import { Backoff } from "./backoff.ts";
import { FlashFile, FlashFileError, type FlashGeometry } from "./chip/flash-file.ts";
import type { BoardEnd, BoardRam, Engine, EngineFigures, SimulatedBoard } from "./engines/simulated-board.ts";
import type { BoardSensors } from "./sensors/board-sensors.ts";
import { SimulatedWorld } from "./world/simulated-world.ts";

const backoffLimits = Object.freeze({ firstMs: 100, maxMs: 5000, wellAfterMs: 10_000 });

export interface SupervisedBoard {
  readonly config: BoardConfig;
  readonly engine: Engine;
  readonly flashPath: string;
  readonly geometry: FlashGeometry;
  readonly ram: BoardRam;
  readonly sensors: BoardSensors;
  /** `text` begins in small letters: the board's name is said before it. */
  readonly tell: (level: "info" | "warn" | "error", text: string) => void;
}

export class BoardSupervisor {
  readonly name: string;
  readonly #of: SupervisedBoard;
  readonly #backoff = new Backoff(backoffLimits);
  /** What went wrong to how often. */
  readonly #failures = new Map<string, number>();
  #board: SimulatedBoard | undefined;
  #world: SimulatedWorld | undefined;
  #timer: NodeJS.Timeout | undefined;
  #figures: EngineFigures | undefined;
  #heapPeakBytes = 0;
  #wornWrites = 0;
  #boots = 0;
  #wakes = 0;
  #poweredOff = false;
  /** What the next power-on will be for the board. */
  #startReason: StartReason = "power";

  constructor(of: SupervisedBoard) {
    this.name = of.config.board;
    this.#of = of;
  }

  get model(): string {
    return this.#of.config.model;
  }

  get pid(): number | undefined {
    return this.#board?.pid;
  }

  /** How often the board came back by itself; waking from its sleep is no coming back. */
  get restarts(): number {
    return Math.max(0, this.#boots - this.#wakes - 1);
  }

  /** As of now, or of the last moment that the board was on; the peak is that of all boots. undefined before the first. */
  get figures(): EngineFigures | undefined {
    this.#noteFigures();
    return this.#figures && { ...this.#figures, heapPeakBytes: this.#heapPeakBytes };
  }

  /** What the board did that it must never do, a sentence each. */
  get violations(): readonly string[] {
    const failures = [...this.#failures].map(([text, times]) => {
      return times === 1 ? `${this.name} ${text}.` : `${this.name} ${text} (${times} times).`;
    });
    const worn = this.#wornWrites + (this.#world?.flash.wornWrites ?? 0);
    if (worn === 0) return failures;
    return [...failures, `${this.name} wrote ${worn} times to flash that was not erased.`];
  }

  /** Throws `FlashFileError` when its flash file can be neither used nor replaced. */
  powerOn(): void {
    const { config, engine, flashPath, geometry, ram, sensors, tell } = this.#of;
    const { flash, warning } = FlashFile.open(flashPath, geometry);
    if (warning !== undefined) tell("warn", `has new flash: ${warning}`);
    let restart: string | undefined;
    let sleepMs: number | undefined;
    const switchOff = () => void setImmediate(() => void this.#board?.powerOff());
    const world = new SimulatedWorld({
      config,
      flash,
      startReason: this.#startReason,
      sensors,
      onLog: (level, text) => {
        if (level === "warn" || level === "error") tell(level, text);
      },
      onOutput: () => {},
      onRestart: (reason) => {
        restart = reason;
        switchOff();
      },
      onDeepSleep: (durationMs) => {
        sleepMs = durationMs;
        switchOff();
      },
    });
    const board = engine.powerOn(world, ram);
    const startedMs = performance.now();
    this.#boots++;
    if (this.#startReason === "sleep") this.#wakes++;
    this.#world = world;
    this.#board = board;
    void board.ended.then((end) => {
      this.#noteFigures();
      this.#wornWrites += world.flash.wornWrites;
      this.#board = undefined;
      this.#world = undefined;
      if (this.#poweredOff) return;
      if (sleepMs !== undefined) this.#sleep(sleepMs);
      else if (restart !== undefined) this.#restart(restart, startedMs);
      else this.#afterEnd(end, startedMs);
    });
  }

  /** Off for good; resolves when nothing of the board is left. */
  async powerOff(): Promise<void> {
    this.#poweredOff = true;
    clearTimeout(this.#timer);
    await this.#board?.powerOff();
  }

  #noteFigures(): void {
    const figures = this.#board?.figures;
    if (figures === undefined) return;
    this.#figures = figures;
    this.#heapPeakBytes = Math.max(this.#heapPeakBytes, figures.heapPeakBytes);
  }

  /** It is off for as long as it wanted, and that is nothing to tell: it does so all day. */
  #sleep(durationMs: number): void {
    this.#startReason = "sleep";
    this.#timer = setTimeout(() => this.#powerOnAgain(), Math.min(durationMs, delayMsMax));
  }

  #restart(reason: string, startedMs: number): void {
    this.#startReason = "restart";
    this.#of.tell("warn", `restarts: ${reason}`);
    this.#powerOnLater(performance.now() - startedMs);
  }

  #afterEnd(end: BoardEnd, startedMs: number): void {
    this.#startReason = startReasons[end.cause];
    if (end.cause === "failure" || end.cause === "watchdog") {
      this.#of.tell("error", end.text);
      const times = this.#failures.get(end.text) ?? 0;
      if (times > 0 || this.#failures.size < failuresMax) this.#failures.set(end.text, times + 1);
    } else {
      this.#of.tell("warn", end.text);
    }
    this.#powerOnLater(performance.now() - startedMs);
  }

  #powerOnLater(ranMs: number): void {
    this.#timer = setTimeout(() => this.#powerOnAgain(), this.#backoff.waitMs(ranMs));
  }

  #powerOnAgain(): void {
    try {
      this.powerOn();
    } catch (error) {
      if (!(error instanceof FlashFileError)) throw error;
      this.#of.tell("error", `stays off for now: ${error.message}`);
      this.#powerOnLater(0);
    }
  }
}

/** setTimeout knows no longer delay: a board that sleeps for more than 24 days wakes early. */
const delayMsMax = 2 ** 31 - 1;

const startReasons: Readonly<Record<BoardEnd["cause"], StartReason>> = {
  "power-off": "power",
  killed: "power",
  failure: "crash",
  watchdog: "watchdog",
};

/** Different ones that are told apart. */
const failuresMax = 20;
