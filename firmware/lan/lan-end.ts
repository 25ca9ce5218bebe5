import type { Ciphers } from "../../protocols/security/ciphers.ts";
import type { Known, Roster } from "../../protocols/security/identity/roster.ts";
import { isAllowed, Permission } from "../../protocols/security/identity/scope.ts";
import type { EndOptions, OwnIdentity } from "../../protocols/security/session/end.ts";
import type { Trust } from "../board/trust.ts";

/**
 * This board's end of a handshake with another member of its group. Each gives its identity by value: neither relies on what the other remembers, and errors,
 * for which nobody vouches, need not be believed.
 */
export class LanEnd implements EndOptions {
  readonly ciphers: Ciphers;
  readonly roster: Roster;
  readonly own: OwnIdentity;
  readonly isByValue = true;
  readonly #peer: string;

  constructor({ ciphers, roster }: Trust, own: OwnIdentity, peer: string) {
    this.ciphers = ciphers;
    this.roster = roster;
    this.own = own;
    this.#peer = peer;
  }

  /** A board of that name, which may speak for itself, as for a host. That the name is the group's, the agreed state has said. */
  admits({ identity: { role, name, scope } }: Known): boolean {
    return role === "board" && name === this.#peer && isAllowed(scope, name, Permission.write);
  }
}
