/** Whoever asks something of a host over HTTP, once the host knows who that is: what it may do is decided from its scope alone. */
import type { IdentityRole } from "../../../protocols/security/identity/identity.ts";
import { isAllowed, Permission, type Scope } from "../../../protocols/security/identity/scope.ts";

export interface Actor {
  /** Of a person, or of a host that asks on its own behalf. */
  readonly name: string;
  readonly role: IdentityRole;
  readonly scope: Scope;
}

const { read, write, command, update } = Permission;

/** Whoever reaches a host that asks nobody to log in: a user of this computer. */
export const localAdmin: Actor = {
  name: "local",
  role: "admin",
  scope: [
    { resource: "*", permissions: read | write | command | update },
    { resource: "covey/*", permissions: read | write | command | update },
  ],
};

export function mayRead({ scope }: Actor, resource: string): boolean {
  return isAllowed(scope, resource, read);
}

export function mayWrite({ scope }: Actor, resource: string): boolean {
  return isAllowed(scope, resource, write);
}

/** Whether it may decide which firmware runs there. */
export function mayUpdate({ scope }: Actor, resource: string): boolean {
  return isAllowed(scope, resource, update);
}

/** Whether it may read whatever is not Covey's own. */
export function mayReadAll(actor: Actor): boolean {
  return mayRead(actor, "*");
}

/** Whether there is anything at all that it may read. */
export function mayReadSome({ scope }: Actor): boolean {
  return scope.some(({ permissions }) => (permissions & read) !== 0);
}

/** `ann (viewer)`, for sentences. */
export function describeActor({ name, role }: Actor): string {
  return `${name} (${role})`;
}
