/** What somebody needs to be allowed for each thing that one can ask of a host. Everything here throws `ApiFailure`: 401 or 403. */
import { ApiFailure } from "../api/api-failure.ts";
import type { Audit } from "../audit.ts";
import { type Actor, describeActor, mayRead, mayReadSome, mayUpdate, mayWrite } from "./actor.ts";

/** Resources that are no settings and no members' names; whoever writes them rules the swarm. */
export const coveyResource = {
  voters: "covey/voters",
  leader: "covey/leader",
  roster: "covey/roster",
  audit: "covey/audit",
  /** How boards reach their hosts. */
  contact: "covey/contact",
  /** To look at checkpoints, and to make and delete them. */
  checkpoints: "covey/checkpoints",
  /** To bring one back: whoever may, changes all settings and programs. */
  restore: "covey/restore",
  /** Which firmware boards run: takes the permission to update. */
  firmware: "covey/firmware",
  /** Acknowledging alerts and testing webhooks; an alert is read by whoever may read its board. */
  alerts: "covey/alerts",
  /** To give up what registers hold where most of their boards are gone; a register itself is read and written by its name. */
  registers: "covey/registers",
  /** Which boards hold tasks. */
  tasks: "covey/tasks",
  /** Bringing back readings that boards keep. */
  keep: "covey/keep",
} as const;

/** What somebody needs to be allowed to write who has this action carried out. */
export function actionResource(name: string): string {
  return `act/${name}`;
}

/** What somebody needs to be allowed to write who carries out this role on a host. */
export function taskResource(name: string): string {
  return `task/${name}`;
}

/** One right, as a route asks for it. */
export interface Right {
  readonly verb: "read" | "write" | "update";
  /** undefined for anything at all. */
  readonly resource: string | undefined;
}

export function toRead(resource: string): Right {
  return { verb: "read", resource };
}

export function toWrite(resource: string): Right {
  return { verb: "write", resource };
}

export function toUpdate(resource: string): Right {
  return { verb: "update", resource };
}

/** Whoever may read something is shown that. */
export const toReadSome: Right = { verb: "read", resource: undefined };

export function hasRight(actor: Actor, { verb, resource }: Right): boolean {
  if (resource === undefined) return mayReadSome(actor);
  const may = { read: mayRead, write: mayWrite, update: mayUpdate }[verb];
  return may(actor, resource);
}

/** Lets pass whoever has the right; a refusal is audited. */
export function demand(actor: Actor, right: Right, audit: Audit): void {
  if (hasRight(actor, right)) return;
  const { verb, resource } = right;
  const what = `${verb} ${resource === "*" ? "everything" : (resource ?? "anything")}`;
  audit.refused(actor.name, what);
  const missing = `${resource ?? "*"}:${verb[0]}`;
  throw new ApiFailure(
    "forbidden",
    `${describeActor(actor)} may not ${what}: that takes an identity whose scope has ${missing} (covey keys issue).`,
  );
}
