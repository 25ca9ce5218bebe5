/**
 * What boards say to boards in the datagrams of their own network, beside any host. Version and kind are one byte, 0x10 and the kind:
 *
 * ```
 * 0  here        swarm, name                     the board of this name is at the address that this comes from
 * 1  asking      swarm, name                     the same, and it looks for members of its group: whoever begins sessions with it is to begin
 * 2  first       tag, swarm, from, to, frame     message 1 of a handshake (`security/session/frames.ts`)
 * 3  handshake   tag, frame                      every other message of it, either way
 * 4  record      tag, record                     sealed under the session that came of it
 * ```
 *
 * A tag is 4 bytes of chance, which whoever begins gives to the handshake and the session that comes of it: it tells sessions apart, and is no secret. Names
 * are CBOR texts. Nobody vouches for any of it but for what is in a record.
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { CborError } from "../cbor/error.ts";
import { concat, SequenceReader } from "../cbor/sequence.ts";
import { identityLimits } from "../security/identity/identity.ts";
import { frameBytesMax } from "../security/session/frames.ts";

/** UDP, of every board (RFC 6335, section 6: a user port, registered for nothing). */
export const lanPort = 7268;

/** Of organization-local scope (RFC 2365, section 6.2): no router carries it out of the house. */
export const lanGroup = "239.255.83.80";

/** Of a whole datagram: in one frame of any network, with what IP and Wi-Fi add. */
export const datagramBytesMax = 1_024;

export const DatagramKind = Object.freeze({ here: 0, asking: 1, first: 2, handshake: 3, record: 4 });

/** Kind and tag, before what is sealed. */
export const tagEnd = 5;

/** Where somebody is, and whether it looks for others. */
export interface Announcement {
  readonly isAsking: boolean;
  readonly swarm: string;
  readonly name: string;
}

export interface FirstMessage {
  readonly tag: number;
  readonly swarm: string;
  readonly from: string;
  readonly to: string;
  /** A view. */
  readonly frame: Uint8Array;
}

/** -1 for what is of no kind, another version, or too long. */
export function kindOf(bytes: Uint8Array): number {
  const first = bytes[0];
  if (first === undefined || first >> 4 !== version || bytes.length > datagramBytesMax) return -1;
  const kind = first & 0x0f;
  if (kind > DatagramKind.record || (kind >= DatagramKind.first && bytes.length <= tagEnd)) return -1;
  return kind;
}

/** Of a datagram that has one. */
export function tagOf(bytes: Uint8Array): number {
  return ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0;
}

export function encodeAnnouncement({ isAsking, swarm, name }: Announcement): Uint8Array {
  const kind = isAsking ? DatagramKind.asking : DatagramKind.here;
  return concat((version << 4) | kind, encodeCbor(swarm), encodeCbor(name));
}

/** Of kind `here` or `asking`; undefined for garbage. */
export function decodeAnnouncement(bytes: Uint8Array): Announcement | undefined {
  const isAsking = kindOf(bytes) === DatagramKind.asking;
  if (!isAsking && kindOf(bytes) !== DatagramKind.here) return undefined;
  return reading(bytes.subarray(1), (reader) => {
    const swarm = nameFrom(reader);
    const name = nameFrom(reader);
    reader.end();
    return { isAsking, swarm, name };
  });
}

export function encodeFirst({ tag, swarm, from, to, frame }: FirstMessage): Uint8Array {
  return concat(head(DatagramKind.first, tag), encodeCbor(swarm), encodeCbor(from), encodeCbor(to), frame);
}

/** Of kind `first`; undefined for garbage. */
export function decodeFirst(bytes: Uint8Array): FirstMessage | undefined {
  if (kindOf(bytes) !== DatagramKind.first) return undefined;
  return reading(bytes.subarray(tagEnd), (reader) => {
    const swarm = nameFrom(reader);
    const from = nameFrom(reader);
    const to = nameFrom(reader);
    const frame = reader.rest();
    if (frame.length === 0 || frame.length > frameBytesMax) return undefined;
    return { tag: tagOf(bytes), swarm, from, to, frame };
  });
}

/** A datagram of kind `handshake` or `record`. */
export function encodeTagged(kind: 3 | 4, tag: number, body: Uint8Array): Uint8Array {
  return concat(head(kind, tag), body);
}

const version = 1;

function head(kind: number, tag: number): Uint8Array {
  return Uint8Array.of(
    (version << 4) | kind,
    tag >>> 24,
    (tag >>> 16) & 0xff,
    (tag >>> 8) & 0xff,
    tag & 0xff,
  );
}

function reading<T>(bytes: Uint8Array, read: (reader: SequenceReader) => T | undefined): T | undefined {
  try {
    return read(new SequenceReader(bytes));
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}

/** Throws `CborError` for what is no name. */
function nameFrom(reader: SequenceReader): string {
  const value = decodeCbor(reader.item());
  if (typeof value === "string" && value.length >= 1 && value.length <= identityLimits.nameLengthMax)
    return value;
  throw new CborError("unsupported", 0, "a name must stand here");
}
