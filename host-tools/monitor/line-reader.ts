/**
 * Lines out of what a serial port gives: in pieces, with CR, LF or both, colours of the sender's, bytes that are no text, and Improv packets in between.
 *
 * Two ends at different rates hear each other as noise. It is told once as such and then kept quiet, since it says nothing and scrolls away what did.
 */
import { type ImprovPacket, improvChecksum, improvMark } from "./improv-packet.ts";
import { readable } from "./readable-text.ts";

export type Piece =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "improv"; readonly packet: ImprovPacket }
  /** From here on it is noise, until a line comes again. */
  | { readonly kind: "noise" };

export class LineReader {
  readonly #line = new Uint8Array(lineBytesMax);
  #length = 0;
  #afterReturn = false;
  #packet: number[] | undefined;
  #recentBytes = 0;
  #recentGarbage = 0;
  #isNoise = false;

  /** What these bytes complete. */
  read(bytes: Uint8Array): Piece[] {
    const pieces: Piece[] = [];
    for (const byte of bytes) {
      if (this.#packet !== undefined) this.#continuePacket(byte, pieces);
      else if (byte === improvVersion && this.#endsWithMark()) this.#beginPacket(pieces);
      else this.#text(byte, pieces);
    }
    return pieces;
  }

  /** The line that has begun, as it stands: for a prompt, which never ends. */
  rest(): Piece[] {
    const pieces: Piece[] = [];
    if (this.#packet !== undefined) this.#givePacketUp();
    if (this.#length > 0) this.#end(pieces);
    return pieces;
  }

  #text(byte: number, pieces: Piece[]): void {
    const afterReturn = this.#afterReturn;
    this.#afterReturn = false;
    if (byte === lineFeed) {
      if (!afterReturn) this.#end(pieces);
      return;
    }
    if (byte === carriageReturn) {
      // Alone it takes the cursor back: what was written is a line to us.
      if (this.#length > 0) this.#end(pieces);
      else if (!afterReturn) return;
      this.#afterReturn = true;
      return;
    }
    if (this.#length === lineBytesMax) this.#end(pieces);
    this.#line[this.#length++] = byte;
  }

  #end(pieces: Piece[]): void {
    const bytes = this.#line.subarray(0, this.#length);
    this.#length = 0;
    const { text, garbageBytes } = readable(bytes);
    this.#judge(bytes.length, garbageBytes, pieces);
    if (!this.#isNoise) pieces.push({ kind: "line", text });
  }

  /** By what came lately, so that one odd byte is no noise and one lucky line no end of it. */
  #judge(bytes: number, garbage: number, pieces: Piece[]): void {
    this.#recentBytes += bytes;
    this.#recentGarbage += garbage;
    const share = this.#recentBytes === 0 ? 0 : this.#recentGarbage / this.#recentBytes;
    if (!this.#isNoise && this.#recentBytes >= noiseBytesMin && share > noiseShareMin) {
      this.#isNoise = true;
      pieces.push({ kind: "noise" });
    } else if (this.#isNoise && garbage === 0 && bytes >= cleanBytesMin) {
      this.#isNoise = false;
      this.#recentBytes = 0;
      this.#recentGarbage = 0;
    }
    while (this.#recentBytes > recentBytesMax) {
      this.#recentBytes /= 2;
      this.#recentGarbage /= 2;
    }
  }

  #endsWithMark(): boolean {
    const from = this.#length - improvMark.length;
    return from >= 0 && improvMark.every((byte, i) => this.#line[from + i] === byte);
  }

  #beginPacket(pieces: Piece[]): void {
    this.#length -= improvMark.length;
    if (this.#length > 0) this.#end(pieces);
    this.#packet = [...improvMark, improvVersion];
  }

  /** Version, type, length, so many bytes, checksum (Improv over serial, "Packet format"). */
  #continuePacket(byte: number, pieces: Piece[]): void {
    const packet = this.#packet!;
    packet.push(byte);
    const length = packet[improvLengthAt];
    if (length === undefined || packet.length < improvLengthAt + 1 + length + 1) return;
    if (improvChecksum(packet.slice(0, -1)) === byte) {
      const data = Uint8Array.from(packet.slice(improvLengthAt + 1, -1));
      pieces.push({ kind: "improv", packet: { type: packet[improvTypeAt]!, data } });
      this.#packet = undefined;
      // A line's end may follow it, which is the packet's own.
      this.#afterReturn = true;
    } else this.#givePacketUp();
  }

  /** It was none: its bytes are text like others. */
  #givePacketUp(): void {
    const bytes = this.#packet!;
    this.#packet = undefined;
    for (const byte of bytes) if (this.#length < lineBytesMax) this.#line[this.#length++] = byte;
  }
}

const lineBytesMax = 2048;
const noiseBytesMin = 48;
const noiseShareMin = 0.3;
const cleanBytesMin = 8;
const recentBytesMax = 256;
const [lineFeed, carriageReturn] = [0x0a, 0x0d];
const improvVersion = 1;
const improvTypeAt = improvMark.length + 1;
const improvLengthAt = improvMark.length + 2;
