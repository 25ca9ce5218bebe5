/** A leader's status as a table, in the look of the live view of `covey sim`. */
import type { Status } from "../leader/api/types/status.ts";
import { firingLine } from "./alert-lines.ts";
import { frame } from "./live-view/frame.ts";
import { printable } from "./live-view/table.ts";
import type { Terminal } from "./terminal.ts";

export function statusLines(status: Status, url: string, terminal: Terminal): string[] {
  const count = `${status.boards.length} ${status.boards.length === 1 ? "board" : "boards"}`;
  const view = {
    swarm: status.swarm,
    engine: count,
    url,
    status,
    silentSinceMs: undefined,
    restarts: new Map<string, number>(),
    events: [],
    nowMs: Date.now(),
    hint: undefined,
  };
  // In a pipe or a file nothing needs to be cut.
  const columns = terminal.interactive ? terminal.columns : 240;
  const size = { columns, rows: Number.MAX_SAFE_INTEGER };
  const lines = frame(view, size, (style, text) => terminal.style(style, text));
  const elsewhere = elsewhereLine(status);
  const alerts = (status.alerts ?? []).map((alert) => firingLine(alert, terminal));
  return [
    ...lines,
    ...alerts,
    ...(elsewhere === undefined ? [] : [terminal.style("yellow", elsewhere)]),
    ...status.violations.map((violation) => terminal.style("red", printable(violation))),
  ];
}

/** Boards that are not where the swarm agreed that they are to be. */
function elsewhereLine({ contact, boards }: Status): string | undefined {
  const elsewhere = boards.filter(
    (board) => board.contact !== undefined && board.contact < (contact?.number ?? 0),
  );
  if (elsewhere.length === 0) return undefined;
  const names = elsewhere.slice(0, 5).map(({ id }) => id);
  const more = elsewhere.length > 5 ? ` and ${elsewhere.length - 5} more` : "";
  const verb = elsewhere.length === 1 ? "has" : "have";
  return `${names.join(", ")}${more} ${verb} not moved to contact ${contact!.number}: covey move --status.`;
}
