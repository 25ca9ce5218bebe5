/** What can go wrong with a board, its cable and its port. Everything may be set and taken back at any time. */
export interface Faults {
  toChip?: LineFaults;
  toHost?: LineFaults;
  /** "absent": DTR and RTS lead nowhere. "boot-pin-unwired": EN is wired, IO0 is not, so the application starts. */
  resetCircuit?: "absent" | "boot-pin-unwired";
  /** Another program holds the port. */
  portBusy?: boolean;
  /** Above this rate, in bit/s, the cable carries noise. */
  maxBaud?: number;
  /** What the erase of one 4 KB sector takes, in ms. */
  sectorEraseMs?: number;
  /** So many answers to SPI_FLASH_MD5 from now on are wrong. */
  wrongMd5?: number;
  /** Addresses of cells that can't be programmed any more. */
  badCells?: readonly number[];
  /** The supply gives way in the middle of the page after so many programmed bytes, or of the sector after so many erased. */
  brownOut?: { readonly programmedBytes: number } | { readonly erasedSectors: number };
}

/** Positions count the bytes of that direction since the chip was made (`counters.bytesIn`, `counters.bytesOut`). */
export interface LineFaults {
  /** Bytes that never arrive. */
  readonly lost?: readonly number[];
  /** Bytes that arrive with one bit turned. */
  readonly flipped?: readonly number[];
  /** Of a million bytes, drawn by the chip's seed. */
  readonly lostPerMillion?: number;
  readonly flippedPerMillion?: number;
}
