/**
 * What is agreed on, and the log that says so. Setting a value is `api/set-handler.ts`.
 *
 * ```
 * GET    /api/settings
 * GET    /api/settings/KEY
 * GET    /api/log            ?from=INDEX&limit=N
 * ```
 */
import type { Context } from "hono";
import { toRead, toReadSome } from "../access/rights.ts";
import { visibleLog, visibleSettings } from "../access/visible.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { HostView } from "../api/host-view.ts";
import { actorOf, answer, apiLimits, type Env, type Routes } from "../api/routes.ts";
import type { LogEntry } from "../api/types/log.ts";
import type { Setting } from "../api/types/settings.ts";
import { commandIdToText } from "../raft/command-id.ts";
import { parseCount } from "../telemetry/reading-export.ts";
import { notLeadingMessage } from "./commands.ts";
import { describeEntry } from "./entries.ts";

export function addSettings({ api, needs, onLeader }: Routes, host: HostView): void {
  const keyOf = (context: Context) => context.req.param("key")!;
  const mayRead = needs((context) => toRead(keyOf(context)));
  api.get("/api/settings", needs(toReadSome), onLeader, async (context) =>
    answerSettings(context, host, (all) => all),
  );
  api.get("/api/settings/:key", mayRead, onLeader, async (context) => {
    host.registers.demandNone(keyOf(context));
    return answerSettings(context, host, (all) => settingOf(all, keyOf(context)));
  });
}

export function addLog({ api, needs, onLeader }: Routes, { replica }: HostView): void {
  api.get("/api/log", needs(toReadSome), onLeader, (context) => {
    const { from, limit } = context.req.query();
    const first = parseCount("from", from, Number.MAX_SAFE_INTEGER);
    const count = parseCount("limit", limit, apiLimits.logEntriesMax) ?? apiLimits.logEntriesDefault;
    return answer(context, visibleLog(actorOf(context), entriesOf(replica, first, count)));
  });
}

async function answerSettings<T extends object>(
  context: Context<Env>,
  { leadership, replica, settings }: HostView,
  choose: (settings: Record<string, Setting>) => T,
): Promise<Response> {
  if (!(await leadership.confirm(apiLimits.settingConfirmMs))) {
    throw new ApiFailure("not-leader", notLeadingMessage);
  }
  context.header("idempotency-key", commandIdToText(replica.newCommandId()));
  return answer(context, choose(visibleSettings(actorOf(context), settings.all())));
}

function settingOf(settings: Record<string, Setting>, key: string): Setting {
  if (Object.hasOwn(settings, key)) return settings[key]!;
  const known = Object.keys(settings).join(", ") || "none";
  throw new ApiFailure("not-found", `There is no setting ${key}; this swarm has ${known}.`);
}

/** Consecutive ones; `from` undefined for the newest. */
function entriesOf(replica: HostView["replica"], from: number | undefined, limit: number): LogEntry[] {
  const { firstIndex, lastIndex, commitIndex } = replica.status();
  const first = Math.max(firstIndex, from ?? lastIndex - limit + 1);
  const entries = first > lastIndex ? [] : replica.entries(first, limit);
  return entries.map((entry) => describeEntry(entry, commitIndex));
}
