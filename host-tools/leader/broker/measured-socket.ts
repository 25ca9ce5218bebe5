/**
 * A TCP connection as the broker sees it: every byte and message counted, and every MQTT packet's length read before the
 * packet is buffered.
 *
 * The parser behind aedes collects a packet until it is complete, and MQTT lets a header claim 256 MB. So the fixed header
 * (MQTT 3.1.1, section 2.2: one byte of type and flags, then one to four bytes of remaining length) is read here first, and a
 * packet longer than the limit ends the connection at its fifth byte.
 */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";

export interface Traffic {
  /** PUBLISH packets. */
  messagesIn: number;
  messagesOut: number;
  /** Bytes on the TCP connection, MQTT framing and control packets included. */
  bytesIn: number;
  bytesOut: number;
}

/** The peer sent what no MQTT client sends. */
export class FramingError extends Error {
  override readonly name = "FramingError";
}

const publishType = 3;

export class MeasuredSocket extends Duplex {
  readonly socket: Socket;
  /** Where the other end is, also when it is gone. */
  readonly address: string;
  readonly #traffic: Traffic;
  readonly #packetBytesMax: number;

  // Position in the incoming packet: bytes of its body still to come, or the header read so far.
  #bodyBytesLeft = 0;
  #inHeader = false;
  #isPublish = false;
  #length = 0;
  #lengthShift = 0;

  constructor(socket: Socket, traffic: Traffic, packetBytesMax: number) {
    super({ allowHalfOpen: false });
    this.socket = socket;
    this.address = socket.remoteAddress ?? "";
    this.#traffic = traffic;
    this.#packetBytesMax = packetBytesMax;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  /** Bytes accepted for this peer that the operating system has not taken yet. */
  get unsentBytes(): number {
    return this.writableLength + this.socket.writableLength;
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#traffic.bytesOut += chunk.length;
    this.socket.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const bytes = Buffer.concat(chunks.map(({ chunk }) => chunk));
    this._write(bytes, "buffer", done);
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Without an error the last words, such as the refusal in a CONNACK, are still to reach the peer.
    if (error === null) this.socket.destroySoon();
    else this.socket.destroy();
    done(error);
  }

  #receive(chunk: Buffer): void {
    this.#traffic.bytesIn += chunk.length;
    try {
      this.#follow(chunk);
    } catch (error) {
      this.destroy(error as FramingError);
      return;
    }
    if (!this.push(chunk)) this.socket.pause();
  }

  /** Follows the packet boundaries through the chunk. */
  #follow(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyBytesLeft > 0) {
        const skipped = Math.min(this.#bodyBytesLeft, chunk.length - at);
        this.#bodyBytesLeft -= skipped;
        at += skipped;
        if (this.#bodyBytesLeft === 0) this.#endPacket();
        continue;
      }
      const byte = chunk[at++]!;
      if (this.#inHeader) this.#followLength(byte);
      else this.#startPacket(byte);
    }
  }

  #startPacket(byte: number): void {
    this.#inHeader = true;
    this.#isPublish = byte >> 4 === publishType;
    this.#length = 0;
    this.#lengthShift = 0;
  }

  #followLength(byte: number): void {
    this.#length += (byte & 0x7f) << this.#lengthShift;
    this.#lengthShift += 7;
    if (byte >= 0x80) {
      if (this.#lengthShift === 28) throw new FramingError("a packet length of more than four bytes");
      return;
    }
    if (this.#length > this.#packetBytesMax) {
      throw new FramingError(`a packet of ${this.#length} bytes; the limit is ${this.#packetBytesMax}`);
    }
    this.#inHeader = false;
    this.#bodyBytesLeft = this.#length;
    if (this.#length === 0) this.#endPacket();
  }

  #endPacket(): void {
    if (this.#isPublish) this.#traffic.messagesIn++;
  }
}
