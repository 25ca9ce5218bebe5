/** What either end of a session is given, and what it gives. */
import type { Ciphers } from "../ciphers.ts";
import type { Identity } from "../identity/identity.ts";
import type { Known, Roster } from "../identity/roster.ts";

/** A member's identity with its private key. */
export interface OwnIdentity {
  readonly identity: Identity;
  /** As the root signed it. */
  readonly signed: Uint8Array;
  readonly privateKey: Uint8Array;
}

export interface EndOptions {
  readonly ciphers: Ciphers;
  readonly own: OwnIdentity;
  readonly roster: Roster;
  /** Whether an initiator gives its identity by value at once: where an answer that it is not known would be one more datagram to lose. */
  readonly isByValue?: boolean;
  /** Whether this is who the connection is for, who has proved to belong to the swarm. */
  admits(peer: Known): boolean;
}

/**
 * What came of a frame. Nobody vouches for a frame before the session is up, so that one from whoever is in between may end an attempt, and cost another; a
 * session that is up it does not end.
 */
export interface Step {
  /** To be sent to the other end. */
  readonly send?: Uint8Array | undefined;
  /** The session is up, or has new keys. */
  readonly isUp?: true | undefined;
  /** The connection is to be ended: one sentence that says why. */
  readonly failure?: string | undefined;
  /** The frame was of no use and changed nothing: to be counted, as a record that does not open is. */
  readonly isIgnored?: true | undefined;
}
