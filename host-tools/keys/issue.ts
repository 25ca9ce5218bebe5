/** New identities, each with a key pair of its own, signed by the root. */
import { isIP } from "node:net";
import { kidOf } from "../../protocols/security/identity/credential.ts";
import {
  type Identity,
  IdentityError,
  type IdentityRole,
  issueIdentity,
} from "../../protocols/security/identity/identity.ts";
import type { Scope } from "../../protocols/security/identity/scope.ts";
import type { MemberSecrets } from "../security/member-file.ts";
import { nodeCiphers } from "../security/node-ciphers.ts";
import { isName, nameRule } from "../swarm-file/given.ts";
import { makeHostCertificate } from "./authority.ts";
import { defaultScope } from "./default-scope.ts";
import { CannotIssue, NameTaken } from "./key-error.ts";
import type { Change, KeyFolder } from "./key-folder.ts";
import { epochOf, type Ledger, type LedgerEntry, latestOf, standingOf } from "./ledger.ts";
import type { RootKeys } from "./root-file.ts";

export interface IssueRequest {
  readonly name: string;
  readonly role: IdentityRole;
  /** undefined: what the role may do when nobody says otherwise. */
  readonly scope?: Scope | undefined;
  /** Of a host: under which names and addresses it is reached, beside those of its own computer. */
  readonly addresses?: readonly string[] | undefined;
}

/**
 * All of them or none.
 * @throws {CannotIssue} {NameTaken} {KeysInUse} {KeyFolderUnusable}
 */
export function issueMembers(
  folder: KeyFolder,
  keys: RootKeys,
  requests: readonly IssueRequest[],
  nowMs: number,
): readonly LedgerEntry[] {
  return folder.change((ledger) => {
    refuseIssue(folder, ledger, requests);
    return withIssued(folder, keys, ledger, requests, nowMs);
  }).entries;
}

/** Refuses what `issueMembers` would of these. @throws {CannotIssue} {NameTaken} */
export function refuseIssue(folder: KeyFolder, ledger: Ledger, requests: readonly IssueRequest[]): void {
  for (const request of requests) {
    check(request);
    const { name } = request;
    const latest = latestOf(ledger, name);
    if (latest !== undefined && standingOf(ledger, latest) === "belongs") {
      throw new NameTaken(name, latest.role, latest.issuedAt, folder.hasIssued(name));
    }
  }
}

/** The change that issues them in the ledger's epoch. @throws {CannotIssue} */
export function withIssued(
  folder: KeyFolder,
  keys: RootKeys,
  ledger: Ledger,
  requests: readonly IssueRequest[],
  nowMs: number,
): Change & { readonly entries: readonly LedgerEntry[] } {
  const issued: MemberSecrets[] = [];
  const entries: LedgerEntry[] = [];
  for (const request of requests) {
    const member = makeMember(folder, keys, request, epochOf(ledger), nowMs);
    issued.push(member);
    entries.push(entryOf(member, request, nowMs));
  }
  return { ledger: { ...ledger, entries: [...ledger.entries, ...entries] }, issued, entries };
}

function makeMember(
  { swarm, root, authority: certificate }: KeyFolder,
  keys: RootKeys,
  { name, role, scope, addresses = [] }: IssueRequest,
  epoch: number,
  nowMs: number,
): MemberSecrets {
  const { privateKey, publicKey } = nodeCiphers.generateKeyPair();
  const identity = { swarm, name, role, scope: scope ?? defaultScope(role, name), epoch, publicKey };
  const signed = sign(keys, identity);
  const authority = { privateKey: keys.authority, certificate };
  const tls = role === "host" ? makeHostCertificate(authority, name, addresses, nowMs) : undefined;
  return { identity, signed, privateKey, root, authority: certificate, tls };
}

function sign(keys: RootKeys, identity: Identity): Uint8Array {
  try {
    return issueIdentity(nodeCiphers, keys.root, identity);
  } catch (error) {
    if (error instanceof IdentityError) throw new CannotIssue(`${error.message}.`);
    throw error;
  }
}

function entryOf(
  { identity, signed }: MemberSecrets,
  { addresses }: IssueRequest,
  nowMs: number,
): LedgerEntry {
  const { name, role, scope, epoch } = identity;
  const kid = Buffer.from(kidOf(nodeCiphers, signed)).toString("hex");
  return { ...{ name, role, kid, scope, epoch }, issuedAt: new Date(nowMs).toISOString(), addresses };
}

function check({ name, role, addresses = [] }: IssueRequest): void {
  if (!isName(name)) {
    throw new CannotIssue(`${JSON.stringify(name)} cannot name a member: ${nameRule}.`);
  }
  if (addresses.length > 0 && role !== "host") {
    throw new CannotIssue(`Only a host is reached under an address, and ${name} has the role ${role}.`);
  }
  const wrong = addresses.find((address) => isIP(address) === 0 && !isHostName(address));
  if (wrong !== undefined) {
    throw new CannotIssue(`${JSON.stringify(wrong)} is neither an IP address nor a name of a computer.`);
  }
}

/** RFC 1123, section 2.1; the first label may be a wildcard. */
function isHostName(text: string): boolean {
  const label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
  return text.length <= 253 && new RegExp(`^(\\*\\.)?${label}(\\.${label})*$`).test(text);
}
