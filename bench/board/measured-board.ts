/** A board on the bare-metal host, and what each of its turns cost. */
import type { FlashRegion } from "../../firmware/platform/ports.ts";
import { bundleFirmware } from "../../host-tools/bundler/bundle.ts";
import { CallAnswers } from "../../host-tools/simulator/engines/call-answers.ts";
import { buildXsHost, type XsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../host-tools/simulator/xs-host/bytecode.ts";
import type { HeapFigures } from "../../host-tools/simulator/xs-host/frames.ts";
import { type HeapGrowth, XsProcess } from "../../host-tools/simulator/xs-host/process.ts";
import { buildRv32Host } from "../../host-tools/simulator/xs-host/rv32.ts";
import type { SimulatedSurroundings } from "../../test/firmware/board/surroundings.ts";

/** The bare-metal host and the firmware's bytecode for it. */
export interface ChipFirmware {
  readonly host: XsHost;
  readonly core: string;
  readonly main: string;
}

export async function chipFirmware(): Promise<ChipFirmware> {
  const [desktop, host] = [await buildXsHost(), await buildRv32Host()];
  const { core, main } = await bundleFirmware({ main: "desktop" });
  return {
    host,
    core: await compileModule(desktop, "core", core),
    main: await compileModule(desktop, "main", main),
  };
}

/** The memory that a board is given. */
export interface BoardMemory {
  readonly arenaBytes: number;
  readonly stackSlots: number;
  readonly growth?: HeapGrowth;
}

/** What one turn did and took. */
export interface Turn {
  readonly nowMs: number;
  /** Whether something arrived; otherwise a deadline passed. */
  readonly arrived: boolean;
  /** Calls to the world, and of them those that matter to tell turns apart. */
  readonly calls: number;
  readonly sensorReads: number;
  readonly flashWrites: number;
  readonly flashErases: number;
  readonly outputWrites: number;
  /** Pieces of an image, into the update slot. */
  readonly slotWrites: number;
  /** Answers about kept blocks, and erases of the flash that they are in. */
  readonly kept: number;
  readonly keepErases: number;
  /** Messages published, by channel. */
  readonly reports: number;
  readonly healths: number;
  readonly answers: number;
  /** Garbage collections. */
  readonly collections: number;
  readonly instructions: number;
  /** Heap allocated, garbage included. Without meaning when there was a collection. */
  readonly allocatedBytes: number;
  readonly heap: HeapFigures;
}

/** Counts that a turn moves; the difference of two moments is the turn. */
type Counts = Pick<
  Turn,
  | "calls"
  | "sensorReads"
  | "flashWrites"
  | "flashErases"
  | "outputWrites"
  | "slotWrites"
  | "kept"
  | "keepErases"
  | "reports"
  | "healths"
  | "answers"
>;

export class MeasuredBoard {
  readonly surroundings: SimulatedSurroundings;
  readonly turns: Turn[] = [];
  readonly #process: XsProcess;
  readonly #arrivals: Uint8Array[] = [];
  #calls = 0;
  #sensorReads = 0;
  #flashWrites = 0;
  #slotWrites = 0;
  #deadlineMs = -Infinity;

  constructor(firmware: ChipFirmware, surroundings: SimulatedSurroundings, memory: BoardMemory) {
    this.surroundings = surroundings;
    const { world } = surroundings;
    const { flash, sensors, update } = world;
    const counted = {
      ...world,
      sensors: {
        read: (sensor: string) => {
          this.#sensorReads++;
          return sensors.read(sensor);
        },
      },
      flash: counting(flash, () => this.#flashWrites++),
      ...(update && { update: { ...update, region: counting(update.region, () => this.#slotWrites++) } }),
    };
    const answers = new CallAnswers(counted, (message) => this.#arrivals.push(message));
    this.#process = new XsProcess({
      ...firmware,
      ...memory,
      seed: 1,
      onCall: (request) => {
        this.#calls++;
        return answers.answer(request);
      },
    });
  }

  /** Moves time on, turn by turn, leader and board in step, and gives the turns of this time. */
  async run(forMs: number): Promise<Turn[]> {
    const from = this.turns.length;
    const endMs = this.surroundings.nowMs + forMs;
    for (; this.surroundings.nowMs <= endMs; this.surroundings.nowMs += 10) {
      const { nowMs } = this.surroundings;
      this.surroundings.leader.tick(nowMs);
      while (this.#arrivals.length > 0 || this.#deadlineMs <= nowMs) await this.#turn(nowMs);
    }
    return this.turns.slice(from);
  }

  async powerOff(): Promise<void> {
    await this.#process.kill();
  }

  async #turn(nowMs: number): Promise<void> {
    const before = this.#counts();
    const last = this.turns.at(-1)?.heap;
    const message = this.#arrivals.shift();
    const { nextDeadlineMs, heap } = await this.#process.turn(nowMs, message);
    const after = this.#counts();
    this.#deadlineMs = nextDeadlineMs;
    this.turns.push({
      ...difference(after, before),
      nowMs,
      arrived: message !== undefined,
      collections: heap.collections - (last?.collections ?? 0),
      instructions: heap.machineInstructions,
      allocatedBytes: heap.usedBytes - (last?.usedBytes ?? 0),
      heap,
    });
  }

  #counts(): Counts {
    const { leader, flash, keeping, pins } = this.surroundings;
    return {
      calls: this.#calls,
      sensorReads: this.#sensorReads,
      flashWrites: this.#flashWrites,
      flashErases: flash.erases,
      outputWrites: pins.length,
      slotWrites: this.#slotWrites,
      kept: leader.kept.length,
      keepErases: keeping?.erases ?? 0,
      reports: leader.reports.length,
      healths: leader.healths.length,
      answers: leader.raft.filter(({ type }) => type === "append-response").length,
    };
  }
}

function counting(region: FlashRegion, onWrite: () => void): FlashRegion {
  const { sizeBytes, sectorBytes, alignBytes } = region;
  return {
    ...{ sizeBytes, sectorBytes, alignBytes },
    read: (offset, length) => region.read(offset, length),
    write: (offset, bytes) => {
      onWrite();
      region.write(offset, bytes);
    },
    eraseSector: (sector) => region.eraseSector(sector),
  };
}

function difference(after: Counts, before: Counts): Counts {
  const keys = Object.keys(after) as (keyof Counts)[];
  return Object.fromEntries(keys.map((key) => [key, after[key] - before[key]])) as unknown as Counts;
}
