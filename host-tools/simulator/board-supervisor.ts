/**
 * Keeps one simulated board running: switches it on, and on again when it ended by itself or was killed, as a board in
 * a cupboard would be after a power cut. Its flash is all that it keeps, and each time the boot ROM chooses anew what starts from there.
 */
import type { StartReason } from "../../firmware/platform/ports.ts";
import type { BoardDescription } from "../boards/boards.ts";
import { Backoff } from "./backoff.ts";
import { SimulatedChip, type Started } from "./chip/chip.ts";
import { FlashFileError } from "./chip/flash-file.ts";
import { storedConfig } from "./chip/stored-config.ts";
import {
  type BoardEnd,
  type Engine,
  type EngineFigures,
  type SimulatedBoard,
  UnsuitableApp,
} from "./engines/simulated-board.ts";
import type { BoardSensors } from "./sensors/board-sensors.ts";
import type { OutputChange } from "./world/output-pins.ts";
import type { SimulatedLan } from "./world/simulated-lan.ts";
import { SimulatedWorld } from "./world/simulated-world.ts";
import type { WifiAir } from "./world/wifi-air.ts";

const backoffLimits = Object.freeze({ firstMs: 100, maxMs: 5000, wellAfterMs: 10_000 });

export interface SupervisedBoard {
  /** By which it is spoken of; who it is, its flash says. */
  readonly name: string;
  readonly model: BoardDescription;
  readonly engine: Engine;
  /** Of its chip's flash: see `chip/chip.ts`. */
  readonly folder: string;
  /** False: it runs what lies in its flash, and nothing where that is empty. */
  readonly hasOwnFirmware: boolean;
  /** The Wi-Fi around it; undefined: it is online by itself. */
  readonly air?: WifiAir | undefined;
  /** The network that it shares with other boards; undefined: it is alone. */
  readonly lan?: SimulatedLan | undefined;
  readonly sensors: BoardSensors;
  /** `text` begins in small letters: the board's name is said before it. */
  readonly tell: (level: "info" | "warn" | "error", text: string) => void;
  /** Told of each value that a pin is given. */
  readonly onOutput?: ((change: OutputChange) => void) | undefined;
}

export class BoardSupervisor {
  readonly name: string;
  readonly #of: SupervisedBoard;
  readonly #backoff = new Backoff(backoffLimits);
  /** What went wrong to how often. */
  readonly #failures = new Map<string, number>();
  #board: SimulatedBoard | undefined;
  #chip: SimulatedChip | undefined;
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
    this.name = of.name;
    this.#of = of;
  }

  get model(): string {
    return this.#of.model.name;
  }

  get pid(): number | undefined {
    return this.#board?.pid;
  }

  /** As the board's own; a board that did not start has nothing to begin. */
  get begun(): Promise<void> {
    return this.#board?.begun ?? Promise.resolve();
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
    const worn = this.#wornWrites + (this.#chip?.wornWrites ?? 0);
    if (worn === 0) return failures;
    return [...failures, `${this.name} wrote ${worn} times to flash that was not erased.`];
  }

  /** A board without a firmware that starts stays off. Throws `FlashFileError` when its flash can be neither used nor replaced. */
  powerOn(): void {
    const { engine, folder, model, hasOwnFirmware, tell } = this.#of;
    const ownFirmware = hasOwnFirmware ? engine.ownFirmware : undefined;
    const chip = new SimulatedChip({ folder, board: model, ownFirmware });
    for (const warning of chip.warnings) tell("warn", `has new flash: ${warning}`);
    const started = chip.boot();
    if (started === undefined) {
      const text = `has no firmware that starts (${chip.trouble}); flash it with covey flash`;
      tell("error", text);
      this.#noteFailure(text);
      chip.close();
      return;
    }
    this.#start(chip, started);
  }

  #start(chip: SimulatedChip, { app, update }: Started): void {
    const { engine, model, sensors, tell } = this.#of;
    let restart: string | undefined;
    let sleepMs: number | undefined;
    const switchOff = () => void setImmediate(() => void this.#board?.powerOff());
    const world = new SimulatedWorld({
      config: storedConfig(chip.values, model.name),
      flash: chip.log,
      chip: {
        values: chip.values,
        update,
        keeping: chip.series,
        markValid: () => chip.markValid(),
        close: () => chip.close(),
      },
      startReason: this.#startReason,
      air: this.#of.air,
      place: this.#of.lan && { lan: this.#of.lan, address: this.#of.lan.addressOf(this.name) },
      sensors,
      onLog: (level, text) => {
        if (level === "warn" || level === "error") tell(level, text);
      },
      onOutput: (change) => this.#of.onOutput?.(change),
      onRestart: (reason) => {
        restart = reason;
        switchOff();
      },
      onDeepSleep: (durationMs) => {
        sleepMs = durationMs;
        switchOff();
      },
    });
    const startedMs = performance.now();
    this.#boots++;
    if (this.#startReason === "sleep") this.#wakes++;
    let board: SimulatedBoard;
    try {
      board = engine.powerOn(world, model, app);
    } catch (error) {
      world.powerOff();
      if (!(error instanceof UnsuitableApp)) throw error;
      this.#afterEnd({ cause: "failure", text: error.message }, startedMs);
      return;
    }
    this.#chip = chip;
    this.#board = board;
    void board.ended.then((end) => {
      this.#noteFigures();
      this.#wornWrites += chip.wornWrites;
      this.#board = undefined;
      this.#chip = undefined;
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
      this.#noteFailure(end.text);
    } else {
      this.#of.tell("warn", end.text);
    }
    this.#powerOnLater(performance.now() - startedMs);
  }

  #noteFailure(text: string): void {
    const times = this.#failures.get(text) ?? 0;
    if (times > 0 || this.#failures.size < failuresMax) this.#failures.set(text, times + 1);
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
