/** Listings as somebody may see them who may not read everything: what is left is complete, and what is missing is not hinted at. */
import type { ActionStatus } from "../api/types/actions.ts";
import type { AlertStatus } from "../api/types/alerts.ts";
import type { LogEntry } from "../api/types/log.ts";
import type { RegistersStatus } from "../api/types/registers.ts";
import type { Releases } from "../api/types/releases.ts";
import type { Setting } from "../api/types/settings.ts";
import type { Status } from "../api/types/status.ts";
import { type Actor, mayRead, mayReadAll } from "./actor.ts";

export function visibleSettings(
  actor: Actor,
  settings: Readonly<Record<string, Setting>>,
): Record<string, Setting> {
  return readable(actor, settings);
}

export function visibleRegisters(actor: Actor, status: RegistersStatus): RegistersStatus {
  if (mayReadAll(actor)) return status;
  return { ...status, registers: readable(actor, status.registers) };
}

function readable<T>(actor: Actor, named: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(named).filter(([name]) => mayRead(actor, name)));
}

export function visibleAlerts(actor: Actor, alerts: readonly AlertStatus[]): AlertStatus[] {
  return alerts.filter(({ board }) => mayRead(actor, board));
}

export function visibleStatus(actor: Actor, status: Status): Status {
  if (mayReadAll(actor)) return status;
  return {
    ...status,
    boards: status.boards.filter(({ id }) => mayRead(actor, id)),
    settings: visibleSettings(actor, status.settings),
    ...(status.registers === undefined ? {} : { registers: readable(actor, status.registers) }),
    ...(status.alerts === undefined ? {} : { alerts: visibleAlerts(actor, status.alerts) }),
    // Sentences about whomever.
    violations: [],
  };
}

export function visibleReleases(actor: Actor, listing: Releases): Releases {
  if (mayReadAll(actor)) return listing;
  return {
    ...listing,
    releases: listing.releases.filter(({ board }) => board === undefined || mayRead(actor, board)),
    boards: listing.boards.filter(({ id }) => mayRead(actor, id)),
  };
}

/** An action is shown to whoever may read one of its boards, and of those boards alone. */
export function visibleActions(actor: Actor, actions: readonly ActionStatus[]): readonly ActionStatus[] {
  if (mayReadAll(actor)) return actions;
  return actions.flatMap((action) => {
    const boards = action.boards.filter(({ board }) => mayRead(actor, board));
    // The reason may name any board.
    return boards.length === 0 ? [] : { ...action, boards, reason: "" };
  });
}

/** Every entry is there, because the log has no gaps; of one that is not to be read, only that. */
export function visibleLog(actor: Actor, entries: readonly LogEntry[]): readonly LogEntry[] {
  return entries.map((entry) => (isVisible(actor, entry) ? entry : withoutText(entry)));
}

function isVisible(actor: Actor, { key, kind }: LogEntry): boolean {
  if (kind === "noop") return true;
  return key === undefined ? mayReadAll(actor) : mayRead(actor, key);
}

function withoutText({ index, term, kind, committed }: LogEntry): LogEntry {
  return { index, term, kind, text: "(not yours to read)", committed };
}
