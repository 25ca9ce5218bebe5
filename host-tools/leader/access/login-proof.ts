/** What somebody signs to log in: bound to this swarm, this host and the address that was typed in, so that it opens no other door. */
import type { LoginChallenge } from "../api/types/access.ts";

/**
 * The bytes under the signature (ES256). `origin` is where the client believes it is, such as `https://a.example:7800`: a host that hands on another
 * host's challenge gets a signature for its own address, which the other one refuses.
 */
export function loginProof({ swarm, host, challenge }: LoginChallenge, origin: string): Uint8Array {
  // No part holds a line break: names and base64url can't, and of an origin it is checked.
  return new TextEncoder().encode(["covey login", swarm, host, origin, challenge].join("\n"));
}
