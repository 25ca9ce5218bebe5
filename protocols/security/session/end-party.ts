import type { Ciphers } from "../ciphers.ts";
import { type Credential, kidInside } from "../edhoc/credential.ts";
import type { Party } from "../edhoc/party.ts";
import { credentialByReference, credentialByValue, identityInside } from "../identity/credential.ts";
import { readStoredKey } from "../identity/identity.ts";
import type { Known, Roster } from "../identity/roster.ts";
import type { EndOptions } from "./end.ts";
import { epochToId } from "./frames.ts";

/**
 * An end of a session as its handshake sees it. Half of a handshake waits in a board's heap for the other side, so whatever can be made again when it is asked for
 * is not kept.
 */
export class EndParty implements Party {
  readonly #options: EndOptions;
  readonly #epoch: number;
  readonly #isByValue: boolean;

  /** @param epoch that the initiator says with the name that it gives the connection; 0 for a responder */
  constructor(options: EndOptions, epoch: number, isByValue: boolean) {
    this.#options = options;
    this.#epoch = epoch;
    this.#isByValue = isByValue;
  }

  get ciphers(): Ciphers {
    return this.#options.ciphers;
  }

  get credential(): Credential {
    const { ciphers, own } = this.#options;
    return this.#isByValue
      ? credentialByValue(own.signed, own.identity)
      : credentialByReference(ciphers, own.signed, own.identity);
  }

  get privateKey(): Uint8Array {
    return this.#options.own.privateKey;
  }

  get connectionId(): Uint8Array {
    return epochToId(this.#epoch);
  }

  /** Whom an ID_CRED_x speaks of, if that is somebody for this connection. */
  find(id: Uint8Array): Credential | undefined {
    const known = knownPeer(this.#options.roster, id);
    if (known === undefined || !this.#options.admits(known)) return undefined;
    // The handshake goes by the ID_CRED_x that it has read.
    return { id, bytes: known.signed, publicKey: readStoredKey(known.signed) };
  }
}

function knownPeer(roster: Roster, id: Uint8Array): Known | undefined {
  const inside = identityInside(id);
  if (inside !== undefined) return roster.admit(inside);
  const kid = kidInside(id);
  return kid === undefined ? undefined : roster.find(kid);
}
