/** Who belongs to the swarm of these tests: one root, an identity for each name, as long as the test runs; the same ones each time. */

import type { BoardCredentials } from "../../../firmware/platform/ports.ts";
import type { MemberSecrets } from "../../../host-tools/security/member-file.ts";
import type { IdentityRole } from "../../../protocols/security/identity/identity.ts";
import { TestRoot } from "../../members.ts";
import { Random } from "../../simulation/raft/random.ts";
import { seededCiphers } from "../../simulation/seeded-ciphers.ts";

export const swarm = "greenhouse";
export const root = new TestRoot(swarm, seededCiphers(new Random(0).next));

const issued = new Map<string, MemberSecrets>();

/** The same identity for the same name. */
export function memberOf(role: IdentityRole, name: string): MemberSecrets {
  const key = `${role} ${name}`;
  const member = issued.get(key) ?? root.issue(role, name);
  issued.set(key, member);
  return member;
}

export function credentialsOf({ root, signed, privateKey }: MemberSecrets): BoardCredentials {
  return { root, signed, privateKey };
}

/** The ports of the tests tell their hosts apart. */
export function hostNameAt(port: number): string {
  return ["a", "b", "c"][port - 7001] ?? "main";
}
