/**
 * The cryptographic primitives that the protocols are built on, as whoever runs them provides them: node:crypto on hosts, the chip and
 * the engine's native code on boards. Nothing here keeps state, and nothing throws for what came over the wire: a result that cannot
 * be had is `undefined`.
 */
export interface Ciphers {
  /** Fills `into` with bytes fit for keys. */
  random(into: Uint8Array): void;
  /** FIPS 180-4; 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** RFC 2104 with SHA-256; 32 bytes. `key` of any length. */
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** AES-128-CCM (RFC 3610) with a nonce of 13 bytes: ciphertext and tag in one. */
  ccmSeal(
    key: Uint8Array,
    nonce: Uint8Array,
    tagBytes: CcmTagBytes,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array;
  /** undefined when the tag is wrong or there are fewer bytes than a tag. */
  ccmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    tagBytes: CcmTagBytes,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined;
  /** A new key pair on P-256. */
  generateKeyPair(): KeyPair;
  /**
   * The x-coordinate of private key times the point with this x-coordinate: 32 bytes. Either of the two points does, as both have the same multiple up
   * to its sign. undefined for an x that is not on the curve.
   */
  sharedSecret(privateKey: Uint8Array, publicX: Uint8Array): Uint8Array | undefined;
  /** ES256 (RFC 9053, section 2.1): r and s, 32 bytes each. */
  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** False too for a public key off the curve, and for r or s outside 1 to n - 1. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** In a time that tells nothing of where two arrays of one length differ. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean;
}

export type CcmTagBytes = 8 | 16;

/** On P-256. */
export interface KeyPair {
  /** 32 bytes, big-endian. */
  readonly privateKey: Uint8Array;
  /** x and y, 32 bytes each, big-endian. ES256 needs both: x alone does not say which of two points is meant. */
  readonly publicKey: Uint8Array;
}

/** Bytes of a coordinate, a private key, and a hash. */
export const keyBytes = 32;
