/**
 * Lines out of what a serial port gives: in pieces, with CR, LF or both, colours of the sender's, bytes that are no text, and Improv packets in between.
 *
 * Two ends at different rates hear each other as noise. It is told once as such and then kept quiet, since it says nothing and scrolls away what did.
 */
import { PacketReader } from "../../protocols/improv/packets.ts";
import { readable } from "./readable-text.ts";

export type Piece =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "improv"; readonly type: number; readonly data: Uint8Array }
  /** From here on it is noise, until a line comes again. */
  | { readonly kind: "noise" };

export class LineReader {
  readonly #packets: PacketReader;
  readonly #line = new Uint8Array(lineBytesMax);
  #length = 0;
  #pieces: Piece[] = [];
  #afterReturn = false;
  #recentBytes = 0;
  #recentGarbage = 0;
  #isNoise = false;

  constructor() {
    this.#packets = new PacketReader({
      onPacket: (type, data) => {
        if (this.#length > 0) this.#end();
        this.#pieces.push({ kind: "improv", type, data: data.slice() });
      },
      onOther: (bytes) => {
        for (const byte of bytes) this.#text(byte);
      },
    });
  }

  /** What these bytes complete. */
  read(bytes: Uint8Array): Piece[] {
    this.#packets.push(bytes);
    return this.#taken();
  }

  /** The line that has begun, as it stands: for a prompt, which never ends. */
  rest(): Piece[] {
    this.#packets.abandon();
    if (this.#length > 0) this.#end();
    return this.#taken();
  }

  #taken(): Piece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  #text(byte: number): void {
    const afterReturn = this.#afterReturn;
    this.#afterReturn = false;
    if (byte === lineFeed) {
      if (!afterReturn) this.#end();
      return;
    }
    if (byte === carriageReturn) {
      // Alone it takes the cursor back: what was written is a line to us.
      if (this.#length > 0) this.#end();
      else if (!afterReturn) return;
      this.#afterReturn = true;
      return;
    }
    if (this.#length === lineBytesMax) this.#end();
    this.#line[this.#length++] = byte;
  }

  #end(): void {
    const bytes = this.#line.subarray(0, this.#length);
    this.#length = 0;
    const { text, garbageBytes } = readable(bytes);
    this.#judge(bytes.length, garbageBytes);
    if (!this.#isNoise) this.#pieces.push({ kind: "line", text });
  }

  /** By what came lately, so that one odd byte is no noise and one lucky line no end of it. */
  #judge(bytes: number, garbage: number): void {
    this.#recentBytes += bytes;
    this.#recentGarbage += garbage;
    const share = this.#recentBytes === 0 ? 0 : this.#recentGarbage / this.#recentBytes;
    if (!this.#isNoise && this.#recentBytes >= noiseBytesMin && share > noiseShareMin) {
      this.#isNoise = true;
      this.#pieces.push({ kind: "noise" });
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
}

const lineBytesMax = 2048;
const noiseBytesMin = 48;
const noiseShareMin = 0.3;
const cleanBytesMin = 8;
const recentBytesMax = 256;
const [lineFeed, carriageReturn] = [0x0a, 0x0d];
