/**
 * SLIP as the loaders speak it: every packet between two 0xC0; 0xC0 and 0xDB inside as 0xDB 0xDC and 0xDB 0xDD.
 * RFC 1055; Espressif, "Serial Protocol", "Low Level Protocol".
 */

/** The packet with its two ends and its escapes. */
export function slipFrame(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + 2 * packet.length);
  let length = 0;
  frame[length++] = end;
  for (const byte of packet) {
    if (byte === end || byte === escapeByte) {
      frame[length++] = escapeByte;
      frame[length++] = byte === end ? escapedEnd : escapedEscape;
    } else frame[length++] = byte;
  }
  frame[length++] = end;
  return frame.subarray(0, length);
}

/**
 * Finds packets in a stream as the loaders' receivers do: what stands outside a frame is passed over, and a wrong
 * escape or a packet over the buffer gives the frame up until the next 0xC0.
 */
export class SlipReader {
  readonly #buffer: Uint8Array;
  #length = 0;
  #state: "outside" | "inside" | "escaping" = "outside";

  readonly #endsEmpty: boolean;

  /**
   * @param maxBytes the longest packet, unescaped, that the receiver has room for
   * @param endsEmpty the stub's way: the second of two 0xC0 ends an empty frame instead of beginning the next, so
   *   that one lost 0xC0 puts all that follows out of step until another is lost or too many
   */
  constructor(maxBytes: number, endsEmpty = false) {
    this.#buffer = new Uint8Array(maxBytes);
    this.#endsEmpty = endsEmpty;
  }

  /** The packets that `bytes` complete, each a copy. */
  read(bytes: Uint8Array): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (const byte of bytes) {
      if (this.#state === "outside") {
        if (byte === end) this.#begin();
      } else if (this.#state === "escaping") {
        this.#state = "inside";
        if (byte === escapedEnd) this.#put(end);
        else if (byte === escapedEscape) this.#put(escapeByte);
        else this.#state = "outside";
      } else if (byte === end) {
        if (this.#length > 0) packets.push(this.#buffer.slice(0, this.#length));
        if (this.#length > 0 || this.#endsEmpty) this.#state = "outside";
      } else if (byte === escapeByte) this.#state = "escaping";
      else this.#put(byte);
    }
    return packets;
  }

  #begin(): void {
    this.#state = "inside";
    this.#length = 0;
  }

  #put(byte: number): void {
    if (this.#length === this.#buffer.length) this.#state = "outside";
    else this.#buffer[this.#length++] = byte;
  }
}

const end = 0xc0;
const escapeByte = 0xdb;
const escapedEnd = 0xdc;
const escapedEscape = 0xdd;
