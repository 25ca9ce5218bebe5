/** A model in the engine that boards run: what it decides there, and what deciding costs. */
import { fileURLToPath } from "node:url";
import { joinCore } from "../bundler/bundle.ts";
import { constDeclarations } from "../bundler/const-declarations.ts";
import { buildXsHost, type XsHost } from "../simulator/xs-host/build.ts";
import { compileModule } from "../simulator/xs-host/bytecode.ts";
import { XsProcess } from "../simulator/xs-host/process.ts";

/** A turn's message is a byte that says what to do, three that are nothing, and what to do it with. */
const main = `
  import { readModel } from "core";
  let model, rows, row;
  const load = (bytes) => { model = readModel(bytes); row = new Float64Array(model.features); };
  function decideAll(times, told) {
    const count = rows.length / row.length;
    for (let n = 0; n < times; n++) {
      for (let i = 0, at = 0; i < count; i++) {
        for (let j = 0; j < row.length; j++) row[j] = rows[at++];
        const decided = model === undefined ? 0 : model.decide(row);
        if (told !== undefined) {
          told[2 * i] = decided;
          told[2 * i + 1] = model.score(decided);
        }
      }
    }
  }
  host.turn = (message) => {
    if (message === undefined) return Infinity;
    const bytes = new Uint8Array(message);
    if (bytes[0] === 0) load(bytes.slice(4));
    else if (bytes[0] === 1) rows = new Float64Array(bytes.slice(8).buffer);
    else if (bytes[0] === 2) decideAll(bytes[1], undefined);
    else if (bytes[0] === 3) {
      const told = new Float64Array(2 * rows.length / row.length);
      decideAll(1, told);
      host.call(new Uint8Array(told.buffer));
    }
    else if (bytes[0] === 4) model = undefined;
    return Infinity;
  };
`;

const ampleMemory = {
  arenaBytes: 64 * 1024 * 1024,
  stackSlots: 800,
  growth: { chunkBytes: 16 * 1024 * 1024, chunkStepBytes: 65_536, slots: 1_000_000, slotsStep: 65_536 },
};

export interface DecidedRow {
  readonly decided: number;
  /** For the class decided. */
  readonly score: number;
}

export interface InferenceCost {
  /** A row, all but the handing over of the row. */
  readonly instructions: number;
  readonly allocatedBytes: number;
}

export class EngineProbe {
  readonly #process: XsProcess;
  readonly #told: Uint8Array[];
  #features = 0;

  private constructor(process: XsProcess, told: Uint8Array[]) {
    this.#process = process;
    this.#told = told;
  }

  /** On the engine that `host` runs, which must be stopped at the end. */
  static async start(host: XsHost): Promise<EngineProbe> {
    // Bytecode comes from the desktop's, whichever runs it.
    const desktop = await buildXsHost();
    const entry = fileURLToPath(new URL("../../protocols/model/codec.ts", import.meta.url));
    const source = constDeclarations((await joinCore(entry)).code);
    const told: Uint8Array[] = [];
    const process = new XsProcess({
      host,
      core: await compileModule(desktop, "core", source),
      main: await compileModule(desktop, "main", main),
      ...ampleMemory,
      onCall: (bytes) => {
        told.push(Uint8Array.from(bytes));
        return new Uint8Array(0);
      },
    });
    await process.turn(0);
    return new EngineProbe(process, told);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** Takes up a model. */
  async load(bytes: Uint8Array, features: number): Promise<void> {
    this.#features = features;
    await this.#say(0, 0, bytes);
  }

  async decide(rows: readonly Float64Array[]): Promise<DecidedRow[]> {
    const decided: DecidedRow[] = [];
    for (let from = 0; from < rows.length; from += rowsAtOnce) {
      await this.#give(rows.slice(from, from + rowsAtOnce));
      await this.#say(3);
      const told = new Float64Array(this.#told.pop()!.buffer as ArrayBuffer);
      for (let i = 0; i < told.length; i += 2) decided.push({ decided: told[i]!, score: told[i + 1]! });
    }
    return decided;
  }

  /** The mean over `rows`, at most a hundred of them. Only of meaning on the chip's instruction set. */
  async cost(rows: readonly Float64Array[]): Promise<InferenceCost> {
    const some = rows.slice(0, 100);
    await this.#give(some);
    const full = await this.#cost();
    await this.#say(4);
    const idle = await this.#cost();
    return {
      instructions: Math.round((full.instructions - idle.instructions) / some.length),
      allocatedBytes: (full.allocatedBytes - idle.allocatedBytes) / some.length,
    };
  }

  /** Of all rows once: of twice less once, so that what a turn costs by itself is not in it. */
  async #cost(): Promise<InferenceCost> {
    await this.#say(2, 1);
    const once = await this.#say(2, 1);
    const twice = await this.#say(2, 2);
    return {
      instructions: twice.machineInstructions - once.machineInstructions,
      allocatedBytes: twice.allocated - once.allocated,
    };
  }

  async #give(rows: readonly Float64Array[]): Promise<void> {
    const all = new Float64Array(rows.length * this.#features);
    for (const [i, row] of rows.entries()) all.set(row, i * this.#features);
    // Doubles begin at a multiple of eight.
    await this.#say(1, 0, new Uint8Array([0, 0, 0, 0, ...new Uint8Array(all.buffer)]));
  }

  #used = 0;

  async #say(what: number, times = 0, bytes: Uint8Array = new Uint8Array(0)) {
    const message = new Uint8Array(4 + bytes.length);
    message.set([what, times]);
    message.set(bytes, 4);
    const { heap } = await this.#process.turn(1, message);
    const allocated = heap.usedBytes - this.#used;
    this.#used = heap.usedBytes;
    return { machineInstructions: heap.machineInstructions, allocated };
  }
}

/** What fits a message. */
const rowsAtOnce = 50;
