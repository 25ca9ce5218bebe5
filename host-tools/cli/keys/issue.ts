/** `covey keys issue`: identities for hosts, boards and people. */
import type { IdentityRole } from "../../../protocols/security/identity/identity.ts";
import type { IssueRequest } from "../../keys/issue.ts";
import { type Ledger, type LedgerEntry, latestOf, standingOf } from "../../keys/ledger.ts";
import { formatScope, parseScope } from "../../keys/scope-text.ts";
import { makeHostDirectory, memberPath } from "../../leader/host-directory.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { WrongInput } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { deliverDue } from "./delivery.ts";
import { definitionOf, type KeyOptions, type KeyPlace, openKeys, shownPath, unlock } from "./place.ts";

export async function issueKeys(
  terminal: Terminal,
  options: KeyOptions,
  names: readonly string[],
): Promise<void> {
  const place = await openKeys(terminal, options);
  const { folder } = place;
  const requests = await requestsOf(place, options, names);
  let entries: readonly LedgerEntry[] = [];
  if (requests.length > 0) {
    const { issueMembers, refuseIssue } = await import("../../keys/issue.ts");
    // Before the passphrase is asked for.
    refuseIssue(folder, folder.ledger(), requests);
    const keys = await unlock(terminal, folder, options);
    entries = issueMembers(folder, keys, requests, Date.now());
  }
  const files = await handOut(place);
  for (const entry of entries) terminal.line(issuedText(place, entry));
  for (const { name, path } of files)
    terminal.line(`The host ${name} finds its own here: ${shownPath(path)}.`);
  if (entries.length === 0)
    terminal.line("Nobody in swarm.ts lacks an identity; covey keys list shows them.");
  else for (const line of adviceFor(entries, place)) terminal.line(line);
  await deliverDue(terminal, place, options);
  terminal.result({
    swarm: folder.swarm,
    simulated: place.isSimulated,
    issued: entries.map((entry) => ({ ...entry, file: folder.issuedPath(entry.name) })),
  });
}

async function requestsOf(
  place: KeyPlace,
  options: KeyOptions,
  names: readonly string[],
): Promise<IssueRequest[]> {
  const ledger = place.folder.ledger();
  const addresses = options.address?.split(",").map((each) => each.trim());
  if (names.length === 0) {
    if (options.role !== undefined || options.scope !== undefined) {
      throw new WrongInput("Say whose role or scope it is: covey keys issue anna --role operator.");
    }
    const missing = missingIn(ledger, await definitionOf(place, options));
    const hosts = missing.filter(({ role }) => role === "host");
    if (addresses !== undefined && hosts.length !== 1) {
      throw new WrongInput(`Say whose address it is: covey keys issue NAME --address ${options.address}.`);
    }
    return missing.map((each) => (each.role === "host" ? { ...each, addresses } : each));
  }
  const roleOf = await rolesFor(place, options);
  const scope = options.scope === undefined ? undefined : parseScope(options.scope);
  return [...new Set(names)].map((name) => asBefore(ledger, { name, role: roleOf(name), scope, addresses }));
}

/** Hosts and boards of the swarm that never had an identity, or none of this era; whoever was revoked is named to come back. */
function missingIn(ledger: Ledger, { hosts, boards }: SwarmDefinition): IssueRequest[] {
  const wanted: IssueRequest[] = [
    ...hosts.map((name) => ({ name, role: "host" as const })),
    ...Object.keys(boards).map((name) => ({ name, role: "board" as const })),
  ];
  return wanted.filter(({ name }) => {
    const latest = latestOf(ledger, name);
    return latest === undefined || standingOf(ledger, latest) === "replaced";
  });
}

/** What is not said of a name stays as it was, so that a new identity never may more than the last. */
function asBefore(ledger: Ledger, request: IssueRequest): IssueRequest {
  const { name, role, scope, addresses } = request;
  const before = latestOf(ledger, name);
  if (before?.role !== role) return request;
  return { name, role, scope: scope ?? before.scope, addresses: addresses ?? before.addresses };
}

/** The role that was said, else what swarm.ts says, else what the name had before. */
async function rolesFor(place: KeyPlace, options: KeyOptions): Promise<(name: string) => IdentityRole> {
  if (options.role !== undefined) return () => options.role as IdentityRole;
  const ledger = place.folder.ledger();
  const definition = await definitionOf(place, options).catch(() => undefined);
  return (name) => {
    if (definition?.hosts.includes(name)) return "host";
    if (definition !== undefined && Object.hasOwn(definition.boards, name)) return "board";
    const role = latestOf(ledger, name)?.role;
    if (role !== undefined) return role;
    throw new WrongInput(
      `swarm.ts names no host or board ${name}; say what it is with --role host, board, viewer, operator or admin.`,
    );
  };
}

/** A host's file, and where it lies. */
export interface HandedOut {
  readonly name: string;
  readonly path: string;
}

/** Each host's file where `covey lead` looks for it on this computer. Gives those that were not there yet. */
export async function handOut({ folder, stateDir, isSimulated }: KeyPlace): Promise<HandedOut[]> {
  if (isSimulated) return [];
  const { membersOf } = await import("../../keys/ledger.ts");
  const { MemberFileError, readMemberFile, writeMemberFile } = await import("../../security/member-file.ts");
  const written: HandedOut[] = [];
  for (const { name, role } of membersOf(folder.ledger())) {
    if (role !== "host" || !folder.hasIssued(name)) continue;
    const member = folder.readIssued(name);
    const path = memberPath(stateDir, name);
    try {
      if (Buffer.compare(readMemberFile(path).signed, member.signed) === 0) continue;
    } catch (error) {
      if (!(error instanceof MemberFileError)) throw error;
    }
    makeHostDirectory(stateDir, name);
    writeMemberFile(path, member);
    written.push({ name, path });
  }
  return written;
}

function issuedText({ folder }: KeyPlace, { name, role, scope }: LedgerEntry): string {
  return `${name} (${role}, ${formatScope(scope)}): ${shownPath(folder.issuedPath(name))}`;
}

function adviceFor(entries: readonly LedgerEntry[], { isSimulated }: KeyPlace): string[] {
  if (isSimulated) return ["The simulation takes them up at its next start."];
  const roles = new Set(entries.map(({ role }) => role));
  const lines: string[] = [];
  if (roles.has("host")) {
    lines.push("A host on another computer: take its file there and start it with covey lead --member FILE.");
  }
  if (roles.has("board")) lines.push("A board: its file goes into its flash when it is provisioned.");
  if (["viewer", "operator", "admin"].some((role) => roles.has(role as IdentityRole))) {
    lines.push("A person: hand the file over in private; it is the login.");
  }
  return [...lines, "Whoever has such a file is that member: delete it here once it is where it belongs."];
}
