/** What the firmware takes on a board before it does anything: bytecode in flash, heap in RAM. Measured in the XS engine. */
import { stat } from "node:fs/promises";
import type { BoardDescription } from "../boards/boards.ts";
import type { FirmwareBundle } from "../bundler/bundle.ts";
import { buildXsHost, NoCompiler } from "../simulator/xs-host/build.ts";
import { compileModule } from "../simulator/xs-host/bytecode.ts";
import { type Changeable, findChangeable } from "../simulator/xs-host/check.ts";
import { XsProcess } from "../simulator/xs-host/process.ts";

export interface Measurement {
  readonly coreBytecodeBytes: number;
  readonly mainBytecodeBytes: number;
  /** Heap of a board that has loaded the core and done nothing. */
  readonly heapAfterLoadBytes: number;
  /** Bytes of an engine's slot where it was measured: 16 as on the chip, or twice that. */
  readonly slotBytes: number;
  /** What of the preloaded core a board could still change. */
  readonly changeable: readonly Changeable[];
}

/** A core that is frozen as it should be leaves less than this in the heap (with the chip's slots). */
export const heapAfterLoadBytesMax = 2048;

/**
 * @returns undefined where there is no C compiler to build the engine with
 * @throws BuildFailed, ModuleSyntaxError, PreloadFailed, BoardGone
 */
export async function measure(
  bundle: FirmwareBundle,
  board: BoardDescription,
  onProgress: (text: string) => void,
): Promise<Measurement | undefined> {
  const host = await buildXsHost({
    onProgress: ({ percent }) => onProgress(`Building the XS engine (once on this computer): ${percent} %`),
  }).catch((error: unknown) => {
    if (error instanceof NoCompiler) return undefined;
    throw error;
  });
  if (host === undefined) return undefined;
  onProgress("Compiling the firmware for XS");
  const idle = `import * as core from "core"; globalThis.host.turn = () => Infinity;`;
  const [core, main, idleMain] = await Promise.all([
    compileModule(host, "core", bundle.core),
    compileModule(host, "main", bundle.main),
    compileModule(host, "main", idle),
  ]);
  const { arenaBytes, stackSlots } = board;
  const process = new XsProcess({
    host,
    core,
    main: idleMain,
    arenaBytes,
    stackSlots,
    onCall: () => new Uint8Array(0),
  });
  try {
    return {
      coreBytecodeBytes: (await stat(core)).size,
      mainBytecodeBytes: (await stat(main)).size,
      heapAfterLoadBytes: (await process.turn(0)).heap.usedBytes,
      slotBytes: host.slotBytes,
      changeable: await findChangeable(host, core),
    };
  } finally {
    await process.stop();
  }
}
