/** NOR flash in memory that checks what the firmware promises of it, and that loses its power at a chosen moment. */
import type { FlashRegion } from "../../../firmware/platform/ports.ts";

export class PowerCut extends Error {}

export class FlashModel implements FlashRegion {
  readonly sectorBytes: number;
  readonly alignBytes = 16;
  readonly bytes: Uint8Array;
  /** How much may still happen: a byte written counts one, an erase three: not begun, half done, done. */
  power = Infinity;
  /** What has happened so far, in the same measure. */
  spent = 0;
  erases = 0;
  /** By sector. */
  readonly erasesOf: number[];
  writes = 0;
  reads = 0;
  bytesRead = 0;

  constructor(bytes: Uint8Array, sectorBytes: number) {
    this.bytes = bytes;
    this.sectorBytes = sectorBytes;
    this.erasesOf = new Array(bytes.length / sectorBytes).fill(0);
  }

  static blank(sectors: number, sectorBytes: number): FlashModel {
    return new FlashModel(new Uint8Array(sectors * sectorBytes).fill(0xff), sectorBytes);
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  /** The same contents with the power back. */
  reboot(): FlashModel {
    return new FlashModel(this.bytes.slice(), this.sectorBytes);
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    if (offsetBytes < 0 || offsetBytes + lengthBytes > this.bytes.length)
      throw new RangeError("read outside");
    this.reads++;
    this.bytesRead += lengthBytes;
    return this.bytes.slice(offsetBytes, offsetBytes + lengthBytes);
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    if (offsetBytes % 16 !== 0 || bytes.length % 16 !== 0) throw new RangeError("write off alignment");
    if (offsetBytes + bytes.length > this.bytes.length) throw new RangeError("write outside");
    for (let i = 0; i < bytes.length; i++) {
      if (this.bytes[offsetBytes + i] !== 0xff)
        throw new RangeError(`byte ${offsetBytes + i} is written twice`);
    }
    this.writes++;
    for (let i = 0; i < bytes.length; i++) {
      this.#spend();
      this.bytes[offsetBytes + i] = bytes[i]!;
    }
  }

  eraseSector(sector: number): void {
    const start = sector * this.sectorBytes;
    if (!Number.isInteger(sector) || start < 0 || start >= this.bytes.length)
      throw new RangeError("no such sector");
    this.#spend();
    // Half done: some bytes are erased, in no particular order.
    for (let i = 0; i < this.sectorBytes; i += 1 + (i % 3)) this.bytes[start + i] = 0xff;
    this.#spend();
    this.bytes.fill(0xff, start, start + this.sectorBytes);
    this.#spend();
    this.erases++;
    this.erasesOf[sector]!++;
  }

  #spend(): void {
    if (this.power === 0) throw new PowerCut();
    this.power--;
    this.spent++;
  }
}
