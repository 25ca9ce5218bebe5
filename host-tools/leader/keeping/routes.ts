/** `/api/keep`: what boards keep, what they have, and bringing it back. */
import type { Context, Hono, MiddlewareHandler } from "hono";
import { mayRead } from "../access/actor.ts";
import { coveyResource, type Right, toRead, toReadSome, toWrite } from "../access/rights.ts";
import type { Env, HostView } from "../api/api.ts";
import { ApiFailure } from "../api/api-failure.ts";
import { parseObject } from "../api/request-body.ts";
import { requireJson } from "../api/request-guard.ts";
import { parseReadingRequest } from "../telemetry/reading-export.ts";
import type { RestoreWish } from "./restoration.ts";

const path = "/api/keep";

export function addKeeping(
  api: Hono<Env>,
  host: HostView,
  needs: (right: Right | ((context: Context) => Right)) => MiddlewareHandler<Env>,
  onLeader: MiddlewareHandler,
): void {
  api.get(path, needs(toRead("*")), onLeader, async (context) => {
    await host.confirm(confirmMs);
    context.header("cache-control", "no-store");
    return context.json(host.keep());
  });
  api.post(`${path}/restore`, requireJson, needs(toWrite(coveyResource.keep)), onLeader, async (context) =>
    context.json(host.restoreKept(readWish(await context.req.text()))),
  );
  const ofBoard = (context: Context) => {
    const board = context.req.query("board");
    return board ? toRead(board) : toReadSome;
  };
  api.get(`${path}/readings`, needs(ofBoard), onLeader, (context) => {
    const { query } = parseReadingRequest({ ...context.req.query(), format: "csv" });
    const { actor } = context.get("caller");
    const lines = host.keptReadings({ ...query, isWanted: (board) => mayRead(actor, board) });
    context.header("cache-control", "no-store");
    context.header("content-type", "text/csv; charset=utf-8");
    return context.body(ReadableStream.from(encoded(lines)) as ReadableStream);
  });
}

const confirmMs = 1_000;

function readWish(text: string): RestoreWish {
  const { board, metric } = parseObject(text, '{"board": "north-1"}');
  for (const name of [board, metric]) {
    if (name !== undefined && typeof name !== "string") {
      throw new ApiFailure(
        "bad-request",
        'Say which readings: {"board": "north-1", "metric": "temperature"}, or {} for all.',
      );
    }
  }
  return { board: board as string | undefined, metric: metric as string | undefined };
}

async function* encoded(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const text of lines) yield encoder.encode(text);
}
