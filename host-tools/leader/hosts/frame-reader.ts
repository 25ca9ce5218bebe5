/** Frames on a byte stream: a length of four bytes, big-endian, then as many bytes. */

/** The peer announced a frame longer than any that a host sends. */
export class FrameTooLong extends Error {
  override readonly name = "FrameTooLong";
  readonly bytes: number;

  constructor(bytes: number, bytesMax: number) {
    super(`a frame of ${bytes} bytes, where at most ${bytesMax} are sent`);
    this.bytes = bytes;
  }
}

export const frameHeaderBytes = 4;

/** What stands before a payload of this length. */
export function headerOf(length: number): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderBytes);
  header.writeUInt32BE(length);
  return header;
}

/** `payload` with its length before it. */
export function frameOf(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + payload.length);
  frame.writeUInt32BE(payload.length);
  frame.set(payload, frameHeaderBytes);
  return frame;
}

/** Cuts what arrives into frames. Holds one incomplete frame at most. */
export class FrameReader {
  /** Of a frame's payload; may change from one frame to the next. */
  bytesMax: number;
  readonly #onFrame: (payload: Buffer) => void;
  /** Pieces of the frame that is not complete yet, its header included. */
  #pieces: Buffer[] = [];
  #held = 0;

  /** `onFrame` may keep what it is given. */
  constructor(bytesMax: number, onFrame: (payload: Buffer) => void) {
    this.bytesMax = bytesMax;
    this.#onFrame = onFrame;
  }

  /** Takes bytes as they came. @throws {FrameTooLong} before a byte of such a frame is kept */
  push(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed()) return;
    let bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces, this.#held);
    while (bytes.length >= frameHeaderBytes) {
      const length = this.#lengthOf(bytes);
      if (bytes.length < frameHeaderBytes + length) break;
      this.#onFrame(bytes.subarray(frameHeaderBytes, frameHeaderBytes + length));
      bytes = bytes.subarray(frameHeaderBytes + length);
    }
    this.#pieces = bytes.length === 0 ? [] : [bytes];
    this.#held = bytes.length;
  }

  /** Bytes of the first frame with its header, as far as its header is known: so that a long frame is put together once. */
  #needed(): number {
    if (this.#held < frameHeaderBytes) return frameHeaderBytes;
    if (this.#pieces[0]!.length < frameHeaderBytes) this.#pieces = [Buffer.concat(this.#pieces, this.#held)];
    return frameHeaderBytes + this.#lengthOf(this.#pieces[0]!);
  }

  #lengthOf(bytes: Buffer): number {
    const length = bytes.readUInt32BE();
    if (length > this.bytesMax) throw new FrameTooLong(length, this.bytesMax);
    return length;
  }
}
