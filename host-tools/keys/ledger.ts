/**
 * `ledger.json`: every identity that was ever issued, who of them is revoked, and the root's latest statement of that. It holds no
 * secret, and is replaced as a whole at each change.
 */
import { type IdentityRole, roles } from "../../protocols/security/identity/identity.ts";
import type { Scope } from "../../protocols/security/identity/scope.ts";
import { KeyFolderUnusable } from "./key-error.ts";

export interface Ledger {
  readonly swarm: string;
  /** Public key of the root that it belongs to, base64url. */
  readonly root: string;
  /** undefined before the first revocation or rotation: epoch 0. */
  readonly roster: LedgerRoster | undefined;
  /** In the order in which they were issued; of one name the last one counts. */
  readonly entries: readonly LedgerEntry[];
  /** Sequence of the last release of firmware that was signed; undefined before the first. */
  readonly lastRelease?: number | undefined;
}

/** The root's latest statement; see `protocols/security/identity/roster.ts`. */
export interface LedgerRoster {
  readonly epoch: number;
  readonly since: number;
  /** As the root signed it, base64url. */
  readonly statement: string;
  /**
   * `due`: the swarm is to hear of it as soon as it can be reached; `held`: when the user says so, because members must have their new
   * identities before; `done`: the swarm has agreed on it.
   */
  readonly delivery: "due" | "held" | "done";
}

export interface LedgerEntry {
  readonly name: string;
  readonly role: IdentityRole;
  /** Reference of the identity, hexadecimal. */
  readonly kid: string;
  readonly scope: Scope;
  readonly epoch: number;
  /** ISO 8601, UTC. */
  readonly issuedAt: string;
  /** Names and addresses in a host's certificate beside those of its own computer. */
  readonly addresses?: readonly string[] | undefined;
  readonly revoked?: Revocation | undefined;
}

export interface Revocation {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly why: string;
  /** Of the statement that said so first. */
  readonly epoch: number;
}

export type Standing = "belongs" | "revoked" | "replaced";

/** `replaced`: everybody was issued anew since. */
export function standingOf({ roster }: Ledger, { revoked, epoch }: LedgerEntry): Standing {
  if (revoked !== undefined) return "revoked";
  return epoch >= (roster?.since ?? 0) ? "belongs" : "replaced";
}

/** The last one that was issued under this name, whatever became of it. */
export function latestOf({ entries }: Ledger, name: string): LedgerEntry | undefined {
  return entries.findLast((entry) => entry.name === name);
}

/** Those that belong. */
export function membersOf(ledger: Ledger): LedgerEntry[] {
  return ledger.entries.filter((entry) => standingOf(ledger, entry) === "belongs");
}

export function epochOf({ roster }: Ledger): number {
  return roster?.epoch ?? 0;
}

const version = 1;

export function formatLedger({ swarm, root, roster, entries, lastRelease }: Ledger): string {
  return `${JSON.stringify({ version, swarm, root, roster, lastRelease, entries }, undefined, 2)}\n`;
}

/** Of the file at `path`. @throws {KeyFolderUnusable} */
export function parseLedger(path: string, content: string): Ledger {
  const ledger = parse(content);
  if (ledger !== undefined) return ledger;
  throw new KeyFolderUnusable(
    path,
    "is torn or was changed by hand, and nobody else knows who was issued what; put the copy back that you kept.",
  );
}

function parse(content: string): Ledger | undefined {
  let file: (Partial<Ledger> & { version?: unknown }) | null;
  try {
    file = JSON.parse(content) as typeof file;
  } catch {
    return undefined;
  }
  const isSound =
    file?.version === version &&
    typeof file.swarm === "string" &&
    typeof file.root === "string" &&
    (file.roster === undefined || isRoster(file.roster)) &&
    (file.lastRelease === undefined || isEpoch(file.lastRelease)) &&
    Array.isArray(file.entries) &&
    file.entries.every(isEntry);
  if (!isSound) return undefined;
  const { swarm, root, roster, entries, lastRelease } = file as Ledger;
  return { swarm, root, roster, entries, lastRelease };
}

function isRoster({ epoch, since, statement, delivery }: LedgerRoster): boolean {
  return (
    isEpoch(epoch) &&
    isEpoch(since) &&
    typeof statement === "string" &&
    ["due", "held", "done"].includes(delivery)
  );
}

function isEntry(given: LedgerEntry | null): boolean {
  if (typeof given !== "object" || given === null) return false;
  const { name, role, kid, scope, epoch, issuedAt, revoked } = given;
  return (
    typeof name === "string" &&
    roles.includes(role) &&
    /^[0-9a-f]{16}$/.test(kid) &&
    Array.isArray(scope) &&
    isEpoch(epoch) &&
    typeof issuedAt === "string" &&
    (revoked === undefined || (typeof revoked.at === "string" && typeof revoked.why === "string"))
  );
}

function isEpoch(given: unknown): boolean {
  return Number.isSafeInteger(given) && (given as number) >= 0;
}
