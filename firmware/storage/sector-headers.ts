import type { FlashRegion } from "../platform/ports.ts";
import {
  dataBytesMax,
  RecordKind,
  readRecord,
  recordHeadBytes,
  recordSize,
  type StoredRecord,
} from "./record.ts";

export const noData: Uint8Array = new Uint8Array(0);

/** Read at first of a sector; nearly every header is shorter. */
const firstReadBytes = 192;

/** What the headers of all sectors say, while the log recovers. */
export class SectorHeaders {
  /** The header with the highest sequence. */
  readonly newest: StoredRecord | undefined;
  readonly #sequences: Uint32Array;
  readonly #sizes: Uint16Array;
  readonly #truncations: Uint32Array;
  readonly #previousEnds: Uint32Array;

  constructor(flash: FlashRegion) {
    const sectors = sectorsOf(flash);
    this.#sequences = new Uint32Array(sectors);
    this.#sizes = new Uint16Array(sectors);
    this.#truncations = new Uint32Array(sectors);
    this.#previousEnds = new Uint32Array(sectors);
    let newest: StoredRecord | undefined;
    for (let sector = 0; sector < sectors; sector++) {
      const header = SectorHeaders.read(flash, sector);
      if (header === undefined) continue;
      this.#sequences[sector] = header.index;
      this.#sizes[sector] = recordSize(header.data.length);
      this.#truncations[sector] = header.tag;
      this.#previousEnds[sector] = header.trailer;
      if (newest === undefined || header.index > newest.index) newest = header;
    }
    this.newest = newest;
  }

  /** The header of a sector of the flash; undefined when it has no sound one, or that of another place. */
  static read(flash: FlashRegion, sector: number): StoredRecord | undefined {
    const address = sector * flash.sectorBytes;
    let bytes = flash.read(address, firstReadBytes);
    const size = recordSize((bytes[14]! | (bytes[15]! << 8)) & dataBytesMax);
    if (bytes[15]! >> 3 !== RecordKind.header || size <= recordHeadBytes || size > flash.sectorBytes)
      return undefined;
    if (size > bytes.length) bytes = flash.read(address, size);
    const header = readRecord(bytes.subarray(0, size));
    return header !== undefined && header.index % sectorsOf(flash) === sector ? header : undefined;
  }

  get newestSequence(): number {
    return this.newest?.index ?? 0;
  }

  /** 0 for a sector without a header. */
  sequenceOf(sector: number): number {
    return this.#sequences[sector]!;
  }

  sizeOf(sector: number): number {
    return this.#sizes[sector]!;
  }

  /** The first log index that was cut off when the sector began; Infinity for none. */
  truncationOf(sector: number): number {
    return this.#truncations[sector]! || Infinity;
  }

  /** Where the records of the sector before this one end. */
  previousEndOf(sector: number): number {
    return this.#previousEnds[sector]!;
  }
}

export function sectorsOf(flash: FlashRegion): number {
  return Math.floor(flash.sizeBytes / flash.sectorBytes);
}
