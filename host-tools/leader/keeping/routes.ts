/**
 * `/api/keep`: what boards keep, what they have, and bringing it back.
 *
 * ```
 * GET    /api/keep
 * GET    /api/keep/readings    ?board=&metric=&from=&to=
 * POST   /api/keep/restore     {"board": "north-1", "metric": "temperature"}
 * POST   /api/keep/accept-loss {"host": "attic", "acceptLoss": true}
 * ```
 */
import { mayRead } from "../access/actor.ts";
import { coveyResource, toRead, toWrite } from "../access/rights.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { HostView } from "../api/host-view.ts";
import { parseObject } from "../api/request-body.ts";
import { requireJson } from "../api/request-guard.ts";
import { actorOf, answer, apiLimits, type Routes, toReadBoard } from "../api/routes.ts";
import { parseReadingRequest } from "../telemetry/reading-export.ts";
import type { RestoreWish } from "./restoration.ts";

const path = "/api/keep";

export function addKeeping({ api, needs, onLeader }: Routes, { leadership, keeping }: HostView): void {
  api.get(path, needs(toRead("*")), onLeader, async (context) => {
    await leadership.confirm(apiLimits.statusConfirmMs);
    return answer(context, keeping.status());
  });
  api.post(`${path}/restore`, requireJson, needs(toWrite(coveyResource.keep)), onLeader, async (context) =>
    answer(context, keeping.restore(readWish(await context.req.text()))),
  );
  api.post(
    `${path}/accept-loss`,
    requireJson,
    needs(toWrite(coveyResource.keep)),
    onLeader,
    async (context) =>
      answer(context, keeping.acceptLoss(readHost(await context.req.text()), actorOf(context))),
  );
  api.get(`${path}/readings`, needs(toReadBoard), onLeader, (context) => {
    const { query } = parseReadingRequest({ ...context.req.query(), format: "csv" });
    const actor = actorOf(context);
    const lines = keeping.readings({ ...query, isWanted: (board) => mayRead(actor, board) });
    context.header("cache-control", "no-store");
    context.header("content-type", "text/csv; charset=utf-8");
    return context.body(ReadableStream.from(encoded(lines)) as ReadableStream);
  });
}

function readHost(text: string): string {
  const example = '{"host": "attic", "acceptLoss": true}';
  const { host, acceptLoss } = parseObject(text, example);
  if (typeof host === "string" && acceptLoss === true) return host;
  throw new ApiFailure("bad-request", `Say which host's lost blocks you accept: ${example}.`);
}

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
