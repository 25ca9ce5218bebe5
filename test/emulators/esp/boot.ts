/** What a chip does and says when it starts: the ROM's lines, and whether what lies in the flash would run. */
import { createHash } from "node:crypto";
import type { ChipTraits, ResetCause } from "./chip-table.ts";

export interface Boot {
  readonly mode: "download" | "application" | "no-image";
  /** Out of UART 0, at 115,200 bit/s. */
  readonly lines: string;
}

export function boot(traits: ChipTraits, cause: ResetCause, download: boolean, flash: Uint8Array): Boot {
  const strap = download ? traits.boot.download : traits.boot.flash;
  const reset = `${traits.banner}rst:${traits.causes[cause]},boot:${strap}\r\n`;
  if (download) return { mode: "download", lines: `${reset}waiting for download\r\n` };
  const trouble = bootTrouble(traits, flash);
  if (trouble !== undefined) return { mode: "no-image", lines: reset + trouble };
  return {
    mode: "application",
    lines: `${reset}I (24) boot: Loaded app from partition\r\nI (310) main_task: Started\r\n`,
  };
}

/** The bootloader, the partition table and the first application, as the ROM and the bootloader look at them. */
function bootTrouble(traits: ChipTraits, flash: Uint8Array): string | undefined {
  if (!isSound(flash.subarray(traits.bootloaderOffset))) return traits.noImage;
  for (
    let row = partitionTable;
    row < partitionTable + 0xc00 && flash[row] === 0xaa && flash[row + 1] === 0x50;
    row += 32
  ) {
    if (flash[row + 2] !== applicationType) continue;
    const offset = Buffer.from(flash.subarray(row + 4, row + 8)).readUInt32LE();
    if (isSound(flash.subarray(offset))) return undefined;
    return `E (65) esp_image: image at 0x${offset.toString(16)} has invalid magic byte or checksum\r\nE (71) boot: No bootable app partitions in the partition table\r\n`;
  }
  return "E (60) flash_parts: partition 0 invalid magic number 0xffff\r\nE (66) boot: Failed to verify partition table\r\n";
}

/** Header, segments, checksum; and the SHA-256 when there is one. ESP-IDF, "App Image Format". */
function isSound(image: Uint8Array): boolean {
  if (image[0] !== 0xe9 || image.length < 24) return false;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  let at = 24;
  let sum = 0xef;
  for (let segment = 0; segment < image[1]!; segment++) {
    if (at + 8 > image.length) return false;
    const end = at + 8 + view.getUint32(at + 4, true);
    if (end > image.length) return false;
    for (at += 8; at < end; at++) sum ^= image[at]!;
  }
  const sumAt = at - (at % 16) + 15;
  if (image[sumAt] !== sum) return false;
  if (image[23] !== 1) return true;
  const digest = createHash("sha256")
    .update(image.subarray(0, sumAt + 1))
    .digest();
  return Buffer.compare(digest, image.subarray(sumAt + 1, sumAt + 33)) === 0;
}

const partitionTable = 0x8000;
const applicationType = 0;
