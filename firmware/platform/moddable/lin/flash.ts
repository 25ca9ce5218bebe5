/**
 * Stands in for `embedded:storage/flash` on lin: a partition is a file in the folder that `flashFolder` of the config
 * names, and behaves as NOR flash does.
 */
import type { FlashPartition } from "embedded:storage/flash";
import config from "mc/config";

const sizeBytes = 262_144;
const blockBytes = 4_096;

class FlashFile implements FlashPartition {
  readonly #descriptor: unknown;

  constructor(label: string) {
    this.#descriptor = openFile(`${config.flashFolder}/${label}.flash`, sizeBytes);
  }

  status(): { readonly size: number; readonly blockLength: number } {
    return { size: sizeBytes, blockLength: blockBytes };
  }

  read(byteLength: number, byteOffset: number): ArrayBuffer {
    return readFile(this.#descriptor, byteLength, byteOffset) as ArrayBuffer;
  }

  write(bytes: Uint8Array, byteOffset: number): void {
    writeFile(this.#descriptor, bytes, byteOffset);
  }

  eraseBlock(block: number): void {
    eraseFile(this.#descriptor, block);
  }

  close(): void {}
}

export default Object.freeze({
  open(options: { readonly path: string; readonly mode?: "r" | "r+" }): FlashFile {
    return new FlashFile(options.path);
  },
});

/** Gives a file descriptor. */
function openFile(this: unknown, path: string, byteLength: number): unknown {
  return native("covey_flash_open").call(this, path, byteLength);
}

function readFile(this: unknown, descriptor: unknown, byteLength: number, byteOffset: number): unknown {
  return native("covey_flash_read").call(this, descriptor, byteLength, byteOffset);
}

function writeFile(this: unknown, descriptor: unknown, bytes: Uint8Array, byteOffset: number): unknown {
  return native("covey_flash_write").call(this, descriptor, bytes, byteOffset);
}

function eraseFile(this: unknown, descriptor: unknown, block: number): unknown {
  return native("covey_flash_erase").call(this, descriptor, block);
}
