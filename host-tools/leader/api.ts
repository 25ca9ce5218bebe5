/** The HTTP interface of `api-types.ts`: hono routes over what the leader offers, all but the setting of a value (`set-handler.ts`). */

import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { ApiFailure, failureOf } from "./api-failure.ts";
import type {
  LogEntry,
  Members,
  SetResult,
  Setting,
  Status,
  StoredReading,
  VoterAction,
  VotersChanged,
} from "./api-types.ts";
import { notLeadingMessage } from "./commands.ts";
import { atLeader } from "./leader-requests.ts";
import type { Log } from "./log.ts";
import type { VoterChange } from "./members/change-voters.ts";
import { createPageFiles } from "./page-files.ts";
import type { CommandId } from "./raft/command-id.ts";
import { csvPages, parseCount, parseReadingRequest } from "./reading-export.ts";
import { parseObject } from "./request-body.ts";
import { guardRequests, limitBody, requireJson } from "./request-guard.ts";
import type { StatusFeed } from "./status-feed.ts";
import type { ReadingQuery } from "./telemetry.ts";

/** What the interface needs from the host. */
export interface HostView {
  readonly hostName: string;
  /** `here`, the URL of the host that leads, or undefined when this host knows none. */
  readonly leader: "here" | string | undefined;
  /** Whether, within `waitMs`, a majority confirmed that this host leads and all that anybody was told is committed is applied here. */
  confirm(waitMs: number): Promise<boolean>;
  status(isConfirmed: boolean): Status;
  settings(): Record<string, Setting>;
  /** For one command that was not tried yet. */
  newCommandId(): string;
  /** Resolves once committed. Rejects with `ApiFailure`. */
  set(command: SetCommand): Promise<SetResult>;
  members(): Members;
  changeVoters(change: VoterChange): Promise<VotersChanged>;
  /** Throws `ApiFailure`. */
  transfer(to: string): void;
  /** Consecutive entries; `from` undefined for the newest. */
  log(from: number | undefined, limit: number): LogEntry[];
  newestReadings(query: ReadingQuery, limit: number): StoredReading[];
  readingPages(query: ReadingQuery): Iterable<readonly StoredReading[]>;
  readonly feed: StatusFeed;
}

export interface SetCommand {
  readonly key: string;
  readonly value: unknown;
  /** Only if this is the value at present; undefined: whatever it is. */
  readonly expected: unknown;
  /** undefined: a command that is not repeated. */
  readonly id: CommandId | undefined;
  /** Another host asks. */
  readonly isForwarded: boolean;
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
} as const;

export function createApi(host: HostView, log: Log): Hono {
  const api = new Hono();
  const pageFile = createPageFiles();
  const onLeader = atLeader(host);
  api.use(guardRequests);
  api.get("/api/status", onLeader, async (context) =>
    answer(context, host.status(await host.confirm(apiLimits.statusConfirmMs))),
  );
  api.get("/api/events", onLeader, async (context) => {
    // Whoever looks again after a restart is not to see what was overtaken long ago.
    await host.confirm(apiLimits.statusConfirmMs);
    return streamEvents(context, host);
  });
  api.get("/api/settings", onLeader, async (context) => answerSettings(context, host, (all) => all));
  api.get("/api/settings/:key", onLeader, async (context) =>
    answerSettings(context, host, (all) => settingOf(all, context.req.param("key"))),
  );
  api.get("/api/members", onLeader, async (context) => {
    await host.confirm(apiLimits.statusConfirmMs);
    return answer(context, host.members());
  });
  const changes = [requireJson, limitBody(apiLimits.bodyBytesMax), onLeader] as const;
  api.post("/api/members/voters", ...changes, async (context) =>
    answer(context, await host.changeVoters(await readVoterChange(context))),
  );
  api.post("/api/members/transfer", ...changes, async (context) => {
    const { to } = await readObject(context, '{"to": "b"}');
    if (typeof to !== "string") throw new ApiFailure("bad-request", 'Say which host: {"to": "b"}.');
    host.transfer(to);
    return answer(context, { to });
  });
  api.get("/api/log", onLeader, (context) => {
    const { from, limit } = context.req.query();
    const first = parseCount("from", from, Number.MAX_SAFE_INTEGER);
    const count = parseCount("limit", limit, apiLimits.logEntriesMax) ?? apiLimits.logEntriesDefault;
    return answer(context, host.log(first, count));
  });
  api.get("/api/readings", onLeader, (context) => answerReadings(context, host));
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

function answer(context: Context, value: object): Response {
  context.header("cache-control", "no-store");
  return context.json(value);
}

function refuse(context: Context, error: Error, log: Log): Response {
  const failure = failureOf(error, context.req.path, log);
  return context.json(failure.body, failure.status);
}

function settingOf(settings: Record<string, Setting>, key: string): Setting {
  if (Object.hasOwn(settings, key)) return settings[key]!;
  const known = Object.keys(settings).join(", ") || "none";
  throw new ApiFailure("not-found", `There is no setting ${key}; this swarm has ${known}.`);
}

async function answerSettings<T extends object>(
  context: Context,
  host: HostView,
  choose: (settings: Record<string, Setting>) => T,
): Promise<Response> {
  if (!(await host.confirm(apiLimits.settingConfirmMs))) {
    throw new ApiFailure("not-leader", notLeadingMessage);
  }
  context.header("idempotency-key", host.newCommandId());
  return answer(context, choose(host.settings()));
}

const voterActions: readonly unknown[] = ["promote", "demote", "replace"] satisfies VoterAction[];

async function readVoterChange(context: Context): Promise<VoterChange> {
  const example = '{"action": "promote", "names": ["north-1"]}';
  const { action, names, force } = await readObject(context, example);
  const areNames =
    Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === "string");
  const count = action === "replace" ? 2 : 0;
  if (!voterActions.includes(action) || !areNames || (count > 0 && names.length !== count)) {
    throw new ApiFailure("bad-request", `That is no change of voters; send for example ${example}.`);
  }
  return { action: action as VoterAction, names, force: force === true };
}

async function readObject(context: Context, example: string): Promise<Record<string, unknown>> {
  return parseObject(await context.req.text(), example);
}

function answerReadings(context: Context, host: HostView): Response {
  const { query, limit, format } = parseReadingRequest(context.req.query());
  if (format === "json") return answer(context, host.newestReadings(query, limit!));
  const pages = limit === undefined ? host.readingPages(query) : [host.newestReadings(query, limit)];
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

/** Ends when another host leads: whoever watches asks again then, and is shown what that one says. */
function streamEvents(context: Context, host: HostView): Response {
  const watch = host.feed.watch();
  if (watch === undefined) {
    throw new ApiFailure("internal", "Too many programs watch this host; close one of its pages.", 503);
  }
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => watch.close());
    try {
      while (!watch.isClosed) {
        const status = await watch.next(apiLimits.heartbeatMs);
        if (watch.isClosed || leadsElsewhere(host)) break;
        if (status === undefined) await stream.write(": quiet\n\n");
        else await stream.writeSSE({ event: "status", data: status, retry: apiLimits.eventsRetryMs });
      }
    } finally {
      watch.close();
    }
  });
}

function leadsElsewhere({ leader }: HostView): boolean {
  return leader !== undefined && leader !== "here";
}
