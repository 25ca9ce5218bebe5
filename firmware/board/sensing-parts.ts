import type { Actuators, Ports, Sensors } from "../platform/ports.ts";
import type { BlockQueue } from "../sensing/block-queue.ts";
import type { ReadingQueue } from "../sensing/reading-queue.ts";
import type { SensingParts, Settings } from "../sensing/sensing.ts";
import type { BoardLog } from "./board-log.ts";
import type { WallTime } from "./wall-time.ts";

/** What a board gives the interpreter of its program. A class, because each closure in its place would take 160 bytes of heap. */
export class BoardSensingParts implements SensingParts {
  readonly board: string;
  readonly sensors: Sensors;
  readonly actuators: Actuators;
  readonly settings: Settings;
  readonly queue: ReadingQueue;
  readonly blocks: BlockQueue;
  readonly #time: WallTime;
  readonly #log: BoardLog;

  constructor(
    { sensors, actuators, system }: Ports,
    settings: Settings,
    queue: ReadingQueue,
    blocks: BlockQueue,
    time: WallTime,
    log: BoardLog,
  ) {
    this.board = system.config.board;
    this.sensors = sensors;
    this.actuators = actuators;
    this.settings = settings;
    this.queue = queue;
    this.blocks = blocks;
    this.#time = time;
    this.#log = log;
  }

  wallMs(nowMs: number): number {
    return this.#time.wallMs(nowMs);
  }

  onOutputRefused(output: string, reason: string): void {
    this.#log.write("error", "output-refused", "output", output, "reason", reason);
  }

  onModelRefused(metric: string, reason: string): void {
    this.#log.write("error", "model-refused", "metric", metric, "reason", reason);
  }
}
