/** The whole firmware in the real engine: bytes of code, and the arena it takes before it does anything. */
import { statSync } from "node:fs";
import { bundleFirmware } from "../host-tools/bundler/bundle.ts";
import { buildXsHost, type XsHost } from "../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../host-tools/simulator/xs-host/bytecode.ts";
import { XsProcess } from "../host-tools/simulator/xs-host/process.ts";

export interface FirmwareSize {
  readonly slotBytes: number;
  readonly coreMinifiedBytes: number;
  readonly mainMinifiedBytes: number;
  readonly coreBytecodeBytes: number;
  readonly mainBytecodeBytes: number;
  /** A machine with no firmware at all. */
  readonly emptyHeapBytes: number;
  /** The core preloaded, a main that imports it and does nothing: what freezing the core leaves in RAM. */
  readonly coreLoadedHeapBytes: number;
}

export async function measureFirmwareSize(): Promise<FirmwareSize> {
  const host = await buildXsHost({});
  const bundle = await bundleFirmware({ main: "desktop" });
  const core = await compileModule(host, "core", bundle.core);
  const main = await compileModule(host, "main", bundle.main);
  const emptyCore = await compileModule(host, "core", "export const nothing = undefined;");
  const idle = `globalThis.host.turn = () => Infinity;`;
  const idleMain = await compileModule(host, "main", idle);
  const importingMain = await compileModule(host, "main", `import * as core from "core"; ${idle}`);
  return {
    slotBytes: host.slotBytes,
    coreMinifiedBytes: bundle.coreBytes,
    mainMinifiedBytes: bundle.mainBytes,
    coreBytecodeBytes: statSync(core).size,
    mainBytecodeBytes: statSync(main).size,
    emptyHeapBytes: await heapAtBoot(host, emptyCore, idleMain),
    coreLoadedHeapBytes: await heapAtBoot(host, core, importingMain),
  };
}

async function heapAtBoot(host: XsHost, core: string, main: string): Promise<number> {
  const board = new XsProcess({ host, core, main, onCall: () => new Uint8Array(0) });
  try {
    return (await board.turn(0)).heap.usedBytes;
  } finally {
    await board.stop();
  }
}
