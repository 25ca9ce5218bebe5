/** Builds what a simulated board of one kind is flashed with: the files that the Moddable SDK leaves for a chip, with bytecode of the simulator's engine in them. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BoardDescription, imageBytesMax, partitionTable } from "../boards/boards.ts";
import { parsePartitionCsv } from "../images/partition-csv.ts";
import { writePartitionTable } from "../images/partition-table.ts";
import {
  firmwareVersion,
  type SimulatorProgram,
  writeSimulatorBootloader,
  writeSimulatorImage,
} from "../simulator/chip/simulator-image.ts";
import { bytecodeOf, compileFirmware } from "../simulator/engines/xs-engine.ts";
import { buildXsHost } from "../simulator/xs-host/build.ts";
import { OverBudget } from "./build-board.ts";

export interface SimulatorBuild {
  readonly board: BoardDescription;
  /** What the firmware says that it is; its own version when absent. */
  readonly version?: string | undefined;
  /** Made, and replaced where it is there. */
  readonly folder: string;
  onProgress(text: string): void;
}

export interface SimulatorBuilt {
  readonly version: string;
  readonly file: string;
  readonly bytes: number;
  readonly bytesMax: number;
}

/** @throws NoCompiler, BuildFailed, BundleError, OverBudget */
export async function buildSimulatorImage(options: SimulatorBuild): Promise<SimulatorBuilt> {
  const { version, onProgress } = options;
  onProgress("Making the XS engine ready");
  const host = await buildXsHost();
  onProgress("Compiling the firmware for XS");
  const program = await bytecodeOf(await compileFirmware(host, version));
  return writeSimulatorFiles(program, options);
}

/** @throws OverBudget when the program does not fit the board's slot */
export async function writeSimulatorFiles(
  program: SimulatorProgram,
  { board, version = firmwareVersion, folder }: Omit<SimulatorBuild, "onProgress">,
): Promise<SimulatorBuilt> {
  const image = writeSimulatorImage({ program, board, version, builtAt: new Date() });
  const bytesMax = imageBytesMax(board);
  if (image.length > bytesMax) {
    const [has, fits] = [image.length, bytesMax].map((bytes) => bytes.toLocaleString("en-US"));
    throw new OverBudget(
      `The image of ${has} bytes does not fit an update slot of ${board.name}, ${fits} bytes.`,
    );
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const file = join(folder, "xs_esp32.bin");
  await writeFile(file, image);
  await writeFile(join(folder, "bootloader.bin"), writeSimulatorBootloader(board));
  const table = writePartitionTable(parsePartitionCsv(partitionTable(board)));
  await writeFile(join(folder, "partition-table.bin"), table);
  return { version, file, bytes: image.length, bytesMax };
}
