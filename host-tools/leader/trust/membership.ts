/**
 * Who this host is, and who else belongs to the swarm: whoever the root signed, less those that its latest statement revokes. The statement comes with the
 * agreed state. Since the root signed it, it need not be committed to be true: what a host finds in its log at the start counts at once.
 */
import type { Ciphers } from "../../../protocols/security/ciphers.ts";
import { type Known, Roster, readRoster, rosterKey } from "../../../protocols/security/identity/roster.ts";
import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import type { EndOptions, OwnIdentity } from "../../../protocols/security/session/end.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import type { MemberSecrets } from "../../security/member-file.ts";
import { nodeCiphers } from "../../security/node-ciphers.ts";

export { rosterKey };

/** Identities that need not be checked again when they come back: a cell of 250 boards, its hosts and operators, twice over. */
const rememberedMax = 512;

/** This identity can't be this host's: the message says whose it is and what to do. */
export class ForeignIdentity extends Error {
  override readonly name = "ForeignIdentity";

  constructor({ swarm, name, role }: OwnIdentity["identity"], wanted: { swarm: string; host: string }) {
    const whose = `${role} ${name} of the swarm ${swarm}`;
    super(
      `This identity is that of the ${whose}; host ${wanted.host} of the swarm ${wanted.swarm} needs its own. ` +
        `Issue it with covey keys issue ${wanted.host} --role host, and give its file with --member.`,
    );
  }
}

/** The root has revoked this host: it is to stop. */
export class OwnIdentityRevoked extends Error {
  override readonly name = "OwnIdentityRevoked";

  constructor(host: string, epoch: number) {
    super(
      `The identity of host ${host} was revoked (roster ${epoch}), so nobody listens to it any more. ` +
        `Issue a new one with covey keys issue ${host} --role host, and start the host again.`,
    );
  }
}

export class Membership {
  readonly own: MemberSecrets;
  readonly ciphers: Ciphers = nodeCiphers;
  readonly roster: Roster;
  readonly #listeners: (() => void)[] = [];
  #offered: StateValue | undefined;
  #statement: Uint8Array | undefined;

  /** @throws {ForeignIdentity} */
  constructor(own: MemberSecrets, wanted: { readonly swarm: string; readonly host: string }) {
    const { swarm, name, role } = own.identity;
    if (role !== "host" || name !== wanted.host || swarm !== wanted.swarm) {
      throw new ForeignIdentity(own.identity, wanted);
    }
    this.own = own;
    this.roster = new Roster(this.ciphers, own.root, swarm, rememberedMax);
  }

  /** For this host's end of a session with whoever `admits` says. */
  end(admits: (peer: Known) => boolean): EndOptions {
    const { ciphers, own, roster } = this;
    return { ciphers, own, roster, admits };
  }

  /** Calls `listener` whenever the epoch has risen; those that were added first, first. */
  onEpoch(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The latest, as the root signed it; undefined before the first. */
  get statement(): Uint8Array | undefined {
    return this.#statement;
  }

  /** Whether `value` under `rosterKey` is older than what the root is known to have said, or nothing of it. */
  isBehind(value: StateValue | undefined): boolean {
    const latest = this.#statement;
    return latest !== undefined && !(value instanceof Uint8Array && isSameBytes(value, latest));
  }

  /** Whether the root no longer vouches for this host itself. */
  get isRevoked(): boolean {
    return this.roster.admit(this.own.signed) === undefined;
  }

  /**
   * Takes what stands under `rosterKey`; the same again costs nothing. "known" is also whatever the root said before, "refused" what it never did.
   */
  take(value: StateValue | undefined): "known" | "taken" | "refused" {
    if (value === undefined || value === this.#offered) return "known";
    this.#offered = value;
    if (!(value instanceof Uint8Array)) return "refused";
    // An array of its own: a Buffer's slices are views.
    const statement = new Uint8Array(value);
    if (this.roster.take(statement)) {
      this.#statement = statement;
      for (const listener of this.#listeners) listener();
      return "taken";
    }
    const { root, identity } = this.own;
    return readRoster(this.ciphers, root, statement)?.swarm === identity.swarm ? "known" : "refused";
  }
}
