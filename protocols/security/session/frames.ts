/**
 * What the two ends of a session say before it is up, each one frame of a channel of its own (`edhoc` on a board's connection). The first
 * byte says which; EDHOC leaves telling its messages apart to what carries them (RFC 9528, section 3.4).
 *
 * ```
 * 0  error          what went wrong (RFC 9528, section 6)           either way; nobody vouches for it
 * 1  message 1                                                      from the initiator
 * 2  message 2
 * 3  epoch, then message 3                                          the epoch of the roster that the initiator knows
 * 4  message 4                                                      the session is up
 * 5  number, epoch, then an empty record under the keys to come     refresh: go on with the session that was, under new keys
 * 6  an empty record under the new keys                             refreshed
 * ```
 *
 * Epoch and number are CBOR integers. Both go into the keys, so that whoever changes them on the way has made a session in which nothing opens.
 */
import { encodeCbor } from "../../cbor/encode.ts";
import { CborError } from "../../cbor/error.ts";
import { concat, SequenceReader } from "../../cbor/sequence.ts";

export const FrameKind = Object.freeze({
  error: 0,
  message1: 1,
  message2: 2,
  message3: 3,
  message4: 4,
  refresh: 5,
  refreshed: 6,
});

/** Bytes of a frame: a handshake's message with an identity by value, and what is before it. */
export const frameBytesMax = 1024;

export interface Frame {
  readonly kind: number;
  /** Of a message 3 and of a refresh; 0 otherwise. */
  readonly epoch: number;
  /** Of a refresh; 0 otherwise. */
  readonly number: number;
  readonly body: Uint8Array;
}

export function encodeFrame(kind: number, body: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(kind), body);
}

export function encodeMessage3(epoch: number, message3: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(FrameKind.message3), encodeCbor(epoch), message3);
}

export function encodeRefresh(number: number, epoch: number, record: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(FrameKind.refresh), encodeCbor(number), encodeCbor(epoch), record);
}

/** undefined for what is no frame, or too long for one. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < 1 || bytes.length > frameBytesMax) return undefined;
  const kind = bytes[0]!;
  try {
    const reader = new SequenceReader(bytes.subarray(1));
    const number = kind === FrameKind.refresh ? reader.integer() : 0;
    const epoch = kind === FrameKind.refresh || kind === FrameKind.message3 ? reader.integer() : 0;
    if (kind > FrameKind.refreshed || number < 0 || epoch < 0) return undefined;
    return { kind, epoch, number, body: reader.rest() };
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}
