/**
 * What Improv lacks: a running board that has no identity is given one, over a cable alone.
 *
 * The gift is longer than a packet, so it travels in pieces, each a command `give` of its own; the answer is a result with one text, the offset
 * that the board wants next. A piece that comes twice is answered twice. When the last is there the board checks all of it, keeps it, answers with
 * its name as second text and starts anew.
 *
 * ```
 * gift      [version, root, signed identity, private key, authority or null, contact key or null, contact]  | first 8 bytes of its SHA-256
 * piece     offset (2) | bytes of the whole gift (2) | at most 96 bytes of it                                   numbers: most significant byte first
 * ```
 *
 * A board that has an identity refuses: who wants to give it another has to flash it.
 */
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { CborError } from "../cbor/error.ts";
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import { type Contact, contactFromBytes, contactLimits, contactToBytes } from "../provisioning/contact.ts";

export interface Gift {
  /** The swarm's root key, x and y: 64 bytes. */
  readonly root: Uint8Array;
  /** The board's identity as the root signed it. */
  readonly signed: Uint8Array;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Certificate of the authority that signs the hosts', DER: for TLS alone. */
  readonly authority: Uint8Array | undefined;
  /** `contactKeyOf`, 16 bytes. */
  readonly contactKey: Uint8Array | undefined;
  readonly contact: Contact;
}

export const giftLimits = Object.freeze({
  /** Of a piece: a whole packet then fits the 128 bytes that an ESP32's UART keeps until they are fetched. */
  pieceBytesMax: 96,
  signedBytesMax: 512,
  authorityBytesMax: 1024,
  /** A gift, its sum included. */
  bytesMax: 2560,
});

/** SHA-256. */
type Hash = (bytes: Uint8Array) => Uint8Array;

/** Throws `RangeError` for a gift beyond `bytesMax`. */
export function giftToBytes(gift: Gift, sha256: Hash): Uint8Array {
  const { root, signed, privateKey, authority = null, contactKey = null, contact } = gift;
  const parts = [root, signed, privateKey, authority, contactKey, contactToBytes(contact)];
  const content = encodeCbor([giftVersion, ...parts]);
  if (content.length + sumBytes > giftLimits.bytesMax) {
    throw new RangeError(
      `A gift has at most ${giftLimits.bytesMax} bytes, not ${content.length + sumBytes}.`,
    );
  }
  const bytes = new Uint8Array(content.length + sumBytes);
  bytes.set(content, 0);
  bytes.set(sha256(content).subarray(0, sumBytes), content.length);
  return bytes;
}

/** undefined for what is no gift, or came changed. */
export function giftFromBytes(bytes: Uint8Array, sha256: Hash): Gift | undefined {
  const end = bytes.length - sumBytes;
  if (end < 0 || bytes.length > giftLimits.bytesMax) return undefined;
  const content = bytes.subarray(0, end);
  const sum = sha256(content);
  for (let i = 0; i < sumBytes; i++) if (sum[i] !== bytes[end + i]) return undefined;
  try {
    return readGift(content);
  } catch (error) {
    if (error instanceof ShapeError || error instanceof CborError) return undefined;
    throw error;
  }
}

/** The data of the command that carries the gift's bytes from `offset` on. */
export function encodePiece(gift: Uint8Array, offset: number): Uint8Array {
  const part = gift.subarray(offset, offset + giftLimits.pieceBytesMax);
  const data = new Uint8Array(pieceHeaderBytes + part.length);
  data[0] = offset >> 8;
  data[1] = offset & 0xff;
  data[2] = gift.length >> 8;
  data[3] = gift.length & 0xff;
  data.set(part, pieceHeaderBytes);
  return data;
}

/** Puts the pieces together, in their order; one gift at a time. */
export class GiftAssembler {
  #bytes: Uint8Array | undefined;
  #received = 0;

  /** The offset that is wanted next; -1 for what is no piece, and then a gift starts over. */
  push(data: Uint8Array): number {
    const length = data.length - pieceHeaderBytes;
    if (length < 1 || length > giftLimits.pieceBytesMax) return this.fail();
    const offset = (data[0]! << 8) | data[1]!;
    const total = (data[2]! << 8) | data[3]!;
    if (total > giftLimits.bytesMax || offset + length > total) return this.fail();
    if (offset === 0) {
      this.#bytes = new Uint8Array(total);
      this.#received = 0;
    }
    if (this.#bytes?.length !== total) return this.fail();
    // One that came before, or one before which another is missing: the answer says which is wanted.
    if (offset !== this.#received) return this.#received;
    this.#bytes.set(data.subarray(pieceHeaderBytes), offset);
    this.#received += length;
    return this.#received;
  }

  /** The gift's bytes, once all are there; they are forgotten here. */
  takeWhole(): Uint8Array | undefined {
    if (this.#bytes === undefined || this.#received < this.#bytes.length) return undefined;
    const bytes = this.#bytes;
    this.fail();
    return bytes;
  }

  private fail(): number {
    this.#bytes = undefined;
    this.#received = 0;
    return -1;
  }
}

const giftVersion = 1;
const sumBytes = 8;
const pieceHeaderBytes = 4;
const [rootBytes, privateKeyBytes, contactKeyBytes] = Object.freeze([64, 32, 16] as const);

function readGift(content: Uint8Array): Gift | undefined {
  const items = new ItemReader(decodeCbor(content), "gift", "", 7);
  items.version(giftVersion);
  const root = items.bytesOf("the root", rootBytes);
  const signed = items.bytes("the identity", giftLimits.signedBytesMax);
  const privateKey = items.bytesOf("the private key", privateKeyBytes);
  const authority = items.isNone() ? undefined : items.bytes("the authority", giftLimits.authorityBytesMax);
  const contactKey = items.isNone() ? undefined : items.bytesOf("the contact key", contactKeyBytes);
  const contact = contactFromBytes(items.bytes("the contact", contactLimits.bytesMax));
  return contact && { root, signed, privateKey, authority, contactKey, contact };
}
