/** Identities for hosts that a test starts as `covey lead`, of the same root as those of the boards made of bytes. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { memberPath } from "../../../host-tools/leader/host-directory.ts";
import { writeMemberFile } from "../../../host-tools/security/member-file.ts";
import { memberOf } from "../leader/test-swarm.ts";

/** @param folder in which the hosts are started. @param state as their `--state` says. */
export function giveIdentities(
  folder: string,
  swarm: string,
  hosts: readonly string[],
  state = ".covey",
): void {
  for (const host of hosts) {
    const path = memberPath(join(folder, state, swarm), host);
    mkdirSync(dirname(path), { recursive: true });
    writeMemberFile(path, memberOf(swarm, "host", host));
  }
}
