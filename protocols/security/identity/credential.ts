/** An identity as the credential of a handshake: by value the first time, by reference to whoever keeps it (RFC 9528, section 3.5.3). */
import { encodeCbor } from "../../cbor/encode.ts";
import { CborError } from "../../cbor/error.ts";
import { encodeMap, SequenceReader } from "../../cbor/sequence.ts";
import type { Ciphers } from "../ciphers.ts";
import { type Credential, idOfKid } from "../edhoc/credential.ts";
import type { Identity } from "./identity.ts";

/** COSE header parameter `kcwt` (RFC 9528, section 10.6). */
const kcwtLabel = 13;

/** Bytes of a reference: enough that two identities of one swarm do not meet by chance. Only a way to find one, never a proof. */
export const kidBytes = 8;

/** The reference to a signed identity. */
export function kidOf(ciphers: Ciphers, signed: Uint8Array): Uint8Array {
  return ciphers.sha256(signed).slice(0, kidBytes);
}

export function credentialByValue(signed: Uint8Array, { publicKey }: Identity): Credential {
  return { id: encodeMap([encodeCbor(kcwtLabel), signed]), bytes: signed, publicKey };
}

export function credentialByReference(
  ciphers: Ciphers,
  signed: Uint8Array,
  { publicKey }: Identity,
): Credential {
  return { id: idOfKid(kidOf(ciphers, signed)), bytes: signed, publicKey };
}

/** The signed identity that an ID_CRED_x carries, a view; undefined when it only refers to one. */
export function identityInside(id: Uint8Array): Uint8Array | undefined {
  try {
    const reader = new SequenceReader(id);
    if (reader.map() !== 1 || reader.integer() !== kcwtLabel) return undefined;
    const signed = reader.itemView();
    reader.end();
    return signed;
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}
