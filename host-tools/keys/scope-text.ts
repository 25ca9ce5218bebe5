/** A scope as people write it: `fan.*:rw,north-1:c`, a resource and the letters of what may be done with it. */
import {
  Permission,
  type Scope,
  type ScopeEntry,
  scopeLimits,
} from "../../protocols/security/identity/scope.ts";
import { CannotIssue } from "./key-error.ts";

const letters: Readonly<Record<string, number>> = {
  r: Permission.read,
  w: Permission.write,
  c: Permission.command,
  u: Permission.update,
};

export function formatScope(scope: Scope): string {
  return scope.map(({ resource, permissions }) => `${resource}:${lettersOf(permissions)}`).join(",");
}

/** @throws {CannotIssue} */
export function parseScope(text: string): Scope {
  const { entriesMax } = scopeLimits;
  const entries = text.split(",").map(parseEntry);
  if (entries.length <= entriesMax) return entries;
  throw new CannotIssue(`A scope has at most ${entriesMax} entries, and this one has ${entries.length}.`);
}

function parseEntry(text: string): ScopeEntry {
  const at = text.lastIndexOf(":");
  const resource = text.slice(0, at).trim();
  const given = new Set(text.slice(at + 1).trim());
  const permissions = [...given].reduce((sum, letter) => sum + (letters[letter] ?? Number.NaN), 0);
  const { resourceLengthMax } = scopeLimits;
  if (at > 0 && resource.length > 0 && resource.length <= resourceLengthMax && permissions > 0) {
    return { resource, permissions };
  }
  throw new CannotIssue(
    `${JSON.stringify(text)} is no entry of a scope; write a resource of at most ${resourceLengthMax} characters and of r(ead), w(rite), c(ommand), u(pdate) what is allowed, such as fan.*:rw.`,
  );
}

function lettersOf(permissions: number): string {
  return Object.entries(letters)
    .filter(([, bit]) => (permissions & bit) !== 0)
    .map(([letter]) => letter)
    .join("");
}
