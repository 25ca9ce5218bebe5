import type { BoardConfig, LogLevel, MemoryFigures, System } from "../ports.ts";
import { heapPeakBytes, heapUsedBytes, restart } from "./chip.ts";

export class ChipSystem implements System {
  readonly config: BoardConfig;
  readonly #arenaBytes: number;

  constructor(config: BoardConfig, arenaBytes: number) {
    this.config = config;
    this.#arenaBytes = arenaBytes;
  }

  memory(): MemoryFigures {
    return { heapUsedBytes: heapUsedBytes(), heapPeakBytes: heapPeakBytes(), arenaBytes: this.#arenaBytes };
  }

  log(level: LogLevel, text: string): void {
    trace(`${level}: ${text}\n`);
  }

  restart(reason: string): void {
    this.log("error", `restart: ${reason}`);
    restart();
  }
}
