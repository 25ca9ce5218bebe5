/**
 * Stands in for `embedded:storage/flash` on lin: a partition is a file of its size, which behaves as NOR flash does.
 * Every write is on the disk when the call returns.
 */
import type { File } from "embedded:storage/files";
import files from "embedded:storage/files";
import config from "mc/config";

const sizeBytes = 131_072;
const blockBytes = 4_096;

class FlashFile {
  readonly #file: File;

  constructor(label: string) {
    const path = `covey-${config.swarm}-${config.board}.${label}`;
    const isNew = files.status(path).size !== sizeBytes;
    this.#file = files.openFile({ path, mode: isNew ? "w+" : "r+" });
    if (isNew) for (let block = 0; block < sizeBytes / blockBytes; block += 1) this.eraseBlock(block);
  }

  status(): { readonly size: number; readonly blockLength: number } {
    return { size: sizeBytes, blockLength: blockBytes };
  }

  read(byteLength: number, byteOffset: number): ArrayBuffer {
    return this.#file.read(byteLength, byteOffset);
  }

  /** A write can only clear bits. */
  write(bytes: Uint8Array, byteOffset: number): void {
    const stored = new Uint8Array(this.read(bytes.length, byteOffset));
    for (let index = 0; index < bytes.length; index += 1) stored[index]! &= bytes[index]!;
    this.#file.write(stored, byteOffset);
    this.#file.flush();
  }

  eraseBlock(block: number): void {
    this.#file.write(new Uint8Array(blockBytes).fill(0xff), block * blockBytes);
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }
}

export default Object.freeze({
  open(options: { readonly path: string; readonly mode?: "r" | "r+" }): FlashFile {
    return new FlashFile(options.path);
  },
});
