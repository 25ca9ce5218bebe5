/** What each role may do when nobody says otherwise. Resources are names of members and keys of the agreed state; see `Permission`. */
import type { IdentityRole } from "../../protocols/security/identity/identity.ts";
import { Permission, type Scope } from "../../protocols/security/identity/scope.ts";

const { read, write, command, update } = Permission;

/** @param name of the member that it is for. */
export function defaultScope(role: IdentityRole, name: string): Scope {
  switch (role) {
    case "board":
      // It speaks for itself alone.
      return [{ resource: name, permissions: read | write }];
    case "host":
      // It carries out what the group agrees on, on every board.
      return everything;
    case "viewer":
      return [{ resource: "*", permissions: read }];
    case "operator":
      // Its own settings and that it has seen an alert, not what else Covey keeps for itself.
      return [
        { resource: "*", permissions: read | write | command },
        { resource: "covey/alerts", permissions: write },
      ];
    case "admin":
      return everything;
  }
}

const everything: Scope = [
  { resource: "*", permissions: read | write | command | update },
  { resource: "covey/*", permissions: read | write | command | update },
];
