/** Images of a board as mcconfig makes them: sound headers, hashes and table, with a program that deflates to about 0.55 as real ones do. */
import { createHash } from "node:crypto";
import { type ChipName, chips } from "../../../host-tools/chips/chips.ts";
import { writeAppDescriptor, writeAppImage } from "../../../host-tools/images/app-image.ts";
import { type Layout, layoutOfFiles } from "../../../host-tools/images/layout.ts";
import { type Partition, writePartitionTable } from "../../../host-tools/images/partition-table.ts";

export interface BoardImage {
  readonly chip: ChipName;
  readonly appBytes: number;
  readonly version?: string;
  readonly minRevision?: number;
  readonly flashBytes?: number;
  /** Another seed is another program. */
  readonly seed?: number;
  /** 64 bytes of the program there, from the image's beginning, are others; the image's hash is with them. */
  readonly changedAt?: number;
}

export const flash4MB = 0x40_0000;

export const partitions: readonly Partition[] = [
  { name: "nvs", type: 1, subtype: 2, offsetBytes: 0x9000, sizeBytes: 0x6000, flags: 0 },
  { name: "otadata", type: 1, subtype: 0, offsetBytes: 0xf000, sizeBytes: 0x2000, flags: 0 },
  { name: "phy_init", type: 1, subtype: 1, offsetBytes: 0x11000, sizeBytes: 0x1000, flags: 0 },
  { name: "ota_0", type: 0, subtype: 0x10, offsetBytes: 0x20000, sizeBytes: 0x1d0000, flags: 0 },
  { name: "ota_1", type: 0, subtype: 0x11, offsetBytes: 0x1f0000, sizeBytes: 0x1d0000, flags: 0 },
  { name: "log", type: 1, subtype: 0x40, offsetBytes: 0x3c0000, sizeBytes: 0x40000, flags: 0 },
];

/** The files that mcconfig leaves, by name. */
export function boardFiles(image: BoardImage): Map<string, Uint8Array> {
  return new Map([
    ["bootloader.bin", bootImage(image, programBytes(18_000, 77))],
    ["partition-table.bin", writePartitionTable(partitions)],
    ["xs_esp32.bin", appImage(image)],
  ]);
}

export function boardLayout(image: BoardImage): Layout {
  return layoutOfFiles("build/boards/north-1", boardFiles(image));
}

export function appImage(image: BoardImage): Uint8Array {
  const descriptor = writeAppDescriptor({
    version: image.version ?? "1.0.0",
    project: "xs_esp32",
    built: "Nov 23 2026 05:00:00",
    idfVersion: "v6.0",
    secureVersion: 0,
    elfSha256: createHash("sha256").update("elf").digest(),
  });
  const program = programBytes(image.appBytes - descriptor.length - 24 - 8 - 48, image.seed ?? 1);
  if (image.changedAt !== undefined) {
    const at = image.changedAt - descriptor.length - 32;
    program.fill(0xa5, at, at + 64);
  }
  return bootImage(image, Buffer.concat([descriptor, program]));
}

function bootImage(
  { chip, minRevision = 0, flashBytes = flash4MB }: BoardImage,
  data: Uint8Array,
): Uint8Array {
  return writeAppImage({
    chipId: chips[chip].id,
    entry: 0x4038_0000,
    flash: { mode: 2, frequency: 0, sizeBytes: flashBytes },
    minRevision,
    segments: [{ address: 0x3c00_0020, data }],
  });
}

/** Of every 64 bytes, 33 drawn and the others the same: deflates to about 0.55. */
function programBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = at % 64 < 33 ? state >>> 24 : at % 64;
  }
  return bytes;
}
