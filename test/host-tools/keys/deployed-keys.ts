/** Identities for a swarm whose hosts a test starts as `covey lead`; its keys have no passphrase if none is said, or each use of them would take a second. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { issueMembers } from "../../../host-tools/keys/issue.ts";
import { KeyFolder } from "../../../host-tools/keys/key-folder.ts";
import { memberPath } from "../../../host-tools/leader/host-directory.ts";
import { writeMemberFile } from "../../../host-tools/security/member-file.ts";

/** A root in `.covey/<swarm>/keys`, and what it issues to these hosts and boards. @param stateDir `.covey/<swarm>`. */
export async function issueAll(
  stateDir: string,
  swarm: string,
  hosts: readonly string[],
  boards: readonly string[] = [],
  passphrase?: string,
): Promise<KeyFolder> {
  const keys = await KeyFolder.create(join(stateDir, "keys"), swarm, passphrase);
  const requests = [
    ...hosts.map((name) => ({ name, role: "host" as const })),
    ...boards.map((name) => ({ name, role: "board" as const })),
  ];
  issueMembers(keys, await keys.unlock(passphrase), requests, Date.now());
  for (const host of hosts) bringTo(keys, stateDir, host);
  return keys;
}

/** A host's identity to where `covey lead` looks for it. */
export function bringTo(keys: KeyFolder, stateDir: string, host: string): void {
  const path = memberPath(stateDir, host);
  mkdirSync(dirname(path), { recursive: true });
  writeMemberFile(path, keys.readIssued(host));
}
