/** `GET /api/readings?board=&metric=&from=&to=&limit=&format=json or csv`: the readings that are stored. */
import type { Context } from "hono";
import { mayRead } from "../access/actor.ts";
import type { HostView } from "../api/host-view.ts";
import { actorOf, answer, type Env, type Routes, toReadBoard } from "../api/routes.ts";
import { csvPages, parseReadingRequest } from "./reading-export.ts";

export function addReadings({ api, needs, onLeader }: Routes, { telemetry }: HostView): void {
  api.get("/api/readings", needs(toReadBoard), onLeader, (context) => answerReadings(context, telemetry));
}

function answerReadings(context: Context<Env>, telemetry: HostView["telemetry"]): Response {
  const { query: wanted, limit, format } = parseReadingRequest(context.req.query());
  const query = { ...wanted, isWanted: (board: string) => mayRead(actorOf(context), board) };
  if (format === "json") return answer(context, telemetry.newest(query, limit!));
  const pages = limit === undefined ? telemetry.pages(query) : [telemetry.newest(query, limit)];
  context.header("cache-control", "no-store");
  context.header("content-type", "text/csv; charset=utf-8");
  context.header("content-disposition", 'attachment; filename="readings.csv"');
  return context.body(textStream(csvPages(pages)));
}

/** One page is read when the client has taken the one before. */
function textStream(pages: Generator<string>): ReadableStream {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      const { value, done } = pages.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel() {
      pages.return(undefined);
    },
  });
}
