/**
 * An image in chunks that can be checked one by one, in their order, with 32 bytes of memory: each chunk carries the digest of the one after it, and
 * the signed release has that of the first. A false chunk is refused when it comes, and not after a megabyte was written.
 *
 * ```
 * chunk i     data i | digest of chunk i+1          the last one: data alone
 * digest i    SHA-256 of chunk i
 * ```
 *
 * The scheme is Sluice's (Lanigan, Gandhi, Narasimhan: "Sluice: Secure Dissemination of Code Updates in Sensor Networks", ICDCS 2006).
 */
import type { Ciphers } from "../security/ciphers.ts";
import { isSameBytes } from "../security/same-bytes.ts";
import { digestBytes } from "./release.ts";

/** Bytes of an image in one chunk, but the last: four fill a sector of flash. */
export const chunkDataBytes = 1_024;

export function chunkCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / chunkDataBytes);
}

/** The digests of all chunks, one after the other, 32 bytes each. */
export function chunkDigests(ciphers: Pick<Ciphers, "sha256">, image: Uint8Array): Uint8Array {
  const count = chunkCount(image.length);
  const digests = new Uint8Array(count * digestBytes);
  for (let i = count - 1; i >= 0; i--)
    digests.set(ciphers.sha256(chunkAt(image, digests, i)), i * digestBytes);
  return digests;
}

/** Chunk `i` as it travels. */
export function chunkAt(image: Uint8Array, digests: Uint8Array, i: number): Uint8Array {
  const data = image.subarray(i * chunkDataBytes, (i + 1) * chunkDataBytes);
  const next = digests.subarray((i + 1) * digestBytes, (i + 2) * digestBytes);
  const chunk = new Uint8Array(data.length + next.length);
  chunk.set(data);
  chunk.set(next, data.length);
  return chunk;
}

export interface CheckedChunk {
  readonly data: Uint8Array;
  /** Of the next chunk; undefined after the last one. */
  readonly next: Uint8Array | undefined;
}

/** undefined for what is not chunk `i` of an image of `sizeBytes`, whose digest is known. */
export function checkChunk(
  ciphers: Pick<Ciphers, "sha256">,
  sizeBytes: number,
  i: number,
  digest: Uint8Array,
  chunk: Uint8Array,
): CheckedChunk | undefined {
  const isLast = i === chunkCount(sizeBytes) - 1;
  const dataBytes = isLast ? sizeBytes - i * chunkDataBytes : chunkDataBytes;
  if (chunk.length !== dataBytes + (isLast ? 0 : digestBytes)) return undefined;
  if (!isSameBytes(ciphers.sha256(chunk), digest)) return undefined;
  return { data: chunk.subarray(0, dataBytes), next: isLast ? undefined : chunk.slice(dataBytes) };
}
