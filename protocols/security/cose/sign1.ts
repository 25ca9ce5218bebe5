/**
 * What the swarm's root has signed: COSE_Sign1 (RFC 9052, section 4.2) with ES256, and nothing in it that could be chosen.
 *
 * ```
 * [<< {1: -7} >>, {}, payload, signature]
 * ```
 */
import { encodeCbor } from "../../cbor/encode.ts";
import { CborError } from "../../cbor/error.ts";
import { concat, SequenceReader } from "../../cbor/sequence.ts";
import type { Ciphers } from "../ciphers.ts";
import { isSameBytes } from "../same-bytes.ts";

/** Signs with the root's private key. */
export function signRoot(ciphers: Ciphers, rootKey: Uint8Array, payload: Uint8Array): Uint8Array {
  const signature = ciphers.sign(rootKey, toBeSigned(payload));
  return concat(0x84, encodeCbor(protectedHeader), 0xa0, encodeCbor(payload), encodeCbor(signature));
}

/** The payload, a view; undefined for whatever the root did not sign as it stands. */
export function openRoot(
  ciphers: Ciphers,
  rootPublicKey: Uint8Array,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const parts = takeApart(bytes);
  if (parts === undefined) return undefined;
  return ciphers.verify(rootPublicKey, toBeSigned(parts.payload), parts.signature)
    ? parts.payload
    : undefined;
}

/** The payload of what was checked before, a view: nobody vouches for it here. undefined when `bytes` are no COSE_Sign1 of this form. */
export function payloadUnchecked(bytes: Uint8Array): Uint8Array | undefined {
  return takeApart(bytes)?.payload;
}

/** Views. */
function takeApart(bytes: Uint8Array): { payload: Uint8Array; signature: Uint8Array } | undefined {
  try {
    const reader = new SequenceReader(bytes);
    if (
      reader.array() !== 4 ||
      !isSameBytes(reader.byteStringView(), protectedHeader) ||
      reader.map() !== 0
    ) {
      return undefined;
    }
    const payload = reader.byteStringView();
    const signature = reader.byteStringView();
    reader.end();
    return { payload, signature };
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}

/** {1: -7}: algorithm ES256. */
const protectedHeader = Uint8Array.of(0xa1, 0x01, 0x26);

/** Sig_structure (RFC 9052, section 4.4). */
function toBeSigned(payload: Uint8Array): Uint8Array {
  return encodeCbor(["Signature1", protectedHeader, new Uint8Array(0), payload]);
}
