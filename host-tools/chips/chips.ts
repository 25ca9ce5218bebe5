/**
 * The chips that Covey flashes, as a table: what tells one from another, where its ROM looks for a bootloader, and where its eFuses say which revision it is and
 * what was locked. From the chips' technical reference manuals ("eFuse Controller") and ESP-IDF's `esp_app_format.h`.
 */
export interface Chip {
  readonly name: ChipName;
  /** As Espressif writes it. */
  readonly label: string;
  /** In image headers. */
  readonly id: number;
  readonly bootloaderOffset: number;
  readonly revision: RevisionFields;
  /** Flashed against an emulated chip in the tests; the others by table alone. */
  readonly proven: boolean;
}

export type ChipName = "esp32" | "esp32s2" | "esp32s3" | "esp32c3" | "esp32c6" | "esp32h2";

/** Bits of eFuses; several fields make one number, the highest first. */
export interface RevisionFields {
  readonly major: readonly EfuseField[];
  readonly minor: readonly EfuseField[];
}

export interface EfuseField {
  readonly address: number;
  readonly shift: number;
  readonly bits: number;
}

export const chips: Readonly<Record<ChipName, Chip>> = {
  esp32: {
    name: "esp32",
    label: "ESP32",
    id: 0,
    bootloaderOffset: 0x1000,
    // Its major revision is counted in three single bits; the last one is in the system controller's date.
    revision: {
      major: [
        { address: 0x3ff6607c, shift: 31, bits: 1 },
        { address: 0x3ff5a014, shift: 20, bits: 1 },
        { address: 0x3ff5a00c, shift: 15, bits: 1 },
      ],
      minor: [{ address: 0x3ff5a014, shift: 24, bits: 2 }],
    },
    proven: true,
  },
  esp32s2: {
    name: "esp32s2",
    label: "ESP32-S2",
    id: 2,
    bootloaderOffset: 0x1000,
    revision: {
      major: [{ address: 0x3f41a050, shift: 18, bits: 2 }],
      minor: [
        { address: 0x3f41a050, shift: 20, bits: 1 },
        { address: 0x3f41a054, shift: 4, bits: 3 },
      ],
    },
    proven: false,
  },
  esp32s3: {
    name: "esp32s3",
    label: "ESP32-S3",
    id: 9,
    bootloaderOffset: 0,
    revision: block1(0x60007044),
    proven: true,
  },
  esp32c3: {
    name: "esp32c3",
    label: "ESP32-C3",
    id: 5,
    bootloaderOffset: 0,
    revision: block1(0x60008844),
    proven: true,
  },
  esp32c6: {
    name: "esp32c6",
    label: "ESP32-C6",
    id: 13,
    bootloaderOffset: 0,
    revision: {
      major: [{ address: 0x600b0850, shift: 22, bits: 2 }],
      minor: [{ address: 0x600b0850, shift: 18, bits: 4 }],
    },
    proven: false,
  },
  esp32h2: {
    name: "esp32h2",
    label: "ESP32-H2",
    id: 16,
    bootloaderOffset: 0,
    revision: {
      major: [{ address: 0x600b0850, shift: 21, bits: 2 }],
      minor: [{ address: 0x600b0850, shift: 18, bits: 3 }],
    },
    proven: false,
  },
};

export function chipWithId(id: number): Chip | undefined {
  return Object.values(chips).find((chip) => chip.id === id);
}

export function chipLabelled(label: string): Chip | undefined {
  return Object.values(chips).find((chip) => chip.label === label);
}

/** What a person calls a chip of an image's header. */
export function chipLabel(id: number): string {
  return chipWithId(id)?.label ?? `chip with the id ${id}`;
}

/** major * 100 + minor as `v3.1`. */
export function revisionText(revision: number): string {
  return `v${Math.floor(revision / 100)}.${revision % 100}`;
}

/** The USB ids of a chip's own port, USB-Serial/JTAG, which has other reset lines than a bridge. */
export const nativeUsb = { vendorId: 0x303a, productId: 0x1001 } as const;

/** Flash is erased in sectors, and faster in blocks. */
export const sectorBytes = 0x1000;
export const blockBytes = 0x1_0000;

/** The same words of block 1 in the ESP32-S3 and the ESP32-C3. */
function block1(address: number): RevisionFields {
  return {
    major: [{ address: address + 0x14, shift: 24, bits: 2 }],
    minor: [
      { address: address + 0x14, shift: 23, bits: 1 },
      { address: address + 0x0c, shift: 18, bits: 3 },
    ],
  };
}
