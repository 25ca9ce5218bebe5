/**
 * Firmware for simulated boards as an image of ESP-IDF: header, one segment, checksum and SHA-256 are a real one's, by the chip of the board, so that a flasher, an
 * update and a bootloader treat it as any other. What the segment holds runs in the simulator alone.
 *
 * ```
 * descriptor, 256 | "CoveyXS1" | slot's bytes, 4 | core's bytes, 4 | main's bytes, 4 | core | main          core and main are bytecode of xs-host
 * ```
 */
import { createHash } from "node:crypto";
import { firmwareVersion } from "../../../firmware/version.ts";
import type { BoardDescription } from "../../boards/boards.ts";
import { chips } from "../../chips/chips.ts";
import {
  type AppDescriptor,
  simulatorProject,
  writeAppDescriptor,
  writeAppImage,
} from "../../images/app-image.ts";
import type { AppInFlash } from "./app-in-flash.ts";

export { firmwareVersion };

/** Both modules that a board in XS runs, as bytecode. */
export interface SimulatorProgram {
  /** Of the engine that they were compiled for. */
  readonly slotBytes: number;
  readonly core: Uint8Array;
  readonly main: Uint8Array;
}

export interface SimulatorImage {
  readonly program: SimulatorProgram;
  readonly board: BoardDescription;
  /** Of the firmware, for people. */
  readonly version: string;
  readonly builtAt: Date;
}

/** As `xs_esp32.bin`. */
export function writeSimulatorImage({ program, board, version, builtAt }: SimulatorImage): Uint8Array {
  const { slotBytes, core, main } = program;
  const descriptor: AppDescriptor = {
    ...{ version, project: simulatorProject, built: inC(builtAt), idfVersion: "", secureVersion: 0 },
    elfSha256: createHash("sha256").update(core).update(main).digest(),
  };
  const head = new Uint8Array(headBytes);
  const view = new DataView(head.buffer);
  head.set(magic);
  for (const [i, number] of [slotBytes, core.length, main.length].entries())
    view.setUint32(magic.length + 4 * i, number, true);
  return imageOf(board, Buffer.concat([writeAppDescriptor(descriptor), head, core, main]));
}

/** As `bootloader.bin`: the boot ROM of a simulated chip is its own, and no real chip is to start with this. */
export function writeSimulatorBootloader(board: BoardDescription): Uint8Array {
  return imageOf(
    board,
    new TextEncoder().encode("Covey's simulator needs no bootloader; build for the chip to run on one."),
  );
}

/** undefined for an app that is none of these: firmware for a chip. */
export function simulatorProgram({ image, bytes }: AppInFlash): SimulatorProgram | undefined {
  const [segment] = image.segments;
  const { offsetBytes, lengthBytes } = segment!;
  const data = bytes.subarray(offsetBytes, offsetBytes + lengthBytes).subarray(descriptorBytes);
  if (data.length < headBytes || Buffer.compare(data.subarray(0, magic.length), magic) !== 0)
    return undefined;
  const view = new DataView(data.buffer, data.byteOffset + magic.length, headBytes - magic.length);
  const [coreBytes, mainBytes] = [view.getUint32(4, true), view.getUint32(8, true)];
  if (headBytes + coreBytes + mainBytes > data.length) return undefined;
  const core = data.subarray(headBytes, headBytes + coreBytes);
  const main = data.subarray(headBytes + coreBytes, headBytes + coreBytes + mainBytes);
  return { slotBytes: view.getUint32(0, true), core, main };
}

const magic = new TextEncoder().encode("CoveyXS1");
const headBytes = magic.length + 12;
const descriptorBytes = 256;
/** Where constants lie in the address space of every ESP32 that has one for them: nothing is ever there. */
const dataAddress = 0x3c00_0020;

function imageOf({ chip, flashBytes }: BoardDescription, data: Uint8Array): Uint8Array {
  const flash = { mode: 2, frequency: 0, sizeBytes: flashBytes };
  return writeAppImage({
    chipId: chips[chip].id,
    entry: 0,
    flash,
    segments: [{ address: dataAddress, data }],
  });
}

/** As a C compiler writes `__DATE__ __TIME__`: `Nov 23 2026 04:54:03`, in UTC. */
function inC(at: Date): string {
  const [, day, month, year, time] = at.toUTCString().split(" ") as [string, string, string, string, string];
  return `${month} ${day.replace(/^0/, " ")} ${year} ${time}`;
}
