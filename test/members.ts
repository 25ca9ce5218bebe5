/** Members of a swarm with identities of their own, issued by a root that lives as long as the test. */
import { defaultScope } from "../host-tools/keys/default-scope.ts";
import type { MemberSecrets } from "../host-tools/security/member-file.ts";
import { nodeCiphers } from "../host-tools/security/node-ciphers.ts";
import type { Ciphers, KeyPair } from "../protocols/security/ciphers.ts";
import { type IdentityRole, issueIdentity } from "../protocols/security/identity/identity.ts";
import { signRoster } from "../protocols/security/identity/roster.ts";
import type { Scope } from "../protocols/security/identity/scope.ts";

export class TestRoot {
  readonly swarm: string;
  readonly keys: KeyPair;
  readonly #ciphers: Ciphers;

  /** @param ciphers all chance is theirs: seeded ones issue the same again. */
  constructor(swarm: string, ciphers: Ciphers = nodeCiphers) {
    this.swarm = swarm;
    this.#ciphers = ciphers;
    this.keys = ciphers.generateKeyPair();
  }

  issue(role: IdentityRole, name: string, scope: Scope = defaultScope(role, name), epoch = 0): MemberSecrets {
    const { privateKey, publicKey } = this.#ciphers.generateKeyPair();
    const identity = { swarm: this.swarm, name, role, scope, epoch, publicKey };
    const signed = issueIdentity(this.#ciphers, this.keys.privateKey, identity);
    return { identity, signed, privateKey, root: this.keys.publicKey };
  }

  /** A statement that revokes these references. */
  revoke(epoch: number, ...revoked: readonly Uint8Array[]): Uint8Array {
    return signRoster(this.#ciphers, this.keys.privateKey, { swarm: this.swarm, epoch, since: 0, revoked });
  }
}
