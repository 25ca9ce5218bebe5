import type { FlashRegion } from "../platform/ports.ts";
import { isErased } from "../storage/written-end.ts";

/** The flash for kept blocks refused a call: nothing is kept there, and the board works on. */
export class RingFlashFails extends Error {
  constructor(what: string) {
    super(`The flash for kept blocks fails: ${what}.`);
  }

  override get name(): string {
    return "RingFlashFails";
  }
}

const pieceBytes = 512;

/** A region of flash whose every error is a `RingFlashFails`. */
export class RingFlash implements FlashRegion {
  readonly #region: FlashRegion;

  constructor(region: FlashRegion) {
    this.#region = region;
  }

  get sizeBytes(): number {
    return this.#region.sizeBytes;
  }

  get sectorBytes(): number {
    return this.#region.sectorBytes;
  }

  get alignBytes(): number {
    return this.#region.alignBytes;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    try {
      return this.#region.read(offsetBytes, lengthBytes);
    } catch (error) {
      throw new RingFlashFails(`it does not give ${lengthBytes} bytes at ${offsetBytes} (${error})`);
    }
  }

  /** Looked at piece by piece, so that most of a sector never is in the heap at once. */
  isErased(offsetBytes: number, lengthBytes: number): boolean {
    const end = offsetBytes + lengthBytes;
    for (let at = offsetBytes; at < end; at += pieceBytes) {
      if (!isErased(this.read(at, Math.min(pieceBytes, end - at)))) return false;
    }
    return true;
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    try {
      this.#region.write(offsetBytes, bytes);
    } catch (error) {
      throw new RingFlashFails(`it does not take ${bytes.length} bytes at ${offsetBytes} (${error})`);
    }
  }

  eraseSector(sector: number): void {
    try {
      this.#region.eraseSector(sector);
    } catch (error) {
      throw new RingFlashFails(`it does not erase sector ${sector} (${error})`);
    }
  }
}
