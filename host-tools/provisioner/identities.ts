/** The identity of a board: one that was issued before and is still here is used again; else one is issued. */

import { contactKeyOf } from "../../protocols/provisioning/contact.ts";
import type { Scope } from "../../protocols/security/identity/scope.ts";
import { issueMembers } from "../keys/issue.ts";
import { CannotIssue, NameTaken } from "../keys/key-error.ts";
import type { KeyFolder } from "../keys/key-folder.ts";
import { type LedgerEntry, latestOf, standingOf } from "../keys/ledger.ts";
import type { RootKeys } from "../keys/root-file.ts";
import { formatScope } from "../keys/scope-text.ts";
import type { MemberSecrets } from "../security/member-file.ts";
import { nodeCiphers } from "../security/node-ciphers.ts";

/** The identity that a board of this name has, as the keys' ledger has it; undefined when it is yet to be issued. @throws {CannotIssue} for a name that is no board's */
export function presentIdentity(folder: KeyFolder, name: string): LedgerEntry | undefined {
  const ledger = folder.ledger();
  const latest = latestOf(ledger, name);
  if (latest === undefined) return undefined;
  if (latest.role !== "board")
    throw new CannotIssue(`${name} is no board: it has an identity as ${latest.role}. Choose another name.`);
  return standingOf(ledger, latest) === "belongs" ? latest : undefined;
}

/**
 * Whom the board of this name is; issued durably when it returns.
 * @param scope undefined: as it was before, or what every board may
 * @throws {CannotIssue} also for another scope than it has {NameTaken} when it was issued and its file is gone {KeysInUse} {KeyFolderUnusable} {MemberFileError}
 */
export function identityFor(
  folder: KeyFolder,
  keys: RootKeys,
  name: string,
  scope: Scope | undefined,
): MemberSecrets {
  const present = presentIdentity(folder, name);
  if (present !== undefined && scope !== undefined && formatScope(scope) !== formatScope(present.scope)) {
    throw new CannotIssue(
      `${name} has an identity with the scope ${formatScope(present.scope)}; to give it another one, covey keys revoke ${name} first.`,
    );
  }
  if (present === undefined) {
    const before = latestOf(folder.ledger(), name)?.scope;
    issueMembers(folder, keys, [{ name, role: "board", scope: scope ?? before }], Date.now());
  } else if (!folder.hasIssued(name)) throw new NameTaken(name, present.role, present.issuedAt, false);
  return folder.readIssued(name);
}

export function contactKeyFor(keys: RootKeys, swarm: string): Uint8Array {
  return contactKeyOf(nodeCiphers, keys.root, swarm);
}
