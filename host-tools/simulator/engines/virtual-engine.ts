/** The engine in process: the same core, run by Node, with its deadlines kept in real time. It has no arena and no slots. */

import { createHash } from "node:crypto";
import { VirtualBoard } from "../../../firmware/platform/virtual/virtual-board.ts";
import { firmwareVersion } from "../../../firmware/version.ts";
import type { AppInFlash } from "../chip/app-in-flash.ts";
import type { SimulatedWorld } from "../world/simulated-world.ts";
import {
  type BoardEnd,
  type BoardRam,
  type Engine,
  type EngineFigures,
  type SimulatedBoard,
  UnsuitableApp,
} from "./simulated-board.ts";

/** setTimeout knows no longer delay. */
const delayMsMax = 2 ** 31 - 1;

export class VirtualEngine implements Engine {
  readonly name = "virtual";
  readonly description = "Node, without XS";

  readonly ownFirmware = createHash("sha256").update(`covey ${firmwareVersion}`).digest();

  powerOn(world: SimulatedWorld, _ram: BoardRam, app?: AppInFlash): SimulatedBoard {
    if (app !== undefined)
      throw new UnsuitableApp("can't run what is in its flash: that needs the XS engine (--engine xs)");
    return new RealTimeBoard(world);
  }
}

/** A `VirtualBoard` whose turns come when they are due by this computer's clock. */
class RealTimeBoard implements SimulatedBoard {
  readonly engine = "virtual";
  readonly pid = undefined;
  readonly figures: EngineFigures = { slotBytes: 0, arenaBytes: 0, heapUsedBytes: 0, heapPeakBytes: 0 };
  /** Beginning costs it nothing. */
  readonly begun = Promise.resolve();
  readonly ended: Promise<BoardEnd>;
  readonly #board: VirtualBoard;
  readonly #world: SimulatedWorld;
  #resolveEnded!: (end: BoardEnd) => void;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(world: SimulatedWorld) {
    this.#world = world;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#board = new VirtualBoard(world, () => this.#turnSoon());
    this.#turnSoon();
  }

  async powerOff(): Promise<void> {
    this.#end({ cause: "power-off", text: "was switched off" });
  }

  #turnSoon(): void {
    this.#immediate ??= setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#immediate = undefined;
    clearTimeout(this.#timer);
    try {
      const deadlineMs = this.#board.turn(Math.floor(performance.now()));
      if (deadlineMs === Number.POSITIVE_INFINITY) return;
      const delayMs = Math.max(0, Math.ceil(deadlineMs - performance.now()));
      this.#timer = setTimeout(() => this.#turn(), Math.min(delayMs, delayMsMax));
    } catch (error) {
      this.#end({ cause: "failure", text: `died: ${error}` });
    }
  }

  #end(end: BoardEnd): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#board.powerOff();
    this.#world.powerOff();
    this.#resolveEnded(end);
  }
}
