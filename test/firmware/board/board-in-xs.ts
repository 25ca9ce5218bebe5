/** A board of the tests in the real XS engine: the same world and leader, and its figures after every turn. */
import { bundleFirmware } from "../../../host-tools/bundler/bundle.ts";
import { CallAnswers } from "../../../host-tools/simulator/engines/call-answers.ts";
import { buildXsHost, type XsHost } from "../../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../../host-tools/simulator/xs-host/bytecode.ts";
import type { Done } from "../../../host-tools/simulator/xs-host/frames.ts";
import { XsProcess } from "../../../host-tools/simulator/xs-host/process.ts";
import type { SimulatedSurroundings } from "./surroundings.ts";

export type XsFigures = Done["heap"];

export interface XsFirmware {
  readonly host: XsHost;
  readonly core: string;
  readonly main: string;
  /** Minified bytes of source. */
  readonly coreBytes: number;
  readonly mainBytes: number;
}

export async function xsFirmware(): Promise<XsFirmware> {
  const host = await buildXsHost();
  const { core, main, coreBytes, mainBytes } = await bundleFirmware({ main: "desktop" });
  return {
    host,
    core: await compileModule(host, "core", core),
    main: await compileModule(host, "main", main),
    coreBytes,
    mainBytes,
  };
}

export class BoardInXs {
  readonly surroundings: SimulatedSurroundings;
  /** Of the last turn. */
  figures: XsFigures | undefined;
  /** The most instructions that one turn took. */
  instructionsPeak = 0;
  readonly #process: XsProcess;
  readonly #arrivals: Uint8Array[] = [];
  #deadlineMs = -Infinity;

  constructor(firmware: XsFirmware, surroundings: SimulatedSurroundings, stackSlots: number) {
    this.surroundings = surroundings;
    const answers = new CallAnswers(surroundings.world, (message) => this.#arrivals.push(message));
    this.#process = new XsProcess({
      ...firmware,
      stackSlots,
      seed: 1,
      onCall: (request) => answers.answer(request),
    });
  }

  /** Moves time on, turn by turn, leader and board in step. */
  async run(forMs: number): Promise<void> {
    const endMs = this.surroundings.nowMs + forMs;
    for (; this.surroundings.nowMs <= endMs; this.surroundings.nowMs += 10) {
      const { nowMs } = this.surroundings;
      this.surroundings.leader.tick(nowMs);
      while (this.#arrivals.length > 0 || this.#deadlineMs <= nowMs) {
        const done = await this.#process.turn(nowMs, this.#arrivals.shift());
        this.#deadlineMs = done.nextDeadlineMs;
        this.figures = done.heap;
        this.instructionsPeak = Math.max(this.instructionsPeak, done.heap.instructions);
      }
    }
  }

  async powerOff(): Promise<void> {
    await this.#process.kill();
  }
}
