/** Identities for hosts and boards of the swarms that the tests run: one root for each name of a swarm, one identity for each member, as long as a test file runs. */
import type { MemberSecrets } from "../../../host-tools/security/member-file.ts";
import { TestRoot } from "../../members.ts";

const roots = new Map<string, TestRoot>();
const members = new Map<string, MemberSecrets>();

export function rootOf(swarm: string): TestRoot {
  const root = roots.get(swarm) ?? new TestRoot(swarm);
  roots.set(swarm, root);
  return root;
}

/** The same each time that it is asked for. */
export function memberOf(swarm: string, role: "board" | "host", name: string): MemberSecrets {
  const key = `${swarm} ${role} ${name}`;
  const member = members.get(key) ?? rootOf(swarm).issue(role, name);
  members.set(key, member);
  return member;
}
