/** Whoever belongs no more, and new epochs: statements of the root that the swarm is to agree on. */
import { rosterLimits, signRoster } from "../../protocols/security/identity/roster.ts";
import { nodeCiphers } from "../security/node-ciphers.ts";
import { withIssued } from "./issue.ts";
import { AlreadyRevoked, NoSuchIdentity, TooManyRevoked } from "./key-error.ts";
import type { KeyFolder } from "./key-folder.ts";
import { epochOf, type Ledger, type LedgerEntry, type LedgerRoster, latestOf, membersOf } from "./ledger.ts";
import type { RootKeys } from "./root-file.ts";

/**
 * All of them in one statement, or none. Gives the ledger as it is then.
 * @throws {NoSuchIdentity} {AlreadyRevoked} {TooManyRevoked} {KeysInUse} {KeyFolderUnusable}
 */
export function revokeMembers(
  folder: KeyFolder,
  keys: RootKeys,
  names: readonly string[],
  why: string,
  nowMs: number,
): Ledger {
  return folder.change((ledger) => {
    const kids = new Set(names.map((name) => belonging(ledger, name).kid));
    const revoked = { at: new Date(nowMs).toISOString(), why, epoch: epochOf(ledger) + 1 };
    const entries = ledger.entries.map((entry) => (kids.has(entry.kid) ? { ...entry, revoked } : entry));
    return { ledger: inNewEpoch(keys, { ...ledger, entries }), issued: [] };
  }).ledger;
}

/** Refuses what `revokeMembers` would of these names. @throws {NoSuchIdentity} {AlreadyRevoked} */
export function refuseRevocation(ledger: Ledger, names: readonly string[]): void {
  for (const name of names) belonging(ledger, name);
}

/** A new epoch with nobody new revoked: members make new group keys and refresh their sessions. */
export function rotateEpoch(folder: KeyFolder, keys: RootKeys): Ledger {
  return folder.change((ledger) => ({ ledger: inNewEpoch(keys, ledger), issued: [] })).ledger;
}

/**
 * Everybody who belongs gets a new identity, and all earlier ones end with the statement: it is held back, because members must have
 * the new ones before.
 */
export function rotateAll(folder: KeyFolder, keys: RootKeys, nowMs: number): Ledger {
  return folder.change((ledger) => {
    const members = membersOf(ledger);
    const since = epochOf(ledger) + 1;
    const rotated = inNewEpoch(keys, ledger, since, "held");
    return withIssued(folder, keys, rotated, members, nowMs);
  }).ledger;
}

/** Notes that the swarm has agreed on the statement of this epoch; false when there is a later one by now. */
export function markDelivered(folder: KeyFolder, epoch: number): boolean {
  const { ledger } = folder.change((now) => {
    const roster = now.roster?.epoch === epoch ? { ...now.roster, delivery: "done" as const } : now.roster;
    return { ledger: { ...now, roster }, issued: [] };
  });
  return ledger.roster?.epoch === epoch;
}

function belonging(ledger: Ledger, name: string): LedgerEntry {
  const entry = latestOf(ledger, name);
  if (entry === undefined) throw new NoSuchIdentity(name);
  if (entry.revoked !== undefined) throw new AlreadyRevoked(name, entry.revoked.at, entry.revoked.why);
  return entry;
}

function inNewEpoch(
  keys: RootKeys,
  ledger: Ledger,
  since = ledger.roster?.since ?? 0,
  delivery: LedgerRoster["delivery"] = ledger.roster?.delivery === "held" ? "held" : "due",
): Ledger {
  const epoch = epochOf(ledger) + 1;
  // Whoever is of before `since` is out without being listed.
  const listed = ledger.entries.filter((entry) => entry.revoked !== undefined && entry.epoch >= since);
  if (listed.length > rosterLimits.revokedMax) throw new TooManyRevoked(rosterLimits.revokedMax);
  const revoked = listed.map(({ kid }) => new Uint8Array(Buffer.from(kid, "hex")));
  const signed = signRoster(nodeCiphers, keys.root, { swarm: ledger.swarm, epoch, since, revoked });
  const statement = Buffer.from(signed).toString("base64url");
  return { ...ledger, roster: { epoch, since, statement, delivery } };
}
