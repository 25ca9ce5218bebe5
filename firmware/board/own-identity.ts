import { keyBytes } from "../../protocols/security/ciphers.ts";
import {
  type Identity,
  IdentityError,
  readStoredIdentity,
} from "../../protocols/security/identity/identity.ts";
import type { OwnIdentity } from "../../protocols/security/session/end.ts";
import type { BoardConfig } from "../platform/ports.ts";

/** The board was provisioned with what is not its own; the message says what is wrong and what to do. */
export class WrongCredentials extends Error {
  constructor(what: string) {
    super(`${what}; provision the board with an identity that was issued for it`);
  }

  override get name(): string {
    return "WrongCredentials";
  }
}

/**
 * Who the board is, as its credentials say. That the root signed them is left to the hosts to check: at each waking it would cost more than all
 * else that a board does about its sessions. Throws `WrongCredentials`.
 */
export function ownIdentity({ swarm, board, credentials }: BoardConfig): OwnIdentity {
  const { root, signed, privateKey } = credentials;
  if (root.length !== 2 * keyBytes || privateKey.length !== keyBytes) {
    throw new WrongCredentials("the keys are none of P-256");
  }
  const identity = read(signed);
  if (identity.swarm !== swarm) throw new WrongCredentials(`the identity is of the swarm ${identity.swarm}`);
  if (identity.name !== board || identity.role !== "board") {
    throw new WrongCredentials(`the identity is that of ${identity.name}, a ${identity.role}`);
  }
  return { identity, signed, privateKey };
}

function read(signed: Uint8Array): Identity {
  try {
    return readStoredIdentity(signed);
  } catch (error) {
    if (error instanceof IdentityError) throw new WrongCredentials(error.message);
    throw error;
  }
}
