/** MEM_BEGIN and what follows: code on its way into RAM. */
import type { AddressSpace } from "../esp/address-space.ts";
import { dataChecksum, type Request, word } from "./packet.ts";

export class MemoryDownload {
  readonly #space: AddressSpace;
  #address = 0;
  #remainingBytes = 0;
  #active = false;

  constructor(space: AddressSpace) {
    this.#space = space;
  }

  /** Total size, packets, bytes a packet, address. Returns false for a body of another form. */
  begin({ body }: Request): boolean {
    if (body.length !== 16) return false;
    this.#remainingBytes = word(body, 0);
    this.#address = word(body, 3);
    this.#active = true;
    return true;
  }

  /** One block. "idle": nothing was begun; "size": more than was announced, or not as long as it says. */
  data({ body, checksum }: Request): "ok" | "checksum" | "size" | "idle" {
    if (!this.#active) return "idle";
    if (body.length < 16) return "size";
    const data = body.subarray(16);
    if (word(body, 0) !== data.length || data.length > this.#remainingBytes) return "size";
    if (dataChecksum(data) !== checksum) return "checksum";
    this.#space.load(this.#address, data);
    this.#address += data.length;
    this.#remainingBytes -= data.length;
    return "ok";
  }

  /** Whether all that was announced came. */
  end(): boolean {
    const complete = this.#active && this.#remainingBytes === 0;
    this.#active = false;
    return complete;
  }
}
