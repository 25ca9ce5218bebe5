/**
 * The partition table of an ESP32: rows of 32 bytes at 0x8000, then a row with their MD5, then 0xFF. ESP-IDF's Programming Guide, "Partition Tables", describes it,
 * its text form (CSV) included.
 *
 * ```
 * AA 50 | type | subtype | offset, 4 | size, 4 | name, 16 | flags, 4          little-endian
 * EB EB | FF x 14 | MD5 of all rows before, 16
 * FF x 32
 * ```
 */
import { createHash } from "node:crypto";
import { ImageError } from "./image-error.ts";

export interface Partition {
  /** Up to 15 bytes. */
  readonly name: string;
  /** 0 app, 1 data, 2 bootloader, 3 partition table; 0x40 to 0xFE are the user's own. */
  readonly type: number;
  readonly subtype: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Bit 0: encrypted; bit 1: read-only. */
  readonly flags: number;
}

export const partitionTableOffset = 0x8000;
/** A table takes one sector, of which the rows may fill the first 3,072 bytes. */
export const partitionTableBytes = 0xc00;

export const PartitionType = { app: 0, data: 1, bootloader: 2, partition_table: 3 } as const;
export const AppSubtype = { factory: 0x00, ota0: 0x10, otaMax: 0x1f, test: 0x20 } as const;
export const DataSubtype = {
  ota: 0x00,
  phy: 0x01,
  nvs: 0x02,
  coredump: 0x03,
  nvsKeys: 0x04,
  spiffs: 0x82,
} as const;

/** A table without a row of MD5, as ESP-IDF made them before 2018, is one too. @throws {ImageError} */
export function readPartitionTable(bytes: Uint8Array): Partition[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const partitions: Partition[] = [];
  let isChecked = false;
  for (let at = 0; at + rowBytes <= Math.min(bytes.length, partitionTableBytes); at += rowBytes) {
    const magic = view.getUint16(at, true);
    if (magic === endMagic) {
      if (partitions.length === 0) throw new ImageError(what, at, "it is empty");
      return partitions;
    }
    if (isChecked) throw new ImageError(what, at, "a row follows the MD5");
    if (magic === checksumMagic) {
      checkSum(bytes, at);
      isChecked = true;
      continue;
    }
    if (magic !== rowMagic) throw new ImageError(what, at, `a row begins with 0x${magic.toString(16)}`);
    partitions.push({
      name: text(bytes.subarray(at + 12, at + 28)),
      type: bytes[at + 2]!,
      subtype: bytes[at + 3]!,
      offsetBytes: view.getUint32(at + 4, true),
      sizeBytes: view.getUint32(at + 8, true),
      flags: view.getUint32(at + 28, true),
    });
  }
  throw new ImageError(what, bytes.length, "it has no end");
}

/** One whole table of `partitionTableBytes`. @throws {RangeError} for more partitions than fit, or a name too long */
export function writePartitionTable(partitions: readonly Partition[]): Uint8Array {
  const bytes = new Uint8Array(partitionTableBytes).fill(0xff);
  if (partitions.length > partitionsMax) {
    throw new RangeError(`${partitions.length} partitions do not fit one table; it holds ${partitionsMax}.`);
  }
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { name, type, subtype, offsetBytes, sizeBytes, flags } of partitions) {
    const encoded = new TextEncoder().encode(name);
    if (encoded.length > 15) throw new RangeError(`The partition's name ${name} is longer than 15 bytes.`);
    view.setUint16(at, rowMagic, true);
    bytes[at + 2] = type;
    bytes[at + 3] = subtype;
    view.setUint32(at + 4, offsetBytes, true);
    view.setUint32(at + 8, sizeBytes, true);
    bytes.fill(0, at + 12, at + 28).set(encoded, at + 12);
    view.setUint32(at + 28, flags, true);
    at += rowBytes;
  }
  view.setUint16(at, checksumMagic, true);
  bytes.set(md5(bytes.subarray(0, at)), at + 16);
  return bytes;
}

/** A row holds the MD5 and one is the end; without an end the bootloader takes no table. */
export const partitionsMax = partitionTableBytes / 32 - 2;

/**
 * What is wrong with a table on a flash of this size, a sentence each; empty when nothing is. ESP-IDF's own rules (`gen_esp32part.py`): offsets are multiples of a sector,
 * of 64 KB for an app; an app's size is one of a sector; names are there once, otadata too, and it has two sectors; an NVS that is written has three; nothing overlaps, and
 * nothing but the bootloader's and the table's own partitions lies where they are.
 */
