/**
 * The cipher suites of EDHOC that Covey speaks (RFC 9528, section 3.6 and table "EDHOC Cipher Suites"): both are P-256, SHA-256 and AES-CCM with nonces of 13 bytes,
 * and differ in the length of the tags. Authentication is method 3, static Diffie-Hellman on both sides.
 */
import type { CcmTagBytes } from "../ciphers.ts";

export interface CipherSuite {
  readonly number: number;
  /** Of messages 3 and 4. */
  readonly tagBytes: CcmTagBytes;
  /** Of the codes that authenticate the static keys. */
  readonly macBytes: number;
}

/** The suites by number: 3 before 2 where both sides can. */
export const cipherSuites: readonly CipherSuite[] = Object.freeze([
  Object.freeze({ number: 3, tagBytes: 16, macBytes: 16 }),
  Object.freeze({ number: 2, tagBytes: 8, macBytes: 8 }),
]);

export const method = 3;

export function cipherSuite(number: number): CipherSuite | undefined {
  return cipherSuites.find((suite) => suite.number === number);
}
