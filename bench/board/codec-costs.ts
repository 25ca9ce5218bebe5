/**
 * The board's own codecs beside the libraries that the hosts use, all on the bare-metal host: heap when loaded, and
 * instructions and heap of one operation. `docs/decisions/board-codecs.md` draws the conclusion.
 */
import { transform } from "esbuild";
import { buildXsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../host-tools/simulator/xs-host/bytecode.ts";
import type { HeapFigures } from "../../host-tools/simulator/xs-host/frames.ts";
import { BoardGone, XsProcess } from "../../host-tools/simulator/xs-host/process.ts";
import { buildRv32Host } from "../../host-tools/simulator/xs-host/rv32.ts";
import { type Codec, cborX, mqttPacket, ownCbor, ownMqtt } from "./codecs.ts";
import type { BoardMemory } from "./measured-board.ts";
import { ampleMemory } from "./memory.ts";

export interface CodecCost {
  readonly name: string;
  readonly minifiedBytes: number;
  /** Heap with the codec loaded at boot, garbage included, and after a collection. */
  readonly loadedBytes: number;
  readonly loadedCollectedBytes: number;
  /** Preloaded, and each operation done once: the heap after a collection, or why it does not work so. */
  readonly preloaded: number | string;
  readonly operations: readonly OperationCost[];
}

export interface OperationCost {
  readonly name: string;
  readonly instructions: number;
  /** Without meaning where there was a collection. */
  readonly allocatedBytes: number;
  readonly collections: number;
}

/** The libraries and the board's own, side by side. */
export async function measureCodecs(): Promise<CodecCost[]> {
  const costs: CodecCost[] = [];
  for (const codec of [ownCbor, cborX, ownMqtt, mqttPacket]) costs.push(await measure(await codec()));
  return costs;
}

/** The board's MQTT as a board has it, preloaded: a PUBLISH of 64 bytes written, and one read. */
export async function measureOwnMqtt(memory: BoardMemory): Promise<OperationCost[]> {
  return measurePreloaded(await ownMqtt(), memory);
}

/** Each operation of it, preloaded. */
export async function measurePreloaded(
  { source, use, operations }: Codec,
  memory: BoardMemory,
): Promise<OperationCost[]> {
  const main = `import * as codec from "core"; ${userOf(use)}`;
  return measureOperations(await start(source, main, memory), operations);
}

/** What the operations must come to, which shows that the codec worked. */
const outcomes: Readonly<Record<string, number>> = { decode: 64, publish: 102, parse: 34 + 64 };

async function measure({ name, source, use, operations }: Codec): Promise<CodecCost> {
  const minified = (await transform(source, { minify: true, format: "esm", target: "es2022" })).code;
  const user = userOf(use);
  const idle = "host.turn = (message) => { if (message) host.collect(); return Infinity; };";
  const inRam = await start(nothing, `${source}\n${idle}`);
  const loaded = (await inRam.turn(0)).heap;
  const collected = (await inRam.turn(1, new Uint8Array(1))).heap;
  await inRam.kill();
  return {
    name,
    minifiedBytes: Buffer.byteLength(minified),
    loadedBytes: loaded.usedBytes,
    loadedCollectedBytes: collected.usedBytes,
    preloaded: await preloaded(source, user, operations.length),
    // Loaded in RAM, since a library may not work when it is frozen.
    operations: await measureOperations(await start(nothing, `${asNamespace(source)}\n${user}`), operations),
  };
}

/** A main's body that does the operation whose number it is sent, tells its outcome, and knows two more: nothing, and a collection. */
function userOf(use: string): string {
  return `{
    ${use}
    const list = Object.values(operations);
    list.push(() => 0, () => { host.collect(); return 0; });
    const number = new Uint8Array(2);
    host.turn = (message) => {
      const outcome = message === undefined ? 0 : list[new Uint8Array(message)[0]]();
      number[0] = outcome;
      number[1] = outcome >> 8;
      host.call(number);
      return Infinity;
    };
  }`;
}

async function preloaded(source: string, user: string, operations: number): Promise<number | string> {
  const board = await start(source, `import * as codec from "core"; ${user}`);
  try {
    await board.turn(0);
    for (let at = 0; at < operations; at++) await board.turn(1, new Uint8Array([at]));
    return (await board.turn(1, new Uint8Array([operations + 1]))).heap.usedBytes;
  } catch (error) {
    if (!(error instanceof BoardGone)) throw error;
    return error.exit.message.split("\n")[0]!;
  } finally {
    await board.kill();
  }
}

/** The third time counts: buffers have grown by then. */
async function measureOperations(board: MeasuredCodec, names: readonly string[]): Promise<OperationCost[]> {
  const { told } = board;
  const turn = async (message: number): Promise<HeapFigures> =>
    (await board.turn(1, new Uint8Array([message]))).heap;
  await board.turn(0);
  let last = await turn(names.length);
  const idle = await turn(names.length);
  const idleBytes = idle.usedBytes - last.usedBytes;
  const costs: OperationCost[] = [];
  for (const [at, name] of names.entries()) {
    await turn(at);
    last = await turn(at);
    const heap = await turn(at);
    const outcome = told.at(-1);
    if (outcomes[name] !== undefined && outcomes[name] !== outcome)
      throw new Error(`${name} came to ${outcome}, not ${outcomes[name]}.`);
    costs.push({
      name,
      instructions: heap.machineInstructions - idle.machineInstructions,
      allocatedBytes: heap.usedBytes - last.usedBytes - idleBytes,
      collections: heap.collections - last.collections,
    });
  }
  await board.kill();
  return costs;
}

/** The module's exports as the object `codec`, so that it can stand in one module with its user. */
function asNamespace(source: string): string {
  return source.replace(/export \{([^}]*)\};?\s*$/, (_, names: string) => {
    const fields = names.split(",").map((name) => {
      const [local, exported] = name.trim().split(/\s+as\s+/);
      return exported === undefined ? local : `${exported}: ${local}`;
    });
    return `const codec = { ${fields.join(", ")} };`;
  });
}

const nothing = "export const nothing = undefined;";

/** What the board told of its operations. */
type MeasuredCodec = XsProcess & { readonly told: number[] };

async function start(core: string, main: string, memory: BoardMemory = ampleMemory): Promise<MeasuredCodec> {
  const [desktop, host] = [await buildXsHost(), await buildRv32Host()];
  const told: number[] = [];
  const board = new XsProcess({
    host,
    core: await compileModule(desktop, "core", core),
    main: await compileModule(desktop, "main", main),
    ...memory,
    onCall: (request) => {
      told.push(request[0]! + request[1]! * 256);
      return new Uint8Array(0);
    },
  });
  return Object.assign(board, { told });
}