export function checkPartitions(partitions: readonly Partition[], flashBytes: number): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  let hasOtaData = false;
  let end = 0;
  let before = "";
  for (const each of partitions.toSorted((a, b) => a.offsetBytes - b.offsetBytes)) {
    const { name, type, offsetBytes, sizeBytes } = each;
    const align = type === PartitionType.app ? 0x1_0000 : sectorBytes;
    const isOwn = isBoot(each);
    if (!isOwn && end < partitionTableOffset + sectorBytes) {
      end = partitionTableOffset + sectorBytes;
      before = "the partition table";
    }
    if (names.has(name)) problems.push(`Two partitions are called ${name}.`);
    names.add(name);
    if (offsetBytes % align !== 0)
      problems.push(`${name} begins at ${hex(offsetBytes)}, which is no multiple of ${hex(align)}.`);
    if (sizeBytes === 0) problems.push(`${name} has no bytes.`);
    if (type === PartitionType.app && sizeBytes % sectorBytes !== 0)
      problems.push(`${name} has ${hex(sizeBytes)} bytes, which is no multiple of ${hex(sectorBytes)}.`);
    if (isData(each, DataSubtype.ota)) {
      if (hasOtaData) problems.push(`${name} is a second otadata; a table has one.`);
      hasOtaData = true;
      if (sizeBytes !== 2 * sectorBytes)
        problems.push(`${name} has ${hex(sizeBytes)} bytes; otadata has ${hex(2 * sectorBytes)}.`);
    }
    if (isData(each, DataSubtype.nvs) && (each.flags & 2) === 0 && sizeBytes < 3 * sectorBytes)
      problems.push(`${name} has ${hex(sizeBytes)} bytes; an NVS has ${hex(3 * sectorBytes)} at least.`);
    if (offsetBytes < end)
      problems.push(`${name} at ${hex(offsetBytes)} overlaps ${before}, which ends at ${hex(end)}.`);
    if (offsetBytes + sizeBytes > flashBytes)
      problems.push(`${name} ends at ${hex(offsetBytes + sizeBytes)}, and the flash at ${hex(flashBytes)}.`);
    if (offsetBytes + sizeBytes >= end) {
      end = offsetBytes + sizeBytes;
      before = name;
    }
  }
  return problems;
}

/** The app that boots where otadata chooses none: the factory app, or the first slot. */
export function defaultApp(partitions: readonly Partition[]): Partition | undefined {
  const app = (subtype: number) =>
    partitions.find((each) => each.type === PartitionType.app && each.subtype === subtype);
  return app(AppSubtype.factory) ?? app(AppSubtype.ota0);
}

/** How many slots `ota_0`, `ota_1`... there are in a row, which is what the bootloader counts. */
export function otaSlots(partitions: readonly Partition[]): Partition[] {
  const slots: Partition[] = [];
  for (let subtype: number = AppSubtype.ota0; subtype <= AppSubtype.otaMax; subtype++) {
    const slot = partitions.find((each) => each.type === PartitionType.app && each.subtype === subtype);
    if (slot === undefined) break;
    slots.push(slot);
  }
  return slots;
}

export function isData({ type, subtype }: Partition, wanted: number): boolean {
  return type === PartitionType.data && subtype === wanted;
}

/** As `data/nvs`; a number where there is no word for it: `data/0x40`. */
export function describeType({ type, subtype }: Pick<Partition, "type" | "subtype">): string {
  return `${typeName(type)}/${subtypeName(type, subtype)}`;
}

/** The word for it in a table's text form, or a number. */
export function typeName(type: number): string {
  return wordFor(PartitionType, type) ?? hex(type);
}

/** The word for it in a table's text form, or a number. */
export function subtypeName(type: number, subtype: number): string {
  return wordFor(subtypeNames[type] ?? {}, subtype) ?? hex(subtype);
}

/** Of a word in a table's text form; undefined for none. */
export function subtypeOf(type: number, name: string): number | undefined {
  const names = subtypeNames[type] ?? {};
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

const what = "partition table";
const rowBytes = 32;
const rowMagic = 0x50aa;
const checksumMagic = 0xebeb;
const endMagic = 0xffff;
const sectorBytes = 4096;

const subtypeNames: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  [PartitionType.app]: {
    factory: AppSubtype.factory,
    ...Object.fromEntries(Array.from({ length: 16 }, (_, slot) => [`ota_${slot}`, AppSubtype.ota0 + slot])),
    test: AppSubtype.test,
    tee_0: 0x30,
    tee_1: 0x31,
  },
  [PartitionType.data]: {
    ota: DataSubtype.ota,
    phy: DataSubtype.phy,
    nvs: DataSubtype.nvs,
    coredump: DataSubtype.coredump,
    nvs_keys: DataSubtype.nvsKeys,
    efuse: 0x05,
    undefined: 0x06,
    esphttpd: 0x80,
    fat: 0x81,
    spiffs: DataSubtype.spiffs,
    littlefs: 0x83,
    tee_ota: 0x90,
  },
  [PartitionType.bootloader]: { primary: 0, ota: 1, recovery: 2 },
  [PartitionType.partition_table]: { primary: 0, ota: 1 },
};

function wordFor(words: Readonly<Record<string, number>>, wanted: number): string | undefined {
  return Object.entries(words).find(([, number]) => number === wanted)?.[0];
}

function isBoot({ type, subtype }: Partition): boolean {
  return (type === PartitionType.bootloader || type === PartitionType.partition_table) && subtype === 0;
}

function checkSum(bytes: Uint8Array, at: number): void {
  const stated = bytes.subarray(at + 16, at + 32);
  if (Buffer.compare(stated, md5(bytes.subarray(0, at))) !== 0) {
    throw new ImageError(what, at, "its MD5 does not fit its rows");
  }
}

function md5(bytes: Uint8Array): Uint8Array {
  return createHash("md5").update(bytes).digest();
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
