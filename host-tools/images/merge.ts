/** Pieces of a flash and the one image that they make together: offset 0 first, 0xFF between them. */
import { type Chip, chipLabel, chipWithId, sectorBytes } from "../chips/chips.ts";
import { isAppImage, readAppImage } from "./app-image.ts";
import { ImageError } from "./image-error.ts";
import {
  DataSubtype,
  isData,
  type Partition,
  PartitionType,
  partitionTableBytes,
  partitionTableOffset,
  readPartitionTable,
} from "./partition-table.ts";

/** Bytes with their place in the flash; those of a split image are views of it. */
export interface Piece {
  /** `bootloader`, `partition table`, or the partition's name. */
  readonly name: string;
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

export interface SplitImage {
  readonly chip: Chip;
  readonly partitions: readonly Partition[];
  readonly pieces: readonly Piece[];
}

/** No flash of an ESP32 is larger. */
export const imageBytesMax = 128 * 1024 * 1024;

/** @throws {RangeError} for no piece, pieces that overlap, and one that ends beyond every flash */
export function mergePieces(pieces: readonly Piece[]): Uint8Array {
  let before: Piece | undefined;
  let end = 0;
  for (const piece of pieces.toSorted((a, b) => a.offsetBytes - b.offsetBytes)) {
    if (before !== undefined && piece.offsetBytes < end) {
      throw new RangeError(
        `${piece.name} at ${hex(piece.offsetBytes)} overlaps ${before.name}, which ends at ${hex(end)}.`,
      );
    }
    before = piece;
    end = piece.offsetBytes + piece.bytes.length;
  }
  if (before === undefined || end > imageBytesMax) {
    throw new RangeError(`Pieces that end at ${hex(end)} make no image of a flash.`);
  }
  const image = new Uint8Array(end).fill(0xff);
  for (const { offsetBytes, bytes } of pieces) image.set(bytes, offsetBytes);
  return image;
}

/** Whether bytes have a partition table where a flash has it. */
export function isMerged(image: Uint8Array): boolean {
  return image[partitionTableOffset] === 0xaa && image[partitionTableOffset + 1] === 0x50;
}

/**
 * An image of a flash, from offset 0, back into pieces by its own partition table. A partition that is empty in the image is no piece, so that a board keeps what it has there;
 * only otadata is one also when it is empty, because it says that the board boots the app of this image. @throws {ImageError}
 */
export function splitImage(image: Uint8Array): SplitImage {
  if (!isMerged(image)) {
    throw new ImageError(what, partitionTableOffset, "no partition table begins at 0x8000");
  }
  const tableBytes = image.subarray(partitionTableOffset, partitionTableOffset + partitionTableBytes);
  const partitions = readPartitionTable(tableBytes);
  const { chip, bootloader } = findBootloader(image);
  const pieces: Piece[] = [
    bootloader,
    { name: "partition table", offsetBytes: partitionTableOffset, bytes: tableBytes },
  ];
  for (const partition of partitions) {
    const bytes = contentOf(image, partition);
    if (bytes !== undefined) pieces.push({ name: partition.name, offsetBytes: partition.offsetBytes, bytes });
  }
  return { chip, partitions, pieces };
}

const what = "image of a flash";

/** The chips' ROMs look for it at different offsets; its header says which chip it is for, and so which of them is right. */
function findBootloader(image: Uint8Array): { chip: Chip; bootloader: Piece } {
  for (const offsetBytes of [0x1000, 0]) {
    const rest = image.subarray(offsetBytes, partitionTableOffset);
    if (!isAppImage(rest)) continue;
    const { chipId, sizeBytes } = readAppImage(rest);
    const chip = chipWithId(chipId);
    if (chip === undefined)
      throw new ImageError(
        what,
        offsetBytes,
        `its bootloader is for a ${chipLabel(chipId)}, which is not known`,
      );
    if (chip.bootloaderOffset !== offsetBytes) continue;
    return { chip, bootloader: { name: "bootloader", offsetBytes, bytes: rest.subarray(0, sizeBytes) } };
  }
  throw new ImageError(what, 0, "no bootloader begins at 0x0 or 0x1000");
}

function contentOf(image: Uint8Array, partition: Partition): Uint8Array | undefined {
  const { type, offsetBytes, sizeBytes } = partition;
  // The bootloader's and the table's own partitions, which are pieces already.
  if (type === PartitionType.bootloader || type === PartitionType.partition_table) return undefined;
  const bytes = image.subarray(offsetBytes, offsetBytes + sizeBytes);
  const lastUsed = bytes.findLastIndex((byte) => byte !== 0xff);
  if (lastUsed < 0) return isData(partition, DataSubtype.ota) && bytes.length > 0 ? bytes : undefined;
  // Of an app what is written, in whole sectors; of data all, because its empty sectors mean something.
  if (type !== PartitionType.app) return bytes;
  return bytes.subarray(0, Math.ceil((lastUsed + 1) / sectorBytes) * sectorBytes);
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
