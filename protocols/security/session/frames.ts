/**
 * What the two ends of a session say before it is up, each one frame of a channel of its own (`edhoc` on a board's connection). The first
 * byte says which; EDHOC leaves telling its messages apart to what carries them (RFC 9528, section 3.4).
 *
 * ```
 * 0  error          what went wrong (RFC 9528, section 6)           either way; nobody vouches for it
 * 1  message 1                                                      from the initiator
 * 2  message 2
 * 3  message 3
 * 4  message 4                                                      the session is up
 * 5  number, epoch, then an empty record under the keys to come     refresh: go on with the session that was, under new keys
 * 6  an empty record under the new keys                             refreshed
 * ```
 *
 * The epoch of a handshake is C_I, the name that the initiator chooses for it in message 1 (RFC 9528, section 3.3), and so is part of what both sides
 * authenticate. Epoch and number of a refresh, CBOR integers, go into the keys of its record. So whoever changes one on the way gets nothing but a
 * handshake or a refresh that fails.
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

/** Of a roster's epoch, and of a refresh's number. */
const integerMax = 0x7fff_ffff;

export interface Frame {
  readonly kind: number;
  /** Of a refresh; 0 otherwise. */
  readonly number: number;
  readonly epoch: number;
  readonly body: Uint8Array;
}

export function encodeFrame(kind: number, body: Uint8Array): Uint8Array {
  return concat(kind, body);
}

export function encodeRefresh(number: number, epoch: number, record: Uint8Array): Uint8Array {
  return concat(FrameKind.refresh, encodeCbor(number), encodeCbor(epoch), record);
}

/** undefined for what is no frame, or too long for one. Its body is a view of `bytes`. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  const kind = bytes[0];
  if (kind === undefined || kind > FrameKind.refreshed || bytes.length > frameBytesMax) return undefined;
  if (kind !== FrameKind.refresh) return { kind, number: 0, epoch: 0, body: bytes.subarray(1) };
  try {
    const reader = new SequenceReader(bytes.subarray(1));
    const number = reader.integer();
    const epoch = reader.integer();
    if (!(number >= 1 && number <= integerMax && epoch >= 0 && epoch <= integerMax)) return undefined;
    return { kind, number, epoch, body: reader.rest() };
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}

/** C_I of a handshake in this epoch: its CBOR integer. */
export function epochToId(epoch: number): Uint8Array {
  return encodeCbor(epoch);
}

/** The epoch that C_I is; undefined when it is none. */
export function epochOfId(id: Uint8Array): number | undefined {
  try {
    const reader = new SequenceReader(id);
    const epoch = reader.integer();
    return reader.isAtEnd && epoch >= 0 && epoch <= integerMax ? epoch : undefined;
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}
