/** NVS encryption: AES-256-XTS (IEEE 1619), 32 bytes a unit, tweaked with the unit's offset in the partition. Keys lie in a partition of their own. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { ImageError } from "../image-error.ts";
import { EntryState, entriesPerPage, entryBytes, firstEntryAt, nvsCrc, pageBytes } from "./format.ts";

/** Both halves of an XTS key, 32 bytes each. */
export interface NvsKeys {
  readonly data: Uint8Array;
  readonly tweak: Uint8Array;
}

export const keysPartitionBytes = 4096;

/** A keys partition: both keys, their CRC-32, 0xFF. */
export function writeNvsKeys({ data, tweak }: NvsKeys): Uint8Array {
  const bytes = new Uint8Array(keysPartitionBytes).fill(0xff);
  bytes.set(data);
  bytes.set(tweak, 32);
  new DataView(bytes.buffer).setUint32(64, nvsCrc(bytes.subarray(0, 64)), true);
  return bytes;
}

/** @throws {ImageError} */
export function readNvsKeys(bytes: Uint8Array): NvsKeys {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 68 || view.getUint32(64, true) !== nvsCrc(bytes.subarray(0, 64))) {
    throw new ImageError("NVS keys partition", 64, "the CRC-32 of its keys is wrong");
  }
  return { data: bytes.slice(0, 32), tweak: bytes.slice(32, 64) };
}

/** The partition with every entry that is not empty encrypted. */
export function encryptNvs(partition: Uint8Array, keys: NvsKeys): Uint8Array {
  return eachEntry(partition, keys, createCipheriv);
}

/** The other way round. */
export function decryptNvs(partition: Uint8Array, keys: NvsKeys): Uint8Array {
  return eachEntry(partition, keys, createDecipheriv);
}

function eachEntry(
  partition: Uint8Array,
  { data, tweak }: NvsKeys,
  create: typeof createCipheriv | typeof createDecipheriv,
): Uint8Array {
  const key = Buffer.concat([data, tweak]);
  const changed = partition.slice();
  for (let page = 0; page + pageBytes <= partition.length; page += pageBytes) {
    for (let entry = 0; entry < entriesPerPage; entry++) {
      if (stateOf(partition, page, entry) === EntryState.empty) continue;
      const at = page + firstEntryAt + entry * entryBytes;
      const iv = Buffer.alloc(16);
      iv.writeUInt32LE(at);
      changed.set(create("aes-256-xts", key, iv).update(partition.subarray(at, at + entryBytes)), at);
    }
  }
  return changed;
}

/** Of the bitmap: two bits an entry. */
export function stateOf(partition: Uint8Array, page: number, entry: number): number {
  return (partition[page + 32 + (entry >> 2)]! >> ((entry & 3) * 2)) & 0b11;
}
