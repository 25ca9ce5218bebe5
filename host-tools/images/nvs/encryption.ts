/** NVS encryption: AES-256-XTS (IEEE 1619), 32 bytes a unit, tweaked with the unit's offset in the partition. Keys lie in a partition of their own. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { ImageError } from "../image-error.ts";
import {
  EntryState,
  entriesPerPage,
  entryBytes,
  firstEntryAt,
  nvsCrc,
  pageBytes,
  stateOf,
} from "./format.ts";

/** Both halves of an XTS key, 32 bytes each, and not the same ones. */
export interface NvsKeys {
  readonly data: Uint8Array;
  readonly tweak: Uint8Array;
}

export const keysPartitionBytes = 4096;

/** A keys partition: both keys, their CRC-32, 0xFF. @throws {RangeError} for keys that are none of XTS */
export function writeNvsKeys(keys: NvsKeys): Uint8Array {
  checkKeys(keys);
  const { data, tweak } = keys;
  const bytes = new Uint8Array(keysPartitionBytes).fill(0xff);
  bytes.set(data);
  bytes.set(tweak, 32);
  new DataView(bytes.buffer).setUint32(64, nvsCrc(bytes.subarray(0, 64)), true);
  return bytes;
}

/** @throws {ImageError} also for a partition that is empty, into which the chip writes keys of its own when it starts */
export function readNvsKeys(bytes: Uint8Array): NvsKeys {
  const stated = bytes.subarray(0, keysBytes + 4);
  if (stated.length < keysBytes + 4) throw new ImageError(what, bytes.length, "it ends within its keys");
  if (stated.every((byte) => byte === 0xff)) throw new ImageError(what, 0, "it holds no keys yet");
  const keys = {
    data: new Uint8Array(bytes.subarray(0, 32)),
    tweak: new Uint8Array(bytes.subarray(32, keysBytes)),
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(keysBytes, true) !== nvsCrc(bytes.subarray(0, keysBytes))) {
    throw new ImageError(what, keysBytes, "the CRC-32 of its keys is wrong");
  }
  if (Buffer.compare(keys.data, keys.tweak) === 0)
    throw new ImageError(what, 0, "both its keys are the same");
  return keys;
}

/** The partition with every entry that is not empty encrypted. @throws {RangeError} for keys that are none of XTS */
export function encryptNvs(partition: Uint8Array, keys: NvsKeys): Uint8Array {
  return eachEntry(partition, keys, createCipheriv);
}

/** The other way round. */
export function decryptNvs(partition: Uint8Array, keys: NvsKeys): Uint8Array {
  return eachEntry(partition, keys, createDecipheriv);
}

const what = "NVS keys partition";
const keysBytes = 64;

/** IEEE 1619-2018, 5.1: the two halves differ; OpenSSL takes no others. */
function checkKeys({ data, tweak }: NvsKeys): void {
  if (data.length !== 32 || tweak.length !== 32 || Buffer.compare(data, tweak) === 0) {
    throw new RangeError("NVS is encrypted with two keys of 32 bytes that are not the same.");
  }
}

function eachEntry(
  partition: Uint8Array,
  keys: NvsKeys,
  create: typeof createCipheriv | typeof createDecipheriv,
): Uint8Array {
  checkKeys(keys);
  const key = Buffer.concat([keys.data, keys.tweak]);
  // A Buffer's own slice() would be no copy.
  const changed = new Uint8Array(partition);
  for (let at = 0; at + pageBytes <= partition.length; at += pageBytes) {
    const page = partition.subarray(at, at + pageBytes);
    for (let entry = 0; entry < entriesPerPage; entry++) {
      if (stateOf(page, entry) === EntryState.empty) continue;
      const from = firstEntryAt + entry * entryBytes;
      const iv = Buffer.alloc(16);
      iv.writeUInt32LE(at + from);
      const cipher = create("aes-256-xts", key, iv);
      changed.set(cipher.update(page.subarray(from, from + entryBytes)), at + from);
    }
  }
  return changed;
}
