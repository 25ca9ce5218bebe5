/**
 * The keys of an EDHOC session (RFC 9528, section 4), for method 3: `extract` with each shared secret in turn, `expand` for what is
 * needed under a label. Both sides run the same schedule; only whose private key makes a secret differs.
 *
 * ```
 * G_XY --extract(TH_2)--> PRK_2e --extract(G_RX)--> PRK_3e2m --extract(G_IY)--> PRK_4e3m --> PRK_out --> exporter
 * ```
 */
import { encodeCbor } from "../../cbor/encode.ts";
import { type Bytes, concat, head, lengthOf } from "../../cbor/sequence.ts";
import { type Ciphers, keyBytes } from "../ciphers.ts";
import { hkdfExpand, hkdfExtract } from "../hkdf.ts";

/** Section 4.1.2, table 6, and 4.2. */
export const Label = Object.freeze({
  keystream2: 0,
  salt3e2m: 1,
  mac2: 2,
  k3: 3,
  iv3: 4,
  salt4e3m: 5,
  mac3: 6,
  prkOut: 7,
  k4: 8,
  iv4: 9,
  prkExporter: 10,
  keyUpdate: 11,
});

export const hashBytes = 32;
export const aeadKeyBytes = 16;
export const aeadNonceBytes = 13;

/** EDHOC_KDF (section 4.1.2), with the context in parts. */
export function expand(
  ciphers: Ciphers,
  key: Uint8Array,
  label: number,
  context: readonly Bytes[],
  lengthBytes: number,
): Uint8Array {
  const contextHead = head(2, lengthOf(context));
  const info = [...head(0, label), ...contextHead, ...context, ...head(0, lengthBytes)];
  return hkdfExpand(ciphers, key, info, lengthBytes);
}

/** TH_2: over the responder's ephemeral key and the hash of message 1. */
export function transcript2(ciphers: Ciphers, ephemeralY: Uint8Array, message1: Uint8Array): Uint8Array {
  const hash = ciphers.sha256(message1);
  return ciphers.sha256(concat(...head(2, keyBytes), ephemeralY, ...head(2, hashBytes), hash));
}

/** TH_3 and TH_4: over the transcript so far, a plaintext and the credential of who sent it. */
export function transcriptAfter(
  ciphers: Ciphers,
  before: Uint8Array,
  plaintext: Uint8Array,
  credential: Uint8Array,
): Uint8Array {
  return ciphers.sha256(concat(...head(2, hashBytes), before, plaintext, credential));
}

/** The step from PRK_2e to PRK_3e2m (salt label 1) and from there to PRK_4e3m (5), by a shared secret of a static key. */
export function authenticate(
  ciphers: Ciphers,
  key: Uint8Array,
  saltLabel: number,
  transcript: Uint8Array,
  sharedSecret: Uint8Array,
): Uint8Array {
  return hkdfExtract(ciphers, expand(ciphers, key, saltLabel, [transcript], hashBytes), sharedSecret);
}

/** PRK_out (section 4.1.3), of which everything is exported. */
export function outputKey(ciphers: Ciphers, prk4e3m: Uint8Array, transcript4: Uint8Array): Uint8Array {
  return expand(ciphers, prk4e3m, Label.prkOut, [transcript4], hashBytes);
}

/** The additional data of messages 3 and 4: an Enc_structure (RFC 9052, section 5.3) whose external data is the transcript. */
export function encStructure(transcript: Uint8Array): Uint8Array {
  return encodeCbor(["Encrypt0", new Uint8Array(0), transcript]);
}
