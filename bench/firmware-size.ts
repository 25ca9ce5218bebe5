/** The whole firmware in the real engine: bytes of code, and the arena it takes before it does anything. */
import { statSync } from "node:fs";
import { loadBoards } from "../host-tools/boards/boards.ts";
import type { XsHost } from "../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../host-tools/simulator/xs-host/bytecode.ts";
import { XsProcess } from "../host-tools/simulator/xs-host/process.ts";
import { BoardInXs, type XsFirmware, xsFirmware } from "../test/firmware/board/board-in-xs.ts";
import { SimulatedSurroundings } from "../test/firmware/board/surroundings.ts";

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
  /** The board started on blank flash: its store formatted, its ports open, nobody to talk to. */
  readonly bootHeapBytes: number;
  readonly bootStackSlots: number;
}

export async function measureFirmwareSize(): Promise<FirmwareSize> {
  const firmware = await xsFirmware();
  const { host, core, main } = firmware;
  const emptyCore = await compileModule(host, "core", "export const nothing = undefined;");
  const idle = `globalThis.host.turn = () => Infinity;`;
  const idleMain = await compileModule(host, "main", idle);
  const importingMain = await compileModule(host, "main", `import * as core from "core"; ${idle}`);
  return {
    slotBytes: host.slotBytes,
    coreMinifiedBytes: firmware.coreBytes,
    mainMinifiedBytes: firmware.mainBytes,
    coreBytecodeBytes: statSync(core).size,
    mainBytecodeBytes: statSync(main).size,
    emptyHeapBytes: await idleHeap(host, emptyCore, idleMain),
    coreLoadedHeapBytes: await idleHeap(host, core, importingMain),
    ...(await boot(firmware)),
  };
}

async function idleHeap(host: XsHost, core: string, main: string): Promise<number> {
  const board = new XsProcess({ host, core, main, onCall: () => new Uint8Array(0) });
  try {
    return (await board.turn(0)).heap.usedBytes;
  } finally {
    await board.stop();
  }
}

async function boot(firmware: XsFirmware): Promise<{ bootHeapBytes: number; bootStackSlots: number }> {
  const { stackSlots } = loadBoards().get("esp32c3-devkit")!;
  const board = new BoardInXs(firmware, new SimulatedSurroundings(), stackSlots);
  try {
    await board.run(0);
    return { bootHeapBytes: board.figures!.usedBytes, bootStackSlots: board.figures!.stackPeakSlots };
  } finally {
    await board.powerOff();
  }
}
