/**
 * The layout of NVS, ESP-IDF's store for small values: ESP-IDF's API guide, "Non-Volatile Storage Library", "Internals", version 2 of the format.
 *
 * ```
 * page, 4,096      header, 32 | bitmap of entry states, 32 | 126 entries of 32
 * header           state, 4 | sequence, 4 | version FE | FF x 19 | CRC-32 of bytes 4 to 27
 * entry            namespace | type | span | chunk | CRC-32 of the rest, 4 | key, 16 | data, 8
 * data             of a number: itself; of a text or a blob's chunk: length, 2 | FF FF | CRC-32 of what follows in the next entries
 *                  of a blob's index: length, 4 | chunks | number of the first, 00 or 80 | FF FF
 * ```
 *
 * A blob's chunks are written before its index, with the other first number than the value that they replace, so that a power cut leaves the old one or the new one.
 *
 * Where the partition is encrypted, entries are (AES-256-XTS, an entry a unit, its offset in the partition the tweak), header and bitmap are not.
 */
import { crc32 } from "node:zlib";

export const pageBytes = 4096;
export const entryBytes = 32;
export const entriesPerPage = 126;
export const firstEntryAt = 64;

/** A page's state clears one bit after the other. */
export const PageState = {
  uninitialized: 0xffff_ffff,
  active: 0xffff_fffe,
  full: 0xffff_fffc,
  freeing: 0xffff_fff8,
  corrupt: 0xffff_fff0,
} as const;

/** Two bits of the bitmap for each entry. */
export const EntryState = { empty: 0b11, written: 0b10, erased: 0b00 } as const;

export const EntryType = {
  u8: 0x01,
  i8: 0x11,
  u16: 0x02,
  i16: 0x12,
  u32: 0x04,
  i32: 0x14,
  u64: 0x08,
  i64: 0x18,
  text: 0x21,
  blobV1: 0x41,
  blobData: 0x42,
  blobIndex: 0x48,
} as const;

export type NumberType = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64";

/** A number has as many bytes as the lower half-byte of its type says. */
export const numberTypes: readonly NumberType[] = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];

/** Version 2 of the format: blobs over several pages. */
export const formatVersion = 0xfe;

/** What stands for "no chunk" in an entry that is none. */
export const noChunk = 0xff;

export const nvsLimits = {
  /** Bytes of a namespace or a key. */
  keyBytesMax: 15,
  /** Bytes of a text with its final 0. */
  textBytesMax: 4000,
  /** Of all of a blob: 127 chunks, each of a page less the entry that heads it. */
  blobBytesMax: 127 * 4000,
  namespacesMax: 254,
} as const;

export type NvsValue =
  | { readonly type: NumberType; readonly value: bigint }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "blob"; readonly value: Uint8Array };

export type NvsItem = { readonly namespace: string; readonly key: string } & NvsValue;

/** As the ROM's `crc32_le(0xffffffff, ...)`: what zlib's gives when it goes on from 0xFFFFFFFF. */
export function nvsCrc(...parts: readonly Uint8Array[]): number {
  let crc = 0xffff_ffff;
  for (const part of parts) crc = crc32(part, crc);
  return crc;
}

/** Of the page's bitmap: two bits an entry. */
export function stateOf(page: Uint8Array, entry: number): number {
  return (page[32 + (entry >> 2)]! >> ((entry & 3) * 2)) & 0b11;
}

export function entryCrc(entry: Uint8Array): number {
  return nvsCrc(entry.subarray(0, 4), entry.subarray(8, 32));
}

export function headerCrc(page: Uint8Array): number {
  return nvsCrc(page.subarray(4, 28));
}
