/**
 * What goes where in a board's flash: of the folder that mcconfig fills (`bootloader.bin`, `partition-table.bin`, `xs_esp32.bin`), or of one merged image, which is cut into
 * its partitions. Pure; files are read by `image-files.ts`.
 *
 * A partition that is blank in a merged image is left as it is on the board, because its settings and its identity lie in such. The selection of the app that boots
 * (`otadata`) is always part of a layout, blank unless given: else a board that had updated itself would go on booting its other slot.
 */
import { chipLabel, chipWithId, sectorBytes } from "../chips/chips.ts";
import { isAppImage, readAppImage } from "../images/app-image.ts";
import {
  AppSubtype,
  DataSubtype,
  type Partition,
  PartitionType,
  partitionTableOffset,
  readPartitionTable,
} from "../images/partition-table.ts";

export interface Piece {
  readonly name: string;
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

export interface Layout {
  /** The folder or file that it was made of. */
  readonly source: string;
  /** Of the images' headers. */
  readonly chipId: number;
  /** By rising offset. */
  readonly pieces: readonly Piece[];
  readonly partitions: readonly Partition[];
  /** The app that boots; its first sector is written last, so that a half-written board does not start. */
  readonly app: Piece | undefined;
}

/** Files do not make a layout; the message names the one that is missing or wrong. */
export class LayoutError extends Error {
  override readonly name = "LayoutError";
}

/** @param files by the names that mcconfig gives them @throws {LayoutError}, {ImageError} */
export function layoutOfFiles(source: string, files: ReadonlyMap<string, Uint8Array>): Layout {
  const file = (name: string) => {
    const bytes = files.get(name);
    if (bytes === undefined) throw new LayoutError(`${source} has no ${name}: build the board again.`);
    return bytes;
  };
  const app = file("xs_esp32.bin");
  const table = file("partition-table.bin");
  const bootloader = file("bootloader.bin");
  const { chipId } = readAppImage(app);
  const partitions = readPartitionTable(table);
  const pieces: Piece[] = [
    { name: "bootloader", offsetBytes: bootloaderOffset(source, chipId), bytes: bootloader },
    { name: "partition table", offsetBytes: partitionTableOffset, bytes: table },
    {
      name: bootApp(source, partitions).name,
      offsetBytes: bootApp(source, partitions).offsetBytes,
      bytes: app,
    },
  ];
  const selection = partitions.find(isSelection);
  const given = files.get("ota_data_initial.bin");
  if (selection !== undefined && given !== undefined)
    pieces.push({ name: selection.name, offsetBytes: selection.offsetBytes, bytes: given });
  return completed(source, chipId, partitions, pieces);
}

/** @param bytes a flash from its beginning, with a partition table @throws {LayoutError}, {ImageError} */
export function layoutOfMerged(source: string, bytes: Uint8Array): Layout {
  const held = bytes.subarray(partitionTableOffset, partitionTableOffset + sectorBytes);
  if (held[0] !== 0xaa || held[1] !== 0x50) {
    throw new LayoutError(
      isAppImage(bytes)
        ? `${source} is one app alone: give the folder that it lies in, with bootloader and partition table.`
        : `${source} is no merged image: it has no partition table at 0x8000.`,
    );
  }
  const partitions = readPartitionTable(held);
  const bootloaderAt = isAppImage(bytes) ? 0 : 0x1000;
  const bootloader = bytes.subarray(bootloaderAt, partitionTableOffset);
  const { chipId, sizeBytes } = readAppImage(bootloader);
  const pieces: Piece[] = [
    { name: "bootloader", offsetBytes: bootloaderAt, bytes: bootloader.subarray(0, sizeBytes) },
    { name: "partition table", offsetBytes: partitionTableOffset, bytes: written(held) },
  ];
  for (const { name, offsetBytes, sizeBytes: size } of partitions) {
    const content = written(bytes.subarray(offsetBytes, offsetBytes + size));
    if (content.length > 0) pieces.push({ name, offsetBytes, bytes: content });
  }
  return completed(source, chipId, partitions, pieces);
}

/** Where the bootloader lets the app be that it boots when nothing else is selected. */
export function bootApp(source: string, partitions: readonly Partition[]): Partition {
  const apps = partitions.filter(({ type }) => type === PartitionType.app);
  const found =
    apps.find(({ subtype }) => subtype === AppSubtype.factory) ??
    apps.find(({ subtype }) => subtype === AppSubtype.ota0);
  if (found === undefined) throw new LayoutError(`The partition table of ${source} has no room for an app.`);
  return found;
}

export function isSelection({ type, subtype }: Partition): boolean {
  return type === PartitionType.data && subtype === DataSubtype.ota;
}

/** Whether nothing is to be there but erased flash. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0xff);
}

function completed(source: string, chipId: number, partitions: Partition[], given: Piece[]): Layout {
  const pieces = [...given];
  const selection = partitions.find(isSelection);
  if (selection !== undefined && !pieces.some(({ offsetBytes }) => offsetBytes === selection.offsetBytes)) {
    const { name, offsetBytes, sizeBytes } = selection;
    pieces.push({ name, offsetBytes, bytes: new Uint8Array(sizeBytes).fill(0xff) });
  }
  pieces.sort((a, b) => a.offsetBytes - b.offsetBytes);
  const { offsetBytes: appAt } = bootApp(source, partitions);
  return { source, chipId, pieces, partitions, app: pieces.find(({ offsetBytes }) => offsetBytes === appAt) };
}

function bootloaderOffset(source: string, chipId: number): number {
  const chip = chipWithId(chipId);
  if (chip === undefined) {
    throw new LayoutError(`${source} is for a ${chipLabel(chipId)}, which Covey does not flash.`);
  }
  return chip.bootloaderOffset;
}

/** Up to the last byte that is not as an erase leaves it, in whole words. */
function written(bytes: Uint8Array): Uint8Array {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0xff) length--;
  return bytes.subarray(0, Math.min(bytes.length, Math.ceil(length / 16) * 16));
}
