/** The codes with which a static key proves itself, and the encryption around them: the same computation on both sides (RFC 9528, sections 5.3 and 5.4). */
import { encodeCbor } from "../../cbor/encode.ts";
import { head } from "../../cbor/sequence.ts";
import type { Ciphers } from "../ciphers.ts";
import type { Credential } from "./credential.ts";
import { EdhocError } from "./error.ts";
import { aeadKeyBytes, aeadNonceBytes, encStructure, expand, hashBytes, Label } from "./key-schedule.ts";
import type { CipherSuite } from "./suite.ts";

/** MAC_2, of the responder: `before` is its encoded identifier. MAC_3, of the initiator: `before` is empty. */
export function macOf(
  ciphers: Ciphers,
  suite: CipherSuite,
  key: Uint8Array,
  label: typeof Label.mac2 | typeof Label.mac3,
  transcript: Uint8Array,
  credential: Pick<Credential, "id" | "bytes">,
  before: Uint8Array,
  ead: Uint8Array,
): Uint8Array {
  const context = [before, credential.id, ...head(2, hashBytes), transcript, credential.bytes, ead];
  return expand(ciphers, key, label, context, suite.macBytes);
}

/** CIPHERTEXT_2 is a stream cipher's (section 5.3.2): its integrity comes with MAC_2. The same call undoes it. */
export function xorKeystream2(
  ciphers: Ciphers,
  prk2e: Uint8Array,
  transcript2: Uint8Array,
  bytes: Uint8Array,
): Uint8Array {
  const stream = expand(ciphers, prk2e, Label.keystream2, [transcript2], bytes.length);
  for (let i = 0; i < stream.length; i++) stream[i]! ^= bytes[i]!;
  return stream;
}

/** Message 3 under PRK_3e2m (labels k3, iv3), message 4 under PRK_4e3m (k4, iv4): the encoded byte string. */
export function seal(
  ciphers: Ciphers,
  suite: CipherSuite,
  key: Uint8Array,
  labels: readonly [number, number],
  transcript: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const [k, iv] = keyAndNonce(ciphers, key, labels, transcript);
  return encodeCbor(ciphers.ccmSeal(k, iv, suite.tagBytes, encStructure(transcript), plaintext));
}

/** Throws `EdhocError`. */
export function open(
  ciphers: Ciphers,
  suite: CipherSuite,
  key: Uint8Array,
  labels: readonly [number, number],
  transcript: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  const [k, iv] = keyAndNonce(ciphers, key, labels, transcript);
  const plaintext = ciphers.ccmOpen(k, iv, suite.tagBytes, encStructure(transcript), sealed);
  if (plaintext === undefined)
    throw new EdhocError("refused", "a message does not open under this session's keys");
  return plaintext;
}

/** The shared secret, or `EdhocError` for a point off the curve. */
export function shared(ciphers: Ciphers, privateKey: Uint8Array, publicX: Uint8Array): Uint8Array {
  const secret = ciphers.sharedSecret(privateKey, publicX);
  if (secret === undefined) throw new EdhocError("refused", "a key is not a point of the curve");
  return secret;
}

function keyAndNonce(
  ciphers: Ciphers,
  key: Uint8Array,
  [keyLabel, nonceLabel]: readonly [number, number],
  transcript: Uint8Array,
): [Uint8Array, Uint8Array] {
  return [
    expand(ciphers, key, keyLabel, [transcript], aeadKeyBytes),
    expand(ciphers, key, nonceLabel, [transcript], aeadNonceBytes),
  ];
}
