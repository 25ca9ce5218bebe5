/** The swarm's root in a run: it issues every member's identity before the run begins, all from the run's seed, and revokes some of them. */
import type { MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import type { Ciphers } from "../../../../protocols/security/ciphers.ts";
import { kidOf } from "../../../../protocols/security/identity/credential.ts";
import { type RosterStatement, readRoster } from "../../../../protocols/security/identity/roster.ts";
import { TestRoot } from "../../../members.ts";

export class Provisioning {
  readonly #ciphers: Ciphers;
  readonly #root: TestRoot;
  readonly #members = new Map<string, MemberSecrets>();
  readonly #revoked: Uint8Array[] = [];
  #epoch = 0;

  constructor(swarm: string, ciphers: Ciphers, hosts: readonly string[], boards: readonly string[]) {
    this.#ciphers = ciphers;
    this.#root = new TestRoot(swarm, ciphers);
    for (const name of hosts) this.#members.set(name, this.#root.issue("host", name));
    for (const name of boards) this.#members.set(name, this.#root.issue("board", name));
  }

  /** Of the latest statement; 0 before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  of(name: string): MemberSecrets {
    return this.#members.get(name)!;
  }

  /** A statement that revokes this one, too. */
  revoke(name: string): Uint8Array {
    this.#revoked.push(kidOf(this.#ciphers, this.of(name).signed));
    return this.#root.revoke(++this.#epoch, ...this.#revoked);
  }

  /** One of its own statements. */
  read(statement: Uint8Array): RosterStatement {
    return readRoster(this.#ciphers, this.#root.keys.publicKey, Uint8Array.from(statement))!;
  }

  /** Another identity for a board of this name. */
  reissue(name: string): void {
    const { role } = this.of(name).identity;
    this.#members.set(name, this.#root.issue(role, name, undefined, this.#epoch));
  }
}
