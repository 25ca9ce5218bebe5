/**
 * Who takes part in a handshake, and how that is said on the wire (RFC 9528, section 3.5): by a reference of a byte or two that the other side knows (`kid`), or
 * by the credential itself.
 */
import { encodeCbor } from "../../cbor/encode.ts";
import { encodeMap, SequenceReader } from "../../cbor/sequence.ts";
import { isSameBytes } from "../same-bytes.ts";
import { EdhocError } from "./error.ts";

/** What a side proves to be. */
export interface Credential {
  /** ID_CRED_x: an encoded COSE header map, {4: kid} or with the credential in it. */
  readonly id: Uint8Array;
  /** CRED_x: the encoded credential, of which the codes are computed. */
  readonly bytes: Uint8Array;
  /** Its static Diffie-Hellman key: x and y on P-256. */
  readonly publicKey: Uint8Array;
}

/** COSE header parameter `kid` (RFC 9052, section 3.1). */
const kidLabel = 4;

/** ID_CRED_x of a credential known by reference. */
export function idOfKid(kid: Uint8Array): Uint8Array {
  return encodeMap([encodeCbor(kidLabel), encodeCbor(kid)]);
}

/** ID_CRED_x as it stands in a plaintext: a map with nothing but a kid is shortened to the kid (section 3.5.3.2). */
export function shortenId(id: Uint8Array): Uint8Array {
  const kid = kidInside(id);
  return kid === undefined ? id : encodeIdentifier(kid);
}

/** The next item as ID_CRED_x in full, a view where it stands so. Throws `CborError`, `EdhocError`. */
export function readId(reader: SequenceReader): Uint8Array {
  if (reader.nextType === 5) return reader.itemView();
  return idOfKid(readIdentifier(reader));
}

/** A reference that this side does not know may still be made good by value (section 6.4). */
export function unknownPeer(who: "initiator" | "responder", id: Uint8Array): EdhocError {
  const fault = kidInside(id) === undefined ? "refused" : "unknown-credential";
  return new EdhocError(fault, `the ${who} is nobody that is known`);
}

/** Whether two credentials are of one key: one's own coming back is a reflection (section 9.1). Public keys are no secret. */
export function isSameKey(a: Credential, b: Credential): boolean {
  return isSameBytes(a.publicKey, b.publicKey);
}

/** The kid of an ID_CRED_x that is a reference, a view; undefined for any other. Throws `CborError`. */
export function kidInside(id: Uint8Array): Uint8Array | undefined {
  const reader = new SequenceReader(id);
  if (reader.map() !== 1 || reader.nextType > 1 || reader.integer() !== kidLabel || reader.nextType !== 2) {
    return undefined;
  }
  return reader.byteStringView();
}

/**
 * A byte string identifier: one of a single byte that happens to be the encoding of an integer from -24 to 23 travels as that
 * integer (section 3.3.2).
 */
export function encodeIdentifier(identifier: Uint8Array): Uint8Array {
  return isShort(identifier) ? identifier : encodeCbor(identifier);
}

/** Throws `CborError`, and `EdhocError` for what was not encoded in the one way it must be. */
export function readIdentifier(reader: SequenceReader): Uint8Array {
  if (reader.nextType === 0 || reader.nextType === 1) {
    const item = reader.item();
    if (!isShort(item)) throw new EdhocError("malformed", "an identifier is an integer beyond one byte");
    return item;
  }
  const identifier = reader.byteString();
  if (isShort(identifier))
    throw new EdhocError("malformed", "an identifier of one byte is not in its short form");
  return identifier;
}

function isShort(identifier: Uint8Array): boolean {
  const byte = identifier[0];
  return identifier.length === 1 && byte !== undefined && (byte < 0x18 || (byte >= 0x20 && byte < 0x38));
}
