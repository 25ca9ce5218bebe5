import flash from "embedded:storage/flash";
import update, { type Update } from "embedded:update";
import type { ImageWriter, UpdateSlot } from "../ports.ts";

/** The SDK's name for the update slot that does not run. */
const nextSlot = "nextota";

/** The other one of the two update slots that every board's partition table has. */
export class ChipUpdateSlot implements UpdateSlot {
  readonly sizeBytes: number;
  #writer: ChipImageWriter | undefined;

  /** Throws when the partition table has no slot to update. */
  constructor() {
    const partition = flash.open({ path: nextSlot, mode: "r" });
    this.sizeBytes = partition.status().size;
    partition.close();
  }

  begin(): ImageWriter {
    this.#writer?.abort();
    this.#writer = new ChipImageWriter(this.sizeBytes);
    return this.#writer;
  }
}

class ChipImageWriter implements ImageWriter {
  readonly #sizeBytes: number;
  #writtenBytes = 0;
  #update: Update | undefined;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    const partition = flash.open({ path: nextSlot, mode: "r+" });
    try {
      // "a" erases each sector as it is reached; "w" would erase the whole slot now and stop the board for seconds.
      this.#update = update.open({ partition, mode: "a" });
    } finally {
      partition.close();
    }
  }

  write(bytes: Uint8Array): void {
    if (this.#writtenBytes + bytes.length > this.#sizeBytes) {
      throw new RangeError(`The image is longer than its slot of ${this.#sizeBytes} bytes.`);
    }
    this.open().write(bytes);
    this.#writtenBytes += bytes.length;
  }

  complete(): void {
    const open = this.open();
    this.#update = undefined;
    try {
      open.complete();
    } finally {
      open.close();
    }
  }

  abort(): void {
    this.#update?.close();
    this.#update = undefined;
  }

  private open(): Update {
    if (this.#update === undefined) throw new Error("This image is complete or given up; begin another.");
    return this.#update;
  }
}
