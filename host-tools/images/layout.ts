/** What goes where in the flash of one board: from mcconfig's output folder, or from a merged image. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ChipName, chipLabel, chipWithId } from "../chips/chips.ts";
import { type AppImage, readAppImage } from "./app-image.ts";
import { ImageError } from "./image-error.ts";
import { imageBytesMax, isMerged, type Piece, splitImage } from "./merge.ts";
import { emptyOtaData, readOtaData } from "./ota-data.ts";
import {
  DataSubtype,
  defaultApp,
  isData,
  otaSlots,
  type Partition,
  partitionTableOffset,
  readPartitionTable,
} from "./partition-table.ts";

export type { Piece } from "./merge.ts";

export interface FlashLayout {
  /** By offset. */
  readonly pieces: readonly Piece[];
  readonly chip: ChipName;
  readonly partitions: readonly Partition[];
  readonly bootloader: AppImage;
  /** The app that boots; undefined for a merged image without one. */
  readonly app: AppImage | undefined;
}

/** A folder or a file that makes no layout: the message names the file and what to do. */
export class LayoutError extends Error {
  override readonly name = "LayoutError";
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path} ${problem}.`);
    this.path = path;
  }
}

/** What mcconfig leaves in build/bin/esp32/.../NAME, by its makefile (`make.esp32.mk`). */
export const outputFiles = {
  bootloader: "bootloader.bin",
  table: "partition-table.bin",
  app: "xs_esp32.bin",
  otaData: "ota_data_initial.bin",
} as const;

/**
 * Of a folder, or of a merged image's file. Where the table has otadata it is a piece, empty when mcconfig made none: a board whose other slot was updated boots the app that
 * is written. @throws {LayoutError} for what is missing, damaged, for another chip, or too large for its place
 */
export async function readLayout(path: string): Promise<FlashLayout> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined)
    throw new LayoutError(path, "is not there: build the board's image first (covey build)");
  const layout = info.isDirectory() ? await ofFolder(path) : await ofFile(path, info.size);
  checkFit(path, layout);
  return { ...layout, pieces: layout.pieces.toSorted((a, b) => a.offsetBytes - b.offsetBytes) };
}

async function ofFolder(folder: string): Promise<FlashLayout> {
  const [bootloaderBytes, tableBytes, appBytes] = await Promise.all(
    [outputFiles.bootloader, outputFiles.table, outputFiles.app].map((name) => need(folder, name)),
  );
  const bootloader = read(join(folder, outputFiles.bootloader), () => readAppImage(bootloaderBytes!));
  const partitions = read(join(folder, outputFiles.table), () => readPartitionTable(tableBytes!));
  const app = read(join(folder, outputFiles.app), () => readAppImage(appBytes!));
  if (app.chipId !== bootloader.chipId) {
    throw new LayoutError(
      folder,
      `holds a bootloader for ${chipLabel(bootloader.chipId)} and an app for ${chipLabel(app.chipId)}: build it again`,
    );
  }
  const chip = chipWithId(bootloader.chipId);
  if (chip === undefined)
    throw new LayoutError(folder, `is for a ${chipLabel(bootloader.chipId)}, which is not known`);
  const slot = defaultApp(partitions);
  if (slot === undefined) throw new LayoutError(folder, "has a partition table with no place for an app");
  const pieces: Piece[] = [
    { name: "bootloader", offsetBytes: chip.bootloaderOffset, bytes: bootloaderBytes! },
    { name: "partition table", offsetBytes: partitionTableOffset, bytes: tableBytes! },
    { name: slot.name, offsetBytes: slot.offsetBytes, bytes: appBytes! },
  ];
  const otaData = partitions.find((each) => isData(each, DataSubtype.ota));
  if (otaData !== undefined) {
    const bytes = await readFile(join(folder, outputFiles.otaData)).catch(emptyOtaData);
    pieces.push({ name: otaData.name, offsetBytes: otaData.offsetBytes, bytes });
  }
  return { pieces, chip: chip.name, partitions, bootloader, app };
}

async function ofFile(file: string, sizeBytes: number): Promise<FlashLayout> {
  if (sizeBytes > imageBytesMax) throw new LayoutError(file, "is larger than any flash");
  const image = await readFile(file);
  if (!isMerged(image)) {
    throw new LayoutError(
      file,
      "is no image of a whole flash: give mcconfig's output folder, or a file of covey image merge",
    );
  }
  const { chip, partitions, pieces } = read(file, () => splitImage(image));
  const bootloader = readAppImage(pieces[0]!.bytes);
  const slot = bootingApp(partitions, pieces);
  const piece = pieces.find(({ offsetBytes }) => offsetBytes === slot?.offsetBytes);
  const app = piece && read(`${file}, partition ${piece.name},`, () => readAppImage(piece.bytes));
  if (app !== undefined && app.chipId !== chip.id) {
    throw new LayoutError(
      file,
      `has a bootloader for ${chip.label} and in ${piece!.name} an app for ${chipLabel(app.chipId)}`,
    );
  }
  return { pieces, chip: chip.name, partitions, bootloader, app };
}

/** A copy of a board's flash may say that another slot boots than that of a new board. */
function bootingApp(partitions: readonly Partition[], pieces: readonly Piece[]): Partition | undefined {
  const slots = otaSlots(partitions);
  const otaData = partitions.find((each) => isData(each, DataSubtype.ota));
  const bytes = pieces.find(({ offsetBytes }) => offsetBytes === otaData?.offsetBytes)?.bytes;
  const selected = bytes && slots.length > 0 ? readOtaData(bytes, slots.length) : undefined;
  return selected ? slots[selected.slot] : defaultApp(partitions);
}

async function need(folder: string, name: string): Promise<Uint8Array> {
  return readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw new LayoutError(join(folder, name), `can't be read (${error.code})`);
    throw new LayoutError(
      folder,
      `holds no ${name}: give the folder that mcconfig made, build/bin/esp32/.../release/NAME`,
    );
  });
}

/** What is wrong with bytes, with the file that they come from. */
function read<Value>(file: string, reader: () => Value): Value {
  try {
    return reader();
  } catch (error) {
    throw error instanceof ImageError
      ? new LayoutError(file, `can't be used: ${lowered(error.message)}`)
      : error;
  }
}

function lowered(message: string): string {
  return (message[0]!.toLowerCase() + message.slice(1)).replace(/\.$/, "");
}

function checkFit(path: string, { pieces, partitions }: FlashLayout): void {
  for (const { name, offsetBytes, bytes } of pieces) {
    const room = partitions.find((each) => each.name === name && each.offsetBytes === offsetBytes);
    const end = room ? room.offsetBytes + room.sizeBytes : endOfOwn(name);
    if (offsetBytes + bytes.length > end) {
      const over = offsetBytes + bytes.length - end;
      throw new LayoutError(path, `has a ${name} that is ${over} bytes too large for its place`);
    }
  }
}

/** The bootloader ends where the table begins, and the table with its sector. */
function endOfOwn(name: string): number {
  return name === "bootloader" ? partitionTableOffset : partitionTableOffset + 0x1000;
}
