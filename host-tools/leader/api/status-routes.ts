/**
 * ```
 * GET    /api/status
 * GET    /api/events    server-sent
 * ```
 */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { Access } from "../access/access.ts";
import { type Actor, mayReadAll } from "../access/actor.ts";
import { toReadSome } from "../access/rights.ts";
import { visibleStatus } from "../access/visible.ts";
import { ApiFailure } from "./api-failure.ts";
import type { HostView } from "./host-view.ts";
import { actorOf, answer, apiLimits, type Env, type Routes } from "./routes.ts";
import type { Status } from "./types/status.ts";

export function addStatus({ api, needs, onLeader }: Routes, host: HostView, access: Access): void {
  api.get("/api/status", needs(toReadSome), onLeader, async (context) => {
    const status = host.overview.status(await host.leadership.confirm(apiLimits.statusConfirmMs));
    return answer(context, visibleStatus(actorOf(context), status));
  });
  api.get("/api/events", needs(toReadSome), onLeader, async (context) => {
    // Whoever looks again after a restart is not to see what was overtaken long ago.
    await host.leadership.confirm(apiLimits.statusConfirmMs);
    return streamEvents(context, host, access);
  });
}

/**
 * Ends when another host leads: whoever watches asks again then, and is shown what that one says. And when who belongs has changed, when the session
 * is over, and after a while: whoever asks again has to be somebody still.
 */
function streamEvents(context: Context<Env>, host: HostView, access: Access): Response {
  const watch = host.feed.watch();
  if (watch === undefined) {
    throw new ApiFailure("internal", "Too many programs watch this host; close one of its pages.", 503);
  }
  const caller = context.get("caller");
  const { epoch } = host.roster;
  const endMs = performance.now() + apiLimits.eventsMaxMs;
  const isOver = () =>
    watch.isClosed ||
    leadsElsewhere(host) ||
    host.roster.epoch !== epoch ||
    performance.now() > endMs ||
    !access.isStill(caller, context.env.incoming);
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => watch.close());
    try {
      while (!isOver()) {
        const status = await watch.next(apiLimits.heartbeatMs);
        if (isOver()) break;
        if (status === undefined) await stream.write(": quiet\n\n");
        else {
          const data = visibleText(caller.actor, status);
          await stream.writeSSE({ event: "status", data, retry: apiLimits.eventsRetryMs });
        }
      }
    } finally {
      watch.close();
    }
  });
}

/** The text is made once for all who may read everything. */
function visibleText(actor: Actor, status: string): string {
  return mayReadAll(actor) ? status : JSON.stringify(visibleStatus(actor, JSON.parse(status) as Status));
}

function leadsElsewhere({ leadership: { leader } }: HostView): boolean {
  return leader !== undefined && leader !== "here";
}
