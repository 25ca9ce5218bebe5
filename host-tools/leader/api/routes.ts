/** What the rooms have in common that add their routes to the HTTP interface (`api.ts`). */
import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono, MiddlewareHandler } from "hono";
import type { Access, Caller } from "../access/access.ts";
import type { Actor } from "../access/actor.ts";
import type { Reach } from "../access/reach.ts";
import { demand, type Right, toRead, toReadSome } from "../access/rights.ts";
import type { Audit } from "../audit.ts";
import { parseObject } from "./request-body.ts";

export type Env = { Bindings: HttpBindings; Variables: { caller: Caller } };

/** What stands between a request and the host. */
export interface Door {
  readonly reach: Reach;
  readonly access: Access;
  readonly audit: Audit;
}

export type RightOf = (context: Context) => Right;

export interface Routes {
  readonly api: Hono<Env>;
  /** Of every route but the page and logging in: who asks, and whether it may. */
  needs(right: Right | RightOf): MiddlewareHandler<Env>;
  /** Sent on to the host that leads, if that is another one. */
  readonly onLeader: MiddlewareHandler;
}

export const apiLimits = {
  bodyBytesMax: 4_096,
  logEntriesMax: 1_000,
  logEntriesDefault: 100,
  /** For a majority to confirm what is told: a status is told all the same, and says so; a setting is not. */
  statusConfirmMs: 1_000,
  settingConfirmMs: 5_000,
  /** A comment on a quiet event stream, so that both ends notice a dead connection. */
  heartbeatMs: 15_000,
  /** After which a browser asks again when the stream ended. */
  eventsRetryMs: 500,
  /** After which whoever watches has to ask again. */
  eventsMaxMs: 600_000,
} as const;

export function requireRight({ access, audit }: Door): Routes["needs"] {
  return (right) => async (context, next) => {
    const caller = await access.identify(context.env.incoming, () => context.req.text());
    demand(caller.actor, typeof right === "function" ? right(context) : right, audit);
    context.set("caller", caller);
    await next();
  };
}

export function actorOf(context: Context<Env>): Actor {
  return context.get("caller").actor;
}

/** The part of the path that is called `name`. */
export function nameIn(context: Context): string {
  return context.req.param("name")!;
}

/** To read what the board of the query says; or some board, where it names none. */
export function toReadBoard(context: Context): Right {
  const board = context.req.query("board");
  return board ? toRead(board) : toReadSome;
}

export function answer(context: Context, value: object): Response {
  context.header("cache-control", "no-store");
  return context.json(value);
}

/** The body, as long as it is one JSON object. @throws {ApiFailure} */
export async function readObject(context: Context, example: string): Promise<Record<string, unknown>> {
  return parseObject(await context.req.text(), example);
}
