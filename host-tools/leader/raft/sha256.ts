/** The chain's hash function on a host. */
import { hash } from "node:crypto";

/** node:crypto's, copied out of its pool. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash("sha256", bytes, "buffer"));
}
