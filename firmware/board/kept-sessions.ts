/**
 * What a board keeps of its sessions while it sleeps, in its flash. Array: [version, binding, [[key, peer, refreshes], ...]], where the binding says
 * under which credentials.
 */
import { decodeCbor } from "../../protocols/cbor/decode.ts";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { CborError } from "../../protocols/cbor/error.ts";
import { ItemReader, ShapeError } from "../../protocols/cbor/shape.ts";
import { keyBytes } from "../../protocols/security/ciphers.ts";
import { kidBytes } from "../../protocols/security/identity/credential.ts";
import {
  IdentityError,
  identityLimits,
  readStoredIdentity,
} from "../../protocols/security/identity/identity.ts";
import { isSameBytes } from "../../protocols/security/same-bytes.ts";
import type { KeptSession } from "../../protocols/security/session/secure-session.ts";
import { hostsMax } from "../platform/ports.ts";

/** @param binding `kidBytes`. At most `hostsMax` sessions, which fit a record. */
export function keptSessionsToBytes(binding: Uint8Array, kept: readonly KeptSession[]): Uint8Array {
  const sessions = kept.map(({ key, peer, refreshes }) => [key, peer, refreshes]);
  return encodeCbor([keptVersion, binding, sessions]);
}

/** undefined for what was kept under other credentials, or by another firmware. */
export function keptSessionsFrom(binding: Uint8Array, bytes: Uint8Array): KeptSession[] | undefined {
  try {
    const items = new ItemReader(decodeCbor(bytes), "kept sessions", "", 3);
    items.version(keptVersion);
    if (!isSameBytes(items.bytesOf("the binding", kidBytes), binding)) return undefined;
    const kept: KeptSession[] = [];
    for (const value of items.array("the sessions", hostsMax)) {
      const session = new ItemReader(value, "kept sessions", "a session", 3);
      const key = session.bytesOf("the key", keyBytes).slice();
      const peer = session.bytes("the peer", identityLimits.bytesMax).slice();
      readStoredIdentity(peer);
      kept.push({ key, peer, refreshes: session.integer("the refreshes", 0, refreshesMax) });
    }
    return kept;
  } catch (error) {
    if (error instanceof CborError || error instanceof ShapeError || error instanceof IdentityError)
      return undefined;
    throw error;
  }
}

const keptVersion = 1;
const refreshesMax = 0x7fff_ffff;
