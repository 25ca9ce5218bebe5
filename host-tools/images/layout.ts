/**
 * What goes where in a board's flash: of the folder that mcconfig fills (`bootloader.bin`, `partition-table.bin`, `xs_esp32.bin`), or of one merged image, which is cut into
 * its partitions. Pure; files are read by `host-tools/flasher/image-files.ts`.
 *
 * A partition that is blank in a merged image is left as it is on the board, because its settings and its identity lie in such. The selection of the app that boots
 * (`otadata`) is always part of a layout, blank unless given: else a board that had updated itself would go on booting its other slot.
 */
import { chipLabel, chipWithId } from "../chips/chips.ts";
import { isAppImage, readAppImage } from "./app-image.ts";
import { ImageError } from "./image-error.ts";
import { isMerged, type Piece, splitImage } from "./merge.ts";
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
  const chip = chipWithId(chipId);
  if (chip === undefined)
    throw new LayoutError(`${source} is for a ${chipLabel(chipId)}, which Covey does not flash.`);
  const partitions = readPartitionTable(table);
  const slot = bootApp(source, partitions);
  const pieces: Piece[] = [
    { name: "bootloader", offsetBytes: chip.bootloaderOffset, bytes: bootloader },
    { name: "partition table", offsetBytes: partitionTableOffset, bytes: table },
    { name: slot.name, offsetBytes: slot.offsetBytes, bytes: app },
  ];
  const selection = partitions.find(isSelection);
  const given = files.get("ota_data_initial.bin");
  if (selection !== undefined && given !== undefined)
    pieces.push({ name: selection.name, offsetBytes: selection.offsetBytes, bytes: given });
  return completed(source, chipId, partitions, pieces);
}

/** @param bytes a flash from its beginning, with a partition table @throws {LayoutError}, {ImageError} */
export function layoutOfMerged(source: string, bytes: Uint8Array): Layout {
  if (!isMerged(bytes)) {
    throw new LayoutError(
      isAppImage(bytes)
        ? `${source} is one app alone: give the folder that it lies in, with bootloader and partition table.`
        : `${source} is no merged image: it has no partition table at 0x8000.`,
    );
  }
  const { chip, partitions, pieces } = splitImage(bytes);
  return completed(source, chip.id, partitions, pieces);
}

/** Where the bootloader lets the app be that it boots when nothing else is selected. @throws {LayoutError} */
export function bootApp(source: string, partitions: readonly Partition[]): Partition {
  const found = defaultApp(partitions);
  if (found === undefined) throw new LayoutError(`The partition table of ${source} has no room for an app.`);
  return found;
}

/**
 * What keeps the pieces from making a board that starts, whatever board it is, a sentence each: images that are damaged or for several chips, and what does not fit its place.
 */
export function layoutProblems({ source, chipId, pieces, partitions, app }: Layout): string[] {
  const problems: string[] = [];
  for (const piece of pieces) {
    const { name, offsetBytes, bytes } = piece;
    const partition = partitions.find((each) => each.offsetBytes === offsetBytes);
    const endBytes = partition ? offsetBytes + partition.sizeBytes : endOf(offsetBytes);
    if (offsetBytes + bytes.length > endBytes) {
      const over = (offsetBytes + bytes.length - endBytes).toLocaleString("en-US");
      problems.push(`The ${name} in ${source} is ${over} bytes too large for its place.`);
    }
    if (piece !== app && name !== "bootloader") continue;
    try {
      const image = readAppImage(bytes);
      if (image.chipId !== chipId) {
        problems.push(
          `The ${name} in ${source} is for an ${chipLabel(image.chipId)}, and other parts for an ${chipLabel(chipId)}: build it again.`,
        );
      }
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      problems.push(`The ${name} in ${source} can't be used. ${error.message}`);
    }
  }
  return problems;
}

export function isSelection(partition: Partition): boolean {
  return isData(partition, DataSubtype.ota);
}

/** Whether nothing is to be there but erased flash. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0xff);
}

function completed(
  source: string,
  chipId: number,
  partitions: readonly Partition[],
  given: readonly Piece[],
): Layout {
  const pieces = [...given];
  const selection = partitions.find(isSelection);
  if (selection !== undefined && !pieces.some(({ offsetBytes }) => offsetBytes === selection.offsetBytes)) {
    const { name, offsetBytes } = selection;
    pieces.push({ name, offsetBytes, bytes: emptyOtaData() });
  }
  pieces.sort((a, b) => a.offsetBytes - b.offsetBytes);
  const { offsetBytes: appAt } = bootingApp(source, partitions, pieces);
  return { source, chipId, pieces, partitions, app: pieces.find(({ offsetBytes }) => offsetBytes === appAt) };
}

/** The copy of a flash may say that another slot boots than that of a new board. */
function bootingApp(source: string, partitions: readonly Partition[], pieces: readonly Piece[]): Partition {
  const slots = otaSlots(partitions);
  const selection = partitions.find(isSelection);
  const bytes = pieces.find(({ offsetBytes }) => offsetBytes === selection?.offsetBytes)?.bytes;
  const selected = bytes && slots.length > 0 ? readOtaData(bytes, slots.length) : undefined;
  return selected ? slots[selected.slot]! : bootApp(source, partitions);
}

/** What is in no partition ends where the table begins, or with the table's sector. */
function endOf(offsetBytes: number): number {
  return offsetBytes < partitionTableOffset ? partitionTableOffset : partitionTableOffset + 0x1000;
}
