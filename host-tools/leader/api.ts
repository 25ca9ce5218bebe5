/** The HTTP interface of `api-types.ts`: hono routes over what the leader offers. */

import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { streamSSE } from "hono/streaming";
import { ApiFailure } from "./api-failure.ts";
import type { LogEntry, SetResult, Setting, Status, StoredReading } from "./api-types.ts";
import type { Log } from "./log.ts";
import { createPageFiles } from "./page-files.ts";
import { csvPages, parseCount, parseReadingRequest } from "./reading-export.ts";
import { guardRequests, requireJson } from "./request-guard.ts";
import type { StatusFeed } from "./status-feed.ts";
import type { ReadingQuery } from "./telemetry.ts";

/** What the interface needs from the leader. */
export interface LeaderView {
  status(): Status;
  settings(): Record<string, Setting>;
  /** Resolves once committed. Rejects with `ApiFailure`. */
  set(key: string, value: unknown): Promise<SetResult>;
  /** Consecutive entries; `from` undefined for the newest. */
  log(from: number | undefined, limit: number): LogEntry[];
  newestReadings(query: ReadingQuery, limit: number): StoredReading[];
  readingPages(query: ReadingQuery): Iterable<readonly StoredReading[]>;
  readonly feed: StatusFeed;
}

export const apiLimits = {
  bodyBytesMax: 4_096,
  logEntriesMax: 1_000,
  logEntriesDefault: 100,
  /** A comment on a quiet event stream, so that both ends notice a dead connection. */
  heartbeatMs: 15_000,
} as const;

export function createApi(leader: LeaderView, log: Log): Hono {
  const api = new Hono();
  const pageFile = createPageFiles();
  api.use(guardRequests);
  api.get("/api/status", (context) => answer(context, leader.status()));
  api.get("/api/events", (context) => streamEvents(context, leader.feed));
  api.get("/api/settings", (context) => answer(context, leader.settings()));
  api.get("/api/settings/:key", (context) =>
    answer(context, settingOf(leader.settings(), context.req.param("key"))),
  );
  api.put("/api/settings/:key", requireJson, bodyLimit(bodyLimitOptions), async (context) =>
    answer(context, await leader.set(context.req.param("key"), await readValue(context))),
  );
  api.get("/api/log", (context) => {
    const { from, limit } = context.req.query();
    const first = parseCount("from", from, Number.MAX_SAFE_INTEGER);
    const count = parseCount("limit", limit, apiLimits.logEntriesMax) ?? apiLimits.logEntriesDefault;
    return answer(context, leader.log(first, count));
  });
  api.get("/api/readings", (context) => answerReadings(context, leader));
  api.all("*", (context) => {
    const file = context.req.method === "GET" ? pageFile(context) : undefined;
    if (file !== undefined) return file;
    throw new ApiFailure(
      "not-found",
      `There is no ${context.req.method} ${context.req.path}; GET /api/status is a start.`,
    );
  });
  api.onError((error, context) => refuse(context, error, log));
  return api;
}

const bodyLimitOptions = {
  maxSize: apiLimits.bodyBytesMax,
  onError: () => {
    throw new ApiFailure("bad-request", `The body is limited to ${apiLimits.bodyBytesMax} bytes.`, 413);
  },
};

function answer(context: Context, value: object): Response {
  context.header("cache-control", "no-store");
  return context.json(value);
}

function refuse(context: Context, error: Error, log: Log): Response {
  const failure =
    error instanceof ApiFailure
      ? error
      : new ApiFailure("internal", `The leader failed: ${error.message}. Its log on stderr says more.`);
  if (failure !== error) log.error("request-failed", { path: context.req.path, reason: error.stack });
  return context.json(failure.body, failure.status);
}

function settingOf(settings: Record<string, Setting>, key: string): Setting {
  if (Object.hasOwn(settings, key)) return settings[key]!;
  const known = Object.keys(settings).join(", ") || "none";
  throw new ApiFailure("not-found", `There is no setting ${key}; this swarm has ${known}.`);
}

async function readValue(context: Context): Promise<unknown> {
  let body: unknown;
  try {
    body = await context.req.json();
  } catch (error) {
    if (error instanceof ApiFailure) throw error;
    throw new ApiFailure("bad-request", 'The body is no JSON; send for example {"value": 40}.');
  }
  if (typeof body === "object" && body !== null && "value" in body) return body.value;
  throw new ApiFailure("bad-request", 'The body has no value; send for example {"value": 40}.');
}

function answerReadings(context: Context, leader: LeaderView): Response {
  const { query, limit, format } = parseReadingRequest(context.req.query());
  if (format === "json") return answer(context, leader.newestReadings(query, limit!));
  const pages = limit === undefined ? leader.readingPages(query) : [leader.newestReadings(query, limit)];
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

function streamEvents(context: Context, feed: StatusFeed): Response {
  const watch = feed.watch();
  if (watch === undefined) {
    throw new ApiFailure("internal", "Too many programs watch this leader; close one of its pages.", 503);
  }
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => watch.close());
    try {
      while (!watch.isClosed) {
        const status = await watch.next(apiLimits.heartbeatMs);
        if (watch.isClosed) break;
        if (status === undefined) await stream.write(": quiet\n\n");
        else await stream.writeSSE({ event: "status", data: status });
      }
    } finally {
      watch.close();
    }
  });
}
