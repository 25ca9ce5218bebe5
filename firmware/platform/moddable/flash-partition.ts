import flash, { type FlashPartition } from "embedded:storage/flash";
import type { FlashRegion } from "../ports.ts";

/** Label of the partition of blocks that the board keeps for others; `boards/` gives one where there is room. */
const seriesPartition = "series";

/** undefined where the partition table has none. */
export function openSeries(): ChipFlash | undefined {
  try {
    return new ChipFlash(seriesPartition);
  } catch {
    return undefined;
  }
}

/** One data partition of the chip's flash, by its label in the partition table. */
export class ChipFlash implements FlashRegion {
  readonly sizeBytes: number;
  readonly sectorBytes: number;
  /** The unit of flash encryption (ESP-IDF, "Flash Encryption", "Writing to Encrypted Flash"). */
  readonly alignBytes = 16;
  readonly #partition: FlashPartition;

  /** Throws when the partition table has no such data partition. */
  constructor(label: string) {
    this.#partition = flash.open({ path: label, mode: "r+" });
    const { size, blockLength } = this.#partition.status();
    this.sizeBytes = size;
    this.sectorBytes = blockLength;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    this.check(offsetBytes, lengthBytes, 1);
    return lengthBytes === 0
      ? new Uint8Array(0)
      : new Uint8Array(this.#partition.read(lengthBytes, offsetBytes));
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.check(offsetBytes, bytes.length, this.alignBytes);
    if (bytes.length > 0) this.#partition.write(bytes, offsetBytes);
  }

  eraseSector(sector: number): void {
    this.check(sector * this.sectorBytes, this.sectorBytes, this.sectorBytes);
    this.#partition.eraseBlock(sector);
  }

  private check(offsetBytes: number, lengthBytes: number, alignBytes: number): void {
    const isInside = offsetBytes >= 0 && lengthBytes >= 0 && offsetBytes + lengthBytes <= this.sizeBytes;
    if (!isInside || offsetBytes % alignBytes !== 0 || lengthBytes % alignBytes !== 0) {
      throw new RangeError(
        `Flash bytes ${offsetBytes} to ${offsetBytes + lengthBytes} are not inside ${this.sizeBytes} bytes, in steps of ${alignBytes}.`,
      );
    }
  }
}
