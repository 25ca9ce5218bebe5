import { MqttError } from "./error.ts";

export interface PacketHandler {
  /** A whole packet: its first byte, and what follows the remaining length, valid until the call returns. */
  onPacket(header: number, body: Uint8Array): void;
}

/**
 * Cuts a byte stream, in whatever pieces it arrives, into control packets. A packet that lies whole in a piece is handed on
 * without a copy; one that straddles pieces is collected in a buffer that grows to the largest such packet, at most
 * `packetBytesMax`, and is kept for the next while it is short.
 */
export class PacketReader {
  readonly #packetBytesMax: number;
  readonly #handler: PacketHandler;
  /** First byte of the packet being read; -1 between packets. */
  #header = -1;
  #length = 0;
  /** Weight of the next byte of the remaining length; 0 once it is complete. */
  #lengthWeight = 1;
  #body = noBytes;
  #filled = 0;
  #stopped = false;

  constructor(packetBytesMax: number, handler: PacketHandler) {
    this.#packetBytesMax = packetBytesMax;
    this.#handler = handler;
  }

  /** Throws `MqttError`, malformed or too-large; nothing may be pushed after that. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#stopped) {
      if (this.#header < 0) {
        this.#header = bytes[at++]!;
        this.#length = 0;
        this.#lengthWeight = 1;
      } else if (this.#lengthWeight > 0) {
        this.lengthByte(bytes[at++]!);
      } else {
        at = this.collect(bytes, at);
        continue;
      }
      if (this.#lengthWeight === 0 && this.#length === 0) this.packet(bytes.subarray(0, 0));
    }
  }

  /** Drops what is left of the piece at hand: for a handler that ends the session. */
  stop(): void {
    this.#stopped = true;
  }

  /** One byte of the remaining length: seven bits of it, and whether more follow (2.2.3). */
  private lengthByte(byte: number): void {
    this.#length += (byte & 0x7f) * this.#lengthWeight;
    if (byte < 0x80) this.#lengthWeight = 0;
    else if (this.#lengthWeight === 128 ** 3) {
      throw new MqttError("malformed", "a remaining length has more than four bytes");
    } else this.#lengthWeight *= 128;
    if (this.#length > this.#packetBytesMax) {
      throw new MqttError("too-large", `a packet is larger than the limit of ${this.#packetBytesMax} bytes`);
    }
  }

  /** Takes what `bytes` hold of the body and gives the offset after it. */
  private collect(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#length - this.#filled);
    if (this.#filled === 0 && end - at === this.#length) {
      this.packet(bytes.subarray(at, end));
      return end;
    }
    if (this.#body.length < this.#length) this.#body = new Uint8Array(this.#length);
    this.#body.set(bytes.subarray(at, end), this.#filled);
    this.#filled += end - at;
    if (this.#filled === this.#length) this.packet(this.#body.subarray(0, this.#length));
    return end;
  }

  private packet(body: Uint8Array): void {
    const header = this.#header;
    this.#header = -1;
    this.#filled = 0;
    if (this.#body.length > keptBytesMax) this.#body = noBytes;
    this.#handler.onPacket(header, body);
  }
}

const noBytes = new Uint8Array(0);

/** Programs and chunks of snapshots are longer, and rare. */
const keptBytesMax = 256;
