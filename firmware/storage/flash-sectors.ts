import type { FlashRegion } from "../platform/ports.ts";
import { FlashDamaged } from "./flash-damaged.ts";
import { recordAlignBytes, type StoredRecord } from "./record.ts";
import { SectorHeaders, sectorsOf } from "./sector-headers.ts";
import { isErased } from "./written-end.ts";

const blankBlockBytes = 512;

/** The flash as sectors that are numbered for ever: that of sequence s is sector `s modulo sectors`. Its last bytes are its mark. */
export class FlashSectors {
  readonly flash: FlashRegion;
  /** How many there are. */
  readonly count: number;

  constructor(flash: FlashRegion) {
    this.flash = flash;
    this.count = sectorsOf(flash);
  }

  /** Where the mark is, from the start of a sector. */
  get markOffset(): number {
    return this.flash.sectorBytes - recordAlignBytes;
  }

  addressOf(sequence: number): number {
    return (sequence % this.count) * this.flash.sectorBytes;
  }

  /** Throws `FlashDamaged` when the sector is not the one of this sequence. */
  header(sequence: number): StoredRecord {
    const header = SectorHeaders.read(this.flash, sequence % this.count);
    if (header?.index !== sequence)
      throw new FlashDamaged(`the header of sector ${sequence % this.count} has changed`);
    return header;
  }

  isMarked(sequence: number): boolean {
    return !isErased(this.flash.read(this.addressOf(sequence) + this.markOffset, recordAlignBytes));
  }

  mark(sequence: number): void {
    this.flash.write(this.addressOf(sequence) + this.markOffset, new Uint8Array(recordAlignBytes));
  }

  isBlank(sequence: number): boolean {
    const address = this.addressOf(sequence);
    const { sectorBytes } = this.flash;
    for (let offset = 0; offset < sectorBytes; offset += blankBlockBytes) {
      const bytes = this.flash.read(address + offset, Math.min(blankBlockBytes, sectorBytes - offset));
      if (!isErased(bytes)) return false;
    }
    return true;
  }

  erase(sequence: number): void {
    this.flash.eraseSector(sequence % this.count);
  }
}
