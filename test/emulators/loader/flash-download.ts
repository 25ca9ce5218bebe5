/** Where a FLASH_BEGIN or FLASH_DEFL_BEGIN is: what is still to come, where it goes, what was erased for it. */
import { blockBytes, type NorFlash, sectorBytes } from "../esp/nor-flash.ts";
import { word } from "./packet.ts";
import { StreamInflate } from "./stream-inflate.ts";

export class FlashDownload {
  readonly inflate: StreamInflate | undefined;
  readonly blockBytes: number;
  remainingBytes: number;
  #offset: number;
  readonly #flash: NorFlash;
  #eraseAt: number;
  readonly #eraseEnd: number;
  /** The stub looks for blank sectors, which need no erase, until it sees the first that isn't. */
  #dirty = false;
  /** What was inflated and waits for the buffer to be full. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  /** @param body of the BEGIN command: size, packets, bytes a packet, offset */
  constructor(flash: NorFlash, body: Uint8Array, deflated: boolean) {
    this.#flash = flash;
    this.remainingBytes = word(body, 0);
    this.blockBytes = word(body, 2);
    this.#offset = word(body, 3);
    this.#eraseAt = this.#offset - (this.#offset % sectorBytes);
    this.#eraseEnd = Math.ceil((this.#offset + this.remainingBytes) / sectorBytes) * sectorBytes;
    this.inflate = deflated ? new StreamInflate() : undefined;
  }

  /** Where the next byte goes. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether the whole of it lies in the flash. */
  get fits(): boolean {
    return this.#flash.holds(this.#offset, this.remainingBytes);
  }

  /** As the ROM does it, before anything is written. */
  async eraseAll(): Promise<void> {
    if (this.#eraseEnd > this.#eraseAt)
      await this.#flash.erase(this.#eraseAt, this.#eraseEnd - this.#eraseAt);
    this.#eraseAt = this.#eraseEnd;
  }

  /** As the stub does it: the next sector, or 64 KB block, unless it is blank. */
  async eraseNext(): Promise<void> {
    if (this.#eraseAt >= this.#eraseEnd) return;
    if (!this.#dirty && this.#flash.isBlank(this.#eraseAt, sectorBytes)) {
      this.#eraseAt += sectorBytes;
      return;
    }
    this.#dirty = true;
    const whole = this.#eraseAt % blockBytes === 0 && this.#eraseEnd - this.#eraseAt >= blockBytes;
    const bytes = whole ? blockBytes : sectorBytes;
    await this.#flash.erase(this.#eraseAt, bytes);
    this.#eraseAt += bytes;
  }

  /** Erases as far as needed and programs. Returns false when it would go over the flash's end. */
  async write(data: Uint8Array): Promise<boolean> {
    if (!this.#flash.holds(this.#offset, data.length)) return false;
    while (this.#eraseAt < Math.min(this.#offset + data.length, this.#eraseEnd)) await this.eraseNext();
    await this.#flash.program(this.#offset, data);
    this.#offset += data.length;
    this.remainingBytes -= data.length;
    return true;
  }

  /** Takes what was inflated, and writes it 32 KB at a time, the rest when `done`. Returns as `write`. */
  async writeBuffered(pieces: readonly Uint8Array[], done: boolean): Promise<boolean> {
    for (const piece of pieces) {
      this.#pending.push(piece);
      this.#pendingBytes += piece.length;
    }
    while (this.#pendingBytes >= dictionaryBytes || (done && this.#pendingBytes > 0)) {
      const all = Buffer.concat(this.#pending);
      const now = all.subarray(0, dictionaryBytes);
      const rest = all.subarray(now.length);
      this.#pending = [rest];
      this.#pendingBytes = rest.length;
      if (!(await this.write(now))) return false;
    }
    return true;
  }
}

/** The window of deflate, which is also the stub's buffer. */
const dictionaryBytes = 32_768;
