/**
 * The turn protocol between a board's process and its parent. native/protocol.h is the same in C, and says what each
 * frame means; change both.
 */

/** The longest frame, after its length field. */
export const FRAME_BYTES_MAX = 64 * 1024;

/** The longest message of a turn: a frame without its type and time. */
export const MESSAGE_BYTES_MAX: number = FRAME_BYTES_MAX - 1 - 8;

/** The longest request or reply of a call: a frame without its type. */
export const CALL_BYTES_MAX: number = FRAME_BYTES_MAX - 1;

export const FrameType = Object.freeze({ turn: 1, call: 2, return: 3, refuse: 4, done: 5 });

/** What the engine reports at the end of each turn. Counts of bytes, but for those that say otherwise. */
export interface HeapFigures {
  /** Chunks and slots in use now, garbage since the last collection included. */
  readonly usedBytes: number;
  /** The most that `usedBytes` ever was (sampled before each collection and at the end of each turn: exact). */
  readonly peakBytes: number;
  /** Of the arena: what chunks, slots and stack have ever claimed. */
  readonly claimedBytes: number;
  readonly arenaBytes: number;
  /** 16 as on the chip; 32 on a 64-bit host, where no figure here is the chip's. */
  readonly slotBytes: 16 | 32;
  /** Slots: the deepest that the JavaScript stack ever was. */
  readonly stackPeakSlots: number;
  readonly stackSlots: number;
  /** Garbage collections since start. */
  readonly collections: number;
  /** Bytecode instructions that this turn took: the same on every run. */
  readonly instructions: number;
  /** Outside the arena, in RAM on a chip too: tables of names, keys and aliases. */
  readonly tableBytes: number;
  /**
   * Instructions of the chip's set (rv32imac) that this turn took, without the wait for answers to calls: the same on
   * every run. 0 on a host that does not count them: only `buildRv32Host`'s does.
   */
  readonly machineInstructions: number;
}

export interface Done {
  /** Milliseconds on the clock of the turns; Infinity: the board waits for a message. */
  readonly nextDeadlineMs: number;
  readonly heap: HeapFigures;
}

const FIGURES = 10;
const DONE_BODY_BYTES = 8 + FIGURES * 4 + 8;
const HEAD_BYTES = 5;

const empty = new Uint8Array(0);

export function encodeTurn(nowMs: number, message: Uint8Array = empty): Uint8Array {
  const frame = newFrame(FrameType.turn, 8 + message.length);
  new DataView(frame.buffer).setFloat64(HEAD_BYTES, nowMs, true);
  frame.set(message, HEAD_BYTES + 8);
  return frame;
}

export function encodeReturn(reply: Uint8Array): Uint8Array {
  const frame = newFrame(FrameType.return, reply.length);
  frame.set(reply, HEAD_BYTES);
  return frame;
}

export function encodeRefuse(reason: string): Uint8Array {
  const text = new TextEncoder().encode(reason).subarray(0, 1024);
  const frame = newFrame(FrameType.refuse, text.length);
  frame.set(text, HEAD_BYTES);
  return frame;
}

export function decodeDone(body: Uint8Array): Done {
  if (body.length !== DONE_BODY_BYTES) {
    throw new ProtocolViolation(`a DONE frame of ${body.length} bytes where ${DONE_BODY_BYTES} were due`);
  }
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const figure = (index: number) => view.getUint32(8 + index * 4, true);
  return {
    nextDeadlineMs: view.getFloat64(0, true),
    heap: {
      usedBytes: figure(0),
      peakBytes: figure(1),
      claimedBytes: figure(2),
      arenaBytes: figure(3),
      slotBytes: figure(4) === 16 ? 16 : 32,
      stackPeakSlots: figure(5),
      stackSlots: figure(6),
      collections: figure(7),
      instructions: figure(8),
      tableBytes: figure(9),
      machineInstructions: Number(view.getBigUint64(8 + FIGURES * 4, true)),
    },
  };
}

function newFrame(type: number, bodyBytes: number): Uint8Array<ArrayBuffer> {
  if (1 + bodyBytes > FRAME_BYTES_MAX)
    throw new RangeError(`${bodyBytes} bytes do not fit a frame of ${FRAME_BYTES_MAX}`);
  const frame = new Uint8Array(HEAD_BYTES + bodyBytes);
  new DataView(frame.buffer).setUint32(0, 1 + bodyBytes, true);
  frame[4] = type;
  return frame;
}

/** What came from the board's process is no frame of the protocol. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}

/** Cuts a stream of bytes into frames. Holds at most one frame and one read's worth of bytes. */
export class FrameReader {
  readonly #onFrame: (type: number, body: Uint8Array) => void;
  #pending: Buffer = Buffer.alloc(0);

  /** The body given to `onFrame` is valid during the call only. */
  constructor(onFrame: (type: number, body: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws ProtocolViolation when a length is impossible. */
  push(chunk: Buffer): void {
    let bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    while (bytes.length >= 4) {
      const length = bytes.readUInt32LE(0);
      if (length < 1 || length > FRAME_BYTES_MAX) throw new ProtocolViolation(`a frame of ${length} bytes`);
      if (bytes.length < 4 + length) break;
      this.#onFrame(bytes[4]!, bytes.subarray(5, 4 + length));
      bytes = bytes.subarray(4 + length);
    }
    this.#pending = bytes;
  }
}
