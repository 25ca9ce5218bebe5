/**
 * What a member or an operator may do: resources and permission bits, in the manner of AIF (RFC 9237, section 2): a list of pairs, of which
 * any that fits allows. Nothing is allowed that is not listed.
 *
 * A resource is a key of the agreed state or the name of a member; one that ends in `*` stands for all that begin like it. What begins with
 * `covey/` Covey keeps for itself (who votes, who is revoked): only an entry that begins so stands for it.
 */
export const Permission = Object.freeze({
  read: 1,
  write: 2,
  /** Act on a board: atomic actions, restarts. */
  command: 4,
  /** New firmware. */
  update: 8,
});

export interface ScopeEntry {
  readonly resource: string;
  /** Sum of `Permission`s. */
  readonly permissions: number;
}

export type Scope = readonly ScopeEntry[];

export const scopeLimits = Object.freeze({
  entriesMax: 16,
  /** Characters. */
  resourceLengthMax: 48,
});

/** Whether `scope` allows every one of `permissions` on `resource`, each through whatever entry. */
export function isAllowed(scope: Scope, resource: string, permissions: number): boolean {
  let missing = permissions;
  for (const entry of scope) if (covers(entry.resource, resource)) missing &= ~entry.permissions;
  return permissions > 0 && missing === 0;
}

function covers(pattern: string, resource: string): boolean {
  const last = pattern.length - 1;
  if (pattern.charCodeAt(last) !== 0x2a) return resource === pattern; // "*"
  if (resource.startsWith(reserved) && !pattern.startsWith(reserved)) return false;
  return resource.startsWith(pattern.slice(0, last));
}

/** As `reservedKeyPrefix` of the agreed state. */
const reserved = "covey/";
