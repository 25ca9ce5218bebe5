/** Images as a linker and mcconfig would leave them, small, for one chip. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChipName, chips } from "../../../host-tools/chips/chips.ts";
import { type NewImage, writeAppDescriptor, writeAppImage } from "../../../host-tools/images/app-image.ts";
import { emptyOtaData } from "../../../host-tools/images/ota-data.ts";
import { parsePartitionCsv } from "../../../host-tools/images/partition-csv.ts";
import { type Partition, writePartitionTable } from "../../../host-tools/images/partition-table.ts";

export const slotsCsv = `# Name, Type, SubType, Offset, Size, Flags
nvs, data, nvs, 0x9000, 0x6000,
otadata, data, ota, 0xf000, 0x2000,
phy_init, data, phy, 0x11000, 0x1000,
ota_0, app, ota_0, 0x20000, 0x1d0000,
ota_1, app, ota_1, 0x1f0000, 0x1d0000,
log, data, 0x40, 0x3c0000, 0x40000,
`;

/** mcconfig's own table for an ESP32 (Moddable SDK, build/devices/esp32/xsProj/partitions.csv), its comments left out. */
export const mcconfigCsv = `
# Name,   Type, SubType, Offset,  Size, Flags
nvs,      data, nvs,     0x9000,  0x006000,
phy_init, data, phy,     0xf000,  0x001000,
factory,  app,  factory, 0x10000, 0x3B0000,
xs,       0x40, 1,       0x3D0000, 0x010000,
settings, data, 1,       0x3E0000, 0x010000,
`;

export const descriptor = {
  version: "0.1.0",
  project: "xs_esp32",
  built: "Nov 23 2026 04:54:03",
  idfVersion: "v5.5",
  secureVersion: 0,
  elfSha256: new Uint8Array(32).fill(0xe1),
};

const flash = { mode: 2, frequency: 0, sizeBytes: 4 * 1024 * 1024 };

export function sampleApp(chip: ChipName, dataBytes = 700, more: Partial<NewImage> = {}): Uint8Array {
  const rodata = new Uint8Array(256 + 64).fill(0x33);
  rodata.set(writeAppDescriptor(descriptor));
  return writeAppImage({
    chipId: chips[chip].id,
    entry: 0x4008_0000,
    flash,
    segments: [
      { address: 0x3f40_0020, data: rodata },
      { address: 0x4008_0000, data: Uint8Array.from({ length: dataBytes }, (_, i) => (i * 31) ^ (i >> 3)) },
    ],
    ...more,
  });
}

export function sampleBootloader(chip: ChipName): Uint8Array {
  return writeAppImage({
    chipId: chips[chip].id,
    entry: 0x4008_0400,
    flash,
    segments: [{ address: 0x4008_0400, data: new Uint8Array(1000).fill(0xb0) }],
  });
}

export interface OutputFiles {
  readonly partitions?: readonly Partition[];
  readonly app?: Uint8Array;
  readonly bootloader?: Uint8Array;
  readonly otaData?: boolean;
}

/** What mcconfig leaves in its output folder. */
export function outputFiles(chip: ChipName, contents: OutputFiles = {}): Map<string, Uint8Array> {
  const { partitions = parsePartitionCsv(slotsCsv), otaData = true } = contents;
  const files = new Map([
    ["bootloader.bin", contents.bootloader ?? sampleBootloader(chip)],
    ["partition-table.bin", writePartitionTable(partitions)],
    ["xs_esp32.bin", contents.app ?? sampleApp(chip)],
  ]);
  if (otaData) files.set("ota_data_initial.bin", emptyOtaData());
  return files;
}

export function writeOutputFolder(folder: string, chip: ChipName, contents?: OutputFiles): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of outputFiles(chip, contents)) writeFileSync(join(folder, name), bytes);
  return folder;
}
