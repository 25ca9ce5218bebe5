/**
 * The flash chip beside an ESP32: NOR. An erase sets every bit of a 4 KB sector, a program only clears bits, 256
 * bytes at a time, and power that fails in the middle leaves what it leaves.
 */

import { createHash } from "node:crypto";

/** Power went while the flash was at work: whatever asked for it is gone too. */
export class PowerLost extends Error {
  override readonly name = "PowerLost";
}

export interface FlashHost {
  /** Cells that can't be programmed any more: addresses whose bits stay as they are. */
  badCells(): ReadonlySet<number>;
  /** Asked before each page that is programmed and each sector that is erased: "fails" in the middle of it. */
  power(what: "page" | "sector", bytes: number): "on" | "fails" | "off";
  /** Power fails now. */
  failed(): void;
  /** Waits as long as the chip is busy with one. */
  busy(what: "page" | "sector", count: number): Promise<void> | undefined;
}

export class NorFlash {
  readonly bytes: Uint8Array;
  readonly #host: FlashHost;

  constructor(bytes: Uint8Array, host: FlashHost) {
    this.bytes = bytes;
    this.#host = host;
  }

  /** What command 9F reads: manufacturer (Winbond), kind, the size's exponent; first byte lowest. */
  get jedecId(): number {
    return 0x40ef | (Math.log2(this.bytes.length) << 16);
  }

  holds(offset: number, length: number): boolean {
    return offset + length <= this.bytes.length;
  }

  isBlank(offset: number, length: number): boolean {
    for (let at = offset; at < offset + length; at++) if (this.bytes[at] !== 0xff) return false;
    return true;
  }

  md5(offset: number, length: number): Uint8Array {
    return createHash("md5")
      .update(this.bytes.subarray(offset, offset + length))
      .digest();
  }

  /** Programs page by page. @throws {PowerLost} with half a page programmed */
  async program(offset: number, data: Uint8Array): Promise<void> {
    let pages = 0;
    for (let from = 0; from < data.length; ) {
      const length = Math.min(pageBytes - ((offset + from) % pageBytes), data.length - from);
      const power = this.#host.power("page", length);
      this.#clear(
        offset + from,
        data.subarray(from, from + (power === "on" ? length : power === "fails" ? length >> 1 : 0)),
      );
      if (power !== "on") this.#lose(power);
      from += length;
      pages++;
      if (pages === pagesAtOnce || from === data.length) {
        await this.#host.busy("page", pages);
        pages = 0;
      }
    }
  }

  /** Erases whole sectors. @throws {PowerLost} with one sector neither old nor blank */
  async erase(offset: number, length: number): Promise<void> {
    for (let at = offset; at < offset + length; at += sectorBytes) {
      const power = this.#host.power("sector", sectorBytes);
      if (power === "fails") for (let i = 0; i < sectorBytes; i += 2) this.bytes[at + i] = 0xff;
      if (power !== "on") this.#lose(power);
      this.bytes.fill(0xff, at, at + sectorBytes);
      await this.#host.busy("sector", 1);
    }
  }

  #clear(offset: number, data: Uint8Array): void {
    const bad = this.#host.badCells();
    for (let i = 0; i < data.length; i++)
      if (bad.size === 0 || !bad.has(offset + i)) this.bytes[offset + i]! &= data[i]!;
  }

  #lose(power: "fails" | "off"): never {
    if (power === "fails") this.#host.failed();
    throw new PowerLost();
  }
}

export const sectorBytes = 4096;
export const blockBytes = 65_536;
const pageBytes = 256;
/** How many are programmed between two looks at the clock: a sector. */
const pagesAtOnce = 16;
