/** HKDF with SHA-256 (RFC 5869). */
import { type Bytes, concat } from "../cbor/sequence.ts";
import type { Ciphers } from "./ciphers.ts";

/** Section 2.2; 32 bytes. */
export function hkdfExtract(ciphers: Ciphers, salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return ciphers.hmacSha256(salt, inputKey);
}

/**
 * Section 2.3, with `info` in parts, so that only what is hashed need ever be in one piece. `lengthBytes` is at most 8,160, and `RangeError` is thrown
 * beyond.
 */
export function hkdfExpand(
  ciphers: Ciphers,
  key: Uint8Array,
  info: readonly Bytes[],
  lengthBytes: number,
): Uint8Array {
  if (lengthBytes > 255 * hashBytes)
    throw new RangeError(`HKDF gives at most ${255 * hashBytes} bytes, not ${lengthBytes}.`);
  let block = ciphers.hmacSha256(key, concat(...info, 1));
  const output = new Uint8Array(lengthBytes);
  for (let number = 2, at = 0; ; number++) {
    output.set(block.subarray(0, lengthBytes - at), at);
    at += hashBytes;
    if (at >= lengthBytes) return output;
    block = ciphers.hmacSha256(key, concat(block, ...info, number));
  }
}

const hashBytes = 32;
