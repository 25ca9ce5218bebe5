/** An image on disk, read chunk by chunk. */
import { type FileHandle, open } from "node:fs/promises";
import { chunkAt, chunkCount, chunkDataBytes } from "../../../protocols/update/chunks.ts";
import { digestBytes, releaseLimits } from "../../../protocols/update/release.ts";
import { nodeCiphers } from "../../security/node-ciphers.ts";

/** Read and hashed at once; what else the host has to do goes on in between. */
const blockChunks = 64;

export class ImageFile {
  readonly sizeBytes: number;
  readonly #file: FileHandle;
  /** Of all chunks, 32 bytes each: a thirty-second part of the image. */
  readonly #digests: Uint8Array;

  private constructor(file: FileHandle, sizeBytes: number, digests: Uint8Array) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
    this.#digests = digests;
  }

  /** Computes all digests, from the last chunk to the first. undefined for a file of no size that an image has. Throws what the file system does. */
  static async open(path: string): Promise<ImageFile | undefined> {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size < 1 || size > releaseLimits.sizeBytesMax) {
        await file.close();
        return undefined;
      }
      return new ImageFile(file, size, await digestsOf(file, size));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Of the first chunk, and with it of the whole. */
  get digest(): Uint8Array {
    return this.#digests.subarray(0, digestBytes);
  }

  /** Chunks as they travel, from `first` on; none beyond the last. Throws what the file system does. */
  async chunks(first: number, count: number): Promise<Uint8Array[]> {
    const end = Math.min(first + count, chunkCount(this.sizeBytes));
    if (first >= end) return [];
    const data = await readFully(this.#file, first * chunkDataBytes, this.sizeBytes, end - first);
    const digests = this.#digests.subarray(first * digestBytes);
    return Array.from({ length: end - first }, (_, i) => chunkAt(data, digests, i));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function digestsOf(file: FileHandle, sizeBytes: number): Promise<Uint8Array> {
  const count = chunkCount(sizeBytes);
  const digests = new Uint8Array(count * digestBytes);
  for (let end = count; end > 0; ) {
    const first = Math.max(0, end - blockChunks);
    const data = await readFully(file, first * chunkDataBytes, sizeBytes, end - first);
    const block = digests.subarray(first * digestBytes);
    for (let i = end - first - 1; i >= 0; i--)
      block.set(nodeCiphers.sha256(chunkAt(data, block, i)), i * digestBytes);
    end = first;
  }
  return digests;
}

async function readFully(
  file: FileHandle,
  from: number,
  sizeBytes: number,
  chunks: number,
): Promise<Uint8Array> {
  const wanted = Math.min(chunks * chunkDataBytes, sizeBytes - from);
  const bytes = new Uint8Array(wanted);
  for (let at = 0; at < wanted; ) {
    const { bytesRead } = await file.read(bytes, at, wanted - at, from + at);
    if (bytesRead === 0) throw new Error(`An image's file has become shorter: it ends at ${from + at}.`);
    at += bytesRead;
  }
  return bytes;
}
