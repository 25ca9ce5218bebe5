/**
 * The bytes of a host's log: one frame for each group of records that became durable together.
 *
 * ```
 * u32 length of the payload | u32 CRC-32 of the payload | u32 CRC-32 of the 8 bytes before | payload
 * ```
 *
 * A frame is written only when the one before it is durable, so a power cut can spoil the last frame and no other. That is
 * what tells a torn tail, which nobody was told about and may be cut, from damage, which must never be passed over:
 *
 * - a bad frame with a sound one after it is damage;
 * - a last frame that ends too early was torn;
 * - a last frame of full length was torn if one of its disk sectors holds only zeros (the file had grown, the data had not
 *   arrived; a sector is written whole or not at all), else it was sound once, and is damaged.
 *
 * All numbers are little-endian.
 */
import { crc32 } from "node:zlib";

export const frameHeaderBytes = 12;

/** Largest payload; more waits for the next frame. */
export const framePayloadBytesMax = 8 * 1024 * 1024;

/** The smallest unit that a disk writes whole. */
const sectorBytes = 512;

export interface ScannedFrames {
  readonly payloads: readonly Uint8Array[];
  /** Where the sound part ends; less than the number of bytes when the last frame was torn. */
  readonly endOffset: number;
  /** Where a frame is that was sound once, or that has a sound one after it; undefined for none. */
  readonly damagedAt: number | undefined;
}

/** @param payload 1 to `framePayloadBytesMax` bytes. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt32LE(crc32(payload), 4);
  frame.writeUInt32LE(crc32(frame.subarray(0, 8)), 8);
  frame.set(payload, frameHeaderBytes);
  return frame;
}

/** Reads all frames of a file. */
export function scanFrames(file: Buffer): ScannedFrames {
  const payloads: Uint8Array[] = [];
  let offset = 0;
  while (offset < file.length) {
    const payload = payloadAt(file, offset);
    if (payload === undefined) {
      const damagedAt = isTorn(file, offset) ? undefined : offset;
      return { payloads, endOffset: offset, damagedAt };
    }
    payloads.push(payload);
    offset += frameHeaderBytes + payload.length;
  }
  return { payloads, endOffset: offset, damagedAt: undefined };
}

function payloadAt(file: Buffer, offset: number): Uint8Array | undefined {
  const length = lengthAt(file, offset);
  if (length === undefined) return undefined;
  const payload = file.subarray(offset + frameHeaderBytes, offset + frameHeaderBytes + length);
  return payload.length === length && crc32(payload) === file.readUInt32LE(offset + 4) ? payload : undefined;
}

/** The length that the header at `offset` states; undefined when there is no sound header. */
function lengthAt(file: Buffer, offset: number): number | undefined {
  if (offset + frameHeaderBytes > file.length) return undefined;
  const length = file.readUInt32LE(offset);
  if (length === 0 || length > framePayloadBytesMax) return undefined;
  return crc32(file.subarray(offset, offset + 8)) === file.readUInt32LE(offset + 8) ? length : undefined;
}

/** Whether a power cut during the last write explains the bad frame at `offset`. */
function isTorn(file: Buffer, offset: number): boolean {
  if (offset + frameHeaderBytes > file.length) return true;
  const length = lengthAt(file, offset);
  const end = length === undefined ? file.length : offset + frameHeaderBytes + length;
  if (end > file.length) return true;
  if (end < file.length || !hasEmptySector(file, offset, end)) return false;
  for (let later = offset + 1; later + frameHeaderBytes <= file.length; later++) {
    if (payloadAt(file, later) !== undefined) return false;
  }
  return true;
}

/** Whether the part of some sector that lies between `from` and `end` is all zeros. */
function hasEmptySector(file: Buffer, from: number, end: number): boolean {
  for (let start = from; start < end; ) {
    const next = Math.min(end, start - (start % sectorBytes) + sectorBytes);
    if (file.subarray(start, next).every((byte) => byte === 0)) return true;
    start = next;
  }
  return false;
}
