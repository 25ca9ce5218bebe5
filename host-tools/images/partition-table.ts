/**
 * The partition table of an ESP32: rows of 32 bytes at 0x8000, then a row with their MD5, then 0xFF. ESP-IDF's Programming Guide, "Partition Tables", describes it,
 * its text form (CSV) included.
 *
 * ```
 * AA 50 | type | subtype | offset, 4 | size, 4 | name, 16 | flags, 4          little-endian
 * EB EB | FF x 14 | MD5 of all rows before, 16
 * ```
 */
import { createHash } from "node:crypto";
import { ImageError } from "./image-error.ts";

export interface Partition {
  /** Up to 15 bytes. */
  readonly name: string;
  /** 0 app, 1 data; 0x40 to 0xFE are the user's own. */
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

export const PartitionType = { app: 0, data: 1 } as const;
export const AppSubtype = { factory: 0x00, ota0: 0x10, otaMax: 0x1f, test: 0x20 } as const;
export const DataSubtype = {
  ota: 0x00,
  phy: 0x01,
  nvs: 0x02,
  coredump: 0x03,
  nvsKeys: 0x04,
  spiffs: 0x82,
} as const;

/** @throws {ImageError} */
export function readPartitionTable(bytes: Uint8Array): Partition[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const partitions: Partition[] = [];
  for (let at = 0; at + rowBytes <= Math.min(bytes.length, partitionTableBytes); at += rowBytes) {
    const magic = view.getUint16(at, true);
    if (magic === checksumMagic) {
      checkSum(bytes, at);
      return partitions;
    }
    if (magic === 0xffff) {
      if (partitions.length === 0) throw new ImageError(what, at, "it is empty");
      return partitions;
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
  if ((partitions.length + 1) * rowBytes > partitionTableBytes) {
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

export const partitionsMax = partitionTableBytes / 32 - 1;

/**
 * What is wrong with a table on a flash of this size, a sentence each; empty when nothing is. Offsets are multiples of a sector, of 64 KB for an app, nothing
 * overlaps, and nothing lies in the way of the bootloader or of the table.
 */
export function checkPartitions(partitions: readonly Partition[], flashBytes: number): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  let end = partitionTableOffset + sectorBytes;
  let before = "the partition table";
  for (const each of partitions.toSorted((a, b) => a.offsetBytes - b.offsetBytes)) {
    const { name, type, offsetBytes, sizeBytes } = each;
    const align = type === PartitionType.app ? 0x1_0000 : sectorBytes;
    if (names.has(name)) problems.push(`Two partitions are called ${name}.`);
    names.add(name);
    if (offsetBytes % align !== 0)
      problems.push(`${name} begins at ${hex(offsetBytes)}, which is no multiple of ${hex(align)}.`);
    if (sizeBytes === 0 || sizeBytes % sectorBytes !== 0)
      problems.push(`${name} has ${hex(sizeBytes)} bytes, which is no multiple of a sector.`);
    if (offsetBytes < end)
      problems.push(`${name} at ${hex(offsetBytes)} overlaps ${before}, which ends at ${hex(end)}.`);
    if (offsetBytes + sizeBytes > flashBytes) {
      problems.push(`${name} ends at ${hex(offsetBytes + sizeBytes)}, and the flash at ${hex(flashBytes)}.`);
    }
    end = Math.max(end, offsetBytes + sizeBytes);
    before = name;
  }
  return problems;
}

/** As `data/nvs`; a number where there is no word for it: `data/0x40`. */
export function describeType({ type, subtype }: Pick<Partition, "type" | "subtype">): string {
  const kind = Object.entries(PartitionType).find(([, number]) => number === type)?.[0] ?? hex(type);
  return `${kind}/${subtypeName(type, subtype)}`;
}

/** The word for it in a table's text form, or a number. */
export function subtypeName(type: number, subtype: number): string {
  if (type === PartitionType.app) {
    if (subtype === AppSubtype.factory) return "factory";
    if (subtype === AppSubtype.test) return "test";
    return subtype >= AppSubtype.ota0 && subtype <= AppSubtype.otaMax
      ? `ota_${subtype - AppSubtype.ota0}`
      : hex(subtype);
  }
  if (type !== PartitionType.data) return hex(subtype);
  return Object.entries(dataNames).find(([, number]) => number === subtype)?.[0] ?? hex(subtype);
}

/** Of a word in a table's text form, or a number; undefined for neither. */
export function subtypeOf(type: number, name: string): number | undefined {
  if (type === PartitionType.app) {
    if (name === "factory") return AppSubtype.factory;
    if (name === "test") return AppSubtype.test;
    const [, slot] = /^ota_(\d+)$/.exec(name) ?? [];
    if (slot !== undefined) return Number(slot) <= 15 ? AppSubtype.ota0 + Number(slot) : undefined;
  } else if (type === PartitionType.data && Object.hasOwn(dataNames, name)) {
    return dataNames[name];
  }
  const number = Number(name);
  return name !== "" && Number.isInteger(number) && number >= 0 && number <= 0xfe ? number : undefined;
}

const what = "partition table";
const rowBytes = 32;
const rowMagic = 0x50aa;
const checksumMagic = 0xebeb;
const sectorBytes = 4096;

const dataNames: Readonly<Record<string, number>> = {
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
};

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
