/** HKDF with SHA-256 (RFC 5869). */
import type { Ciphers } from "./ciphers.ts";

/** Section 2.2; 32 bytes. */
export function hkdfExtract(ciphers: Ciphers, salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return ciphers.hmacSha256(salt, inputKey);
}

/** Section 2.3; `lengthBytes` is at most 8,160, and `RangeError` is thrown beyond. */
export function hkdfExpand(
  ciphers: Ciphers,
  key: Uint8Array,
  info: Uint8Array,
  lengthBytes: number,
): Uint8Array {
  const blocks = Math.ceil(lengthBytes / hashBytes);
  if (blocks > 255) throw new RangeError(`HKDF gives at most ${255 * hashBytes} bytes, not ${lengthBytes}.`);
  const output = new Uint8Array(blocks * hashBytes);
  let before = new Uint8Array(0);
  for (let block = 1; block <= blocks; block++) {
    const input = new Uint8Array(before.length + info.length + 1);
    input.set(before);
    input.set(info, before.length);
    input[input.length - 1] = block;
    before = new Uint8Array(ciphers.hmacSha256(key, input));
    output.set(before, (block - 1) * hashBytes);
  }
  return output.slice(0, lengthBytes);
}

const hashBytes = 32;
