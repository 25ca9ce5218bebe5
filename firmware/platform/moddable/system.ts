import FFI from "mc/ffi";
import type { BoardConfig, LogLevel, MemoryFigures, StartReason, System } from "../ports.ts";
import {
  feedWatchdog,
  heapPeakBytes,
  heapUsedBytes,
  restart,
  stackPeakSlots,
  startReasonNumber,
  startReasons,
} from "./chip.ts";

export class ChipSystem implements System {
  readonly config: BoardConfig;
  readonly #arenaBytes: number;
  readonly #makeSafe: () => void;
  /** ESP-IDF functions that the manifest binds (`ffi` in esp32.json), for which the SDK has no module. */
  readonly #idf = new FFI();

  /** @param makeSafe puts the outputs at their safe values, before whatever ends this run */
  constructor(config: BoardConfig, arenaBytes: number, makeSafe: () => void) {
    this.config = config;
    this.#arenaBytes = arenaBytes;
    this.#makeSafe = makeSafe;
  }

  get startReason(): StartReason | undefined {
    return startReasons[startReasonNumber() as number];
  }

  feedWatchdog(timeoutMs: number): void {
    feedWatchdog(timeoutMs);
  }

  memory(): MemoryFigures {
    return {
      heapUsedBytes: heapUsedBytes(),
      heapPeakBytes: heapPeakBytes(),
      arenaBytes: this.#arenaBytes,
      stackPeakSlots: stackPeakSlots() as number,
    };
  }

  log(level: LogLevel, text: string): void {
    trace(`${level}: ${text}\n`);
  }

  restart(reason: string): void {
    this.log("error", `restart: ${reason}`);
    this.#makeSafe();
    restart();
  }

  deepSleep(durationMs: number): void {
    if (!(durationMs > 0 && durationMs <= sleepMsMax)) {
      throw new RangeError(`The board can't sleep for ${durationMs} ms; 1 to ${sleepMsMax} are possible.`);
    }
    this.#makeSafe();
    this.#idf.esp_deep_sleep(BigInt(Math.ceil(durationMs) * 1000));
  }

  /** Harmless when this firmware is valid already: ESP-IDF then finds nothing to cancel. */
  markValid(): void {
    this.#idf.esp_ota_mark_app_valid_cancel_rollback();
  }
}

/** A year; far below what the chip's 48-bit count of slow clock cycles holds. */
const sleepMsMax = 31_536_000_000;
