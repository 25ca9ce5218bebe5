/** The identity of the host that this computer is to be: for `lead` and `recover`. */
import { existsSync } from "node:fs";
import { memberPath } from "../leader/host-directory.ts";
import type { MemberSecrets } from "../security/member-file.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import { Failed } from "./failure.ts";

/** @param file undefined for its usual place. @throws {Failed} for none, and for another's */
export async function hostIdentity(
  file: string | undefined,
  { name: swarm }: SwarmDefinition,
  { hostName, stateDir }: { readonly hostName: string; readonly stateDir: string },
): Promise<MemberSecrets> {
  const path = file ?? memberPath(stateDir, hostName);
  if (!existsSync(path)) {
    throw new Failed(
      `Host ${hostName} has no identity in ${path}: issue it with covey keys issue ${hostName} (after covey keys init, once for the swarm), or say with --member where its file is.`,
      "no-identity",
    );
  }
  const { MemberFileError, readMemberFile } = await import("../security/member-file.ts");
  try {
    const member = readMemberFile(path);
    const { identity } = member;
    if (identity.swarm === swarm && identity.role === "host" && identity.name === hostName) return member;
    throw new Failed(
      `${path} is of ${identity.name} (${identity.role}) in the swarm ${identity.swarm}, not of host ${hostName} in ${swarm}; choose another with --member, or the host with --name.`,
      "no-identity",
    );
  } catch (error) {
    if (error instanceof MemberFileError) throw new Failed(error.message, "no-identity");
    throw error;
  }
}
