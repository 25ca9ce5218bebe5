/**
 * A TCP connection between two hosts that have proved to each other who they are: the bytes that one end is given come out at the other as they
 * were and in their order, or the connection ends.
 *
 * ```
 * [length] session frame     in the clear: the handshake, later a refresh (protocols/security/session/frames.ts); the first byte is 0 to 6
 * [length] record            a piece of the stream, sealed; the first byte is 0x83, an array of COSE
 * ```
 *
 * A piece is what was written in one turn of the event loop: sealing costs as much for a hundred bytes as for a thousand. It has 65,527 bytes at
 * most, as many as AES-CCM counts with a nonce of 13 (RFC 3610, section 2.1) less its tag, so a long frame is in several.
 * TCP loses and swaps nothing, so each record must have the number that comes next: one that is repeated, left out or moved ends the connection
 * like one that is forged.
 */
import type { Socket } from "node:net";
import type { Known } from "../../../protocols/security/identity/roster.ts";
import type { RecordFault } from "../../../protocols/security/record/channel.ts";
import type { EndOptions } from "../../../protocols/security/session/end.ts";
import { FrameKind, frameBytesMax } from "../../../protocols/security/session/frames.ts";
import { SessionInitiator } from "../../../protocols/security/session/initiator.ts";
import { SessionResponder } from "../../../protocols/security/session/responder.ts";
import { type SecureSession, sessionLimits } from "../../../protocols/security/session/secure-session.ts";
import { FrameReader, frameHeaderBytes, frameOf, headerOf } from "./frame-reader.ts";

export const secureStreamLimits = {
  /** Messages 1 and 3, or their answers, by reference and once more by value. */
  handshakeFramesMax: 4,
  pieceBytesMax: 65_527,
  /** What waits for a peer that does not read. */
  unsentBytesMax: 8 * 1024 * 1024,
} as const;

/** No session came about, or it could not go on: who is there is not who may be. */
export class HandshakeFailed extends Error {
  override readonly name = "HandshakeFailed";
  /** This end refused the other; else the other refused this one. */
  readonly isOurs: boolean;

  constructor(message: string, isOurs: boolean) {
    super(message);
    this.isOurs = isOurs;
  }
}

/** Bytes in a session that its other end did not put there, or not there. */
export class RecordRefused extends Error {
  override readonly name = "RecordRefused";
  readonly fault: RecordFault | "out of order";

  constructor(fault: RecordFault | "out of order") {
    super(`a record on the connection is ${fault}`);
    this.fault = fault;
  }
}

export interface SecureStreamOptions extends EndOptions {
  /** One way under one key; then the end that dialled asks for new ones. */
  readonly recordsMax?: number | undefined;
  /** The other end has proved itself; may write. */
  onUp(session: SecureSession): void;
  /** May keep the bytes. */
  onBytes(bytes: Buffer): void;
  /** Counted as they are on the network. */
  readonly traffic: { bytesIn: number; bytesOut: number };
  /** The connection is of no use any more; undefined when it was simply closed. Called again for what follows from it. */
  onFailure(error: Error | undefined): void;
}

