/** An image on its way in: its bytes in their order, into a file that is nobody's until it is whole, durable and what it is to be. */
import { type FileHandle, open, rm } from "node:fs/promises";

export interface ReceiverEvents {
  /** The file is whole and durable: gives whether it is the image that was announced. */
  complete(): Promise<boolean>;
  /** Once, however it ended. */
  end(): void;
}

export class ImageReceiver {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #sizeBytes: number;
  readonly #events: ReceiverEvents;
  #written = 0;
  #isEnded = false;

  private constructor(path: string, file: FileHandle, sizeBytes: number, events: ReceiverEvents) {
    this.#path = path;
    this.#file = file;
    this.#sizeBytes = sizeBytes;
    this.#events = events;
  }

  static async open(path: string, sizeBytes: number, events: ReceiverEvents): Promise<ImageReceiver> {
    return new ImageReceiver(path, await open(path, "wx", 0o600), sizeBytes, events);
  }

  get writtenBytes(): number {
    return this.#written;
  }

  /** False, and nothing written, for more bytes than were announced. Throws what the file system does. */
  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#written + bytes.length > this.#sizeBytes) return false;
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at);
      at += bytesWritten;
    }
    this.#written += bytes.length;
    return true;
  }

  /** Whether it was the image, which the store has from now on; else nothing of it is left. Throws what the file system does. */
  async complete(): Promise<boolean> {
    if (this.#isEnded || this.#written !== this.#sizeBytes) {
      await this.abort();
      return false;
    }
    this.#isEnded = true;
    let isTaken = false;
    try {
      await this.#file.sync();
      await this.#file.close();
      isTaken = await this.#events.complete();
      return isTaken;
    } finally {
      if (!isTaken) await rm(this.#path, { force: true });
      this.#events.end();
    }
  }

  /** Nothing is left of it. Idempotent, and without effect after `complete()`. */
  async abort(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    try {
      await this.#file.close();
      await rm(this.#path, { force: true });
    } finally {
      this.#events.end();
    }
  }
}
