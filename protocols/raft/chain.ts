/**
 * The hash chain over the log: each entry's hash covers the entry and the hash before it, so one hash speaks for the whole log up to
 * there (design, point 12). It does not replace the term at an index: Raft's rules are about terms. It says that nobody changed an entry on
 * the way to a learner.
 *
 * ```
 * hash(0) = 16 zeros
 * hash(i) = the first 16 bytes of SHA-256( hash(i - 1) | u64 index | u64 term | u32 kind | u32 version | data ), big-endian
 * ```
 */
import type { Entry } from "./types.ts";

/** SHA-256 of `bytes`, 32 bytes: the chip's, node:crypto's. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Long enough that nobody finds a second log for a hash (128 bits against a second preimage), short enough for every append. */
export const chainHashBytes = 16;

/** The hash of the empty log. A new array, because nothing shared may be written to. */
export function emptyChain(): Uint8Array {
  return new Uint8Array(chainHashBytes);
}

/** The chain hash at `entry`, which follows on a log whose hash is `before`. */
export function chainHash(before: Uint8Array, entry: Entry, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(chainHashBytes + 24 + entry.data.length);
  const view = new DataView(bytes.buffer);
  bytes.set(before);
  writeInteger(view, chainHashBytes, entry.index);
  writeInteger(view, chainHashBytes + 8, entry.term);
  view.setUint32(chainHashBytes + 16, entry.kind);
  view.setUint32(chainHashBytes + 20, entry.version);
  bytes.set(entry.data, chainHashBytes + 24);
  return sha256(bytes).slice(0, chainHashBytes);
}

/** Whether two chain hashes are the same. Nothing secret is compared, so it may stop at the first difference. */
export function isSameHash(a: Uint8Array, b: Uint8Array | undefined): boolean {
  if (b === undefined || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A safe integer as u64: BigInt has no place in a frozen core. */
function writeInteger(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 4, value >>> 0);
}