export class SecureStream {
  readonly #socket: Socket;
  readonly #options: SecureStreamOptions;
  readonly #end: SessionInitiator | SessionResponder;
  readonly #reader: FrameReader;
  readonly #recordsMax: number;
  #handshakeFrames = 0;
  /** Records under the present keys. */
  #sent = 0;
  #received = 0;
  #isRefreshing = false;
  /** Of this turn of the event loop. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;

  /** `socket` is connected. */
  constructor(socket: Socket, isInitiator: boolean, options: SecureStreamOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#recordsMax = options.recordsMax ?? sessionLimits.recordsMax;
    this.#end = isInitiator ? new SessionInitiator(options) : new SessionResponder(options);
    this.#reader = new FrameReader(frameBytesMax, (payload) => this.#take(payload));
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      options.traffic.bytesIn += chunk.length;
      try {
        this.#reader.push(chunk);
      } catch (error) {
        options.onFailure(error as Error);
      }
    });
    socket.on("error", options.onFailure);
    socket.on("close", () => options.onFailure(undefined));
    if (this.#end instanceof SessionInitiator) this.#write(this.#end.start());
  }

  /** Who the other end has proved to be; undefined before. */
  get peer(): Known | undefined {
    return this.#end.isUp ? this.#end.session?.peer : undefined;
  }

  /** Whether the other end began and has neither finished nor given up. */
  get hasBegun(): boolean {
    return this.#handshakeFrames > 0;
  }

  /** False when there is no room; then nothing of it is sent. The session must be up. */
  write(bytes: Buffer): boolean {
    const waiting = this.#socket.writableLength + this.#pieceBytes;
    if (waiting + bytes.length > secureStreamLimits.unsentBytesMax) return false;
    if (this.#pieces.length === 0) setImmediate(() => this.#seal());
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
    return true;
  }

  /** New keys if the roster is of a later epoch than the session; the end that dialled asks for them. */
  refreshIfDue(): void {
    if (!(this.#end instanceof SessionInitiator) || this.#isRefreshing) return;
    const { session, isUp } = this.#end;
    if (session === undefined || !isUp) return;
    const isWorn = this.#sent >= this.#recordsMax || this.#received >= this.#recordsMax;
    if (!isWorn && session.epoch >= this.#options.roster.epoch) return;
    const frame = this.#end.refresh();
    if (frame === undefined) return;
    this.#isRefreshing = true;
    this.#sent = 0;
    this.#write(frame);
  }

  /** Sends what was written, as far as the network takes it at once, and ends the connection. */
  end(): void {
    this.#seal();
    this.#socket.end();
    this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(payload: Buffer): void {
    if (this.#socket.destroyed) return;
    if (payload[0] === recordStart && this.#end.isUp) this.#open(payload);
    else this.#step(payload);
  }

  #step(frame: Buffer): void {
    const end = this.#end;
    const wasUp = end.isUp;
    if (!wasUp && ++this.#handshakeFrames > secureStreamLimits.handshakeFramesMax) {
      throw new HandshakeFailed("the other end goes on and on with its handshake", true);
    }
    const step = end.take(frame);
    // In the clear there is nothing to be said in a session that is up, but for a refresh.
    if (wasUp && step.isUp === undefined) throw new RecordRefused("malformed");
    if (step.send !== undefined) this.#write(step.send);
    if (step.failure !== undefined) throw new HandshakeFailed(step.failure, frame[0] !== FrameKind.error);
    if (step.isUp === undefined) return;
    // A refresh has used the first number of each direction for its own records.
    this.#received = wasUp ? 1 : 0;
    this.#isRefreshing = false;
    if (wasUp) return;
    this.#reader.bytesMax = secureStreamLimits.pieceBytesMax + recordOverheadMax;
    this.#options.onUp(end.session!);
  }

  #open(record: Buffer): void {
    const opened = this.#end.open(topic, type, record);
    if (opened === undefined) throw new RecordRefused("malformed");
    if ("fault" in opened) throw new RecordRefused(opened.fault);
    if (opened.number !== this.#received) throw new RecordRefused("out of order");
    this.#received++;
    const { buffer, byteOffset, byteLength } = opened.payload;
    this.#options.onBytes(Buffer.from(buffer, byteOffset, byteLength));
    this.refreshIfDue();
  }

  #seal(): void {
    const pieces = this.#pieces;
    if (pieces.length === 0 || this.#socket.destroyed) return;
    const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, this.#pieceBytes);
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#socket.cork();
    for (let at = 0; at < bytes.length; at += secureStreamLimits.pieceBytesMax) {
      const piece = bytes.subarray(at, at + secureStreamLimits.pieceBytesMax);
      this.#write(this.#end.seal(topic, type, piece)!);
      this.#sent++;
    }
    this.#socket.uncork();
    this.refreshIfDue();
  }

  #write(payload: Uint8Array): void {
    if (payload.length < copiedBytesMax) {
      this.#socket.write(frameOf(payload));
    } else {
      this.#socket.write(headerOf(payload.length));
      this.#socket.write(payload);
    }
    this.#options.traffic.bytesOut += frameHeaderBytes + payload.length;
  }
}

/** Up to here a copy costs less than one more buffer for the system to gather. */
const copiedBytesMax = 4_096;
const topic = "hosts";
const type = "frame";
/** CBOR's head of an array of three. */
const recordStart = 0x83;
const recordOverheadMax = 24;
