/**
 * One picture of the swarm: lines that fit a terminal of the given size, from what is known at the moment.
 *
 * Everything about boards and the leader is what the leader's HTTP interface says; which engine a board runs on, and how often
 * its process had to be started, only the simulator knows. Pure: the same view and size give the same lines.
 */
import type { BoardStatus, HostStatus, Status } from "../../leader/api/types/status.ts";
import {
  formatClock,
  formatDuration,
  formatNumber,
  formatOutput,
  formatValue,
  kilobytes,
  updateText,
} from "./format.ts";
import type { SwarmEvent } from "./swarm-event.ts";
import { bar, type Cell, type Column, cell, fitted, line, type Paint, table } from "./table.ts";

export interface SwarmView {
  readonly swarm: string;
  /** How the boards run, for example `5 boards in XS, 32-bit`. */
  readonly engine: string;
  /** Address of the page. */
  readonly url: string;
  /** The leader's last word; undefined before its first. */
  readonly status: Status | undefined;
  /** Since when the leader has not answered, in Unix milliseconds; undefined while it answers. */
  readonly silentSinceMs: number | undefined;
  /** How often each board's process was started again; boards that never were may be missing. */
  readonly restarts: ReadonlyMap<string, number>;
  /** Oldest first. */
  readonly events: readonly SwarmEvent[];
  readonly nowMs: number;
  /** The last line: what the user can do now; undefined for nothing. */
  readonly hint: string | undefined;
}

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

const eventRowsWanted = 6;
/** Share of the arena from which a heap's peak deserves a look. */
const heapFullFrom = 0.75;
const boardColumns: readonly Column[] = Object.freeze([
  { title: "board", min: 5, max: 18 },
  { title: "role", min: 7, max: 7, dropBelow: 72 },
  { title: "link", min: 4, max: 4 },
  { title: "term", min: 4, max: 4, dropBelow: 64, align: "right" },
  { title: "applied", min: 7, max: 9, align: "right" },
  { title: "firmware", min: 8, max: 28, dropBelow: 100 },
  { title: "heap", min: 11, max: 22, dropBelow: 48, stretches: true },
  { title: "readings", min: 8, max: 80, yields: true },
  { title: "outputs", min: 7, max: 60, yields: true },
]);

/** At most `size.rows` lines, each at most `size.columns` wide, styled by `paint`. */
export function frame(view: SwarmView, size: FrameSize, paint: Paint): string[] {
  const head = headLines(view);
  const foot = view.hint === undefined ? [] : [cell(""), cell(view.hint, "dim")];
  // Header, footer and the table's two lines come first, then boards; events take what is left, three lines at least.
  const free = size.rows - head.length - foot.length - 2;
  const boards = view.status?.boards ?? [];
  const eventRows = Math.min(
    view.events.length,
    Math.max(3, Math.min(eventRowsWanted, free - boards.length - 1)),
  );
  const boardRows = Math.max(1, free - (eventRows > 0 ? eventRows + 1 : 0));
  const shown = boards.length <= boardRows ? boards : worstBoards(view, boardRows - 1);

  const lines = head.map((cells) => line([cells].flat(), size.columns, paint));
  lines.push("");
  lines.push(
    ...table(
      boardColumns,
      shown.map((board) => boardCells(view, board)),
      size.columns,
      paint,
    ),
  );
  const rest = boards.filter((board) => !shown.includes(board));
  if (rest.length > 0) lines.push(line([cell(restSummary(rest), "dim")], size.columns, paint));
  if (eventRows > 0) {
    lines.push("");
    for (const event of view.events.slice(-eventRows))
      lines.push(line(eventCells(event), size.columns, paint));
  }
  for (const cells of foot) lines.push(line([cells], size.columns, paint));
  return lines.slice(0, size.rows);
}

function headLines(view: SwarmView): (Cell | Cell[])[] {
  const title = [cell(view.swarm, "bold"), cell(view.engine), cell(view.url, "cyan")];
  if (view.silentSinceMs !== undefined) {
    const away = formatDuration(view.nowMs - view.silentSinceMs);
    return [title, cell(`No host has answered for ${away}; the boards keep sensing and acting.`, "yellow")];
  }
  if (view.status === undefined) return [title, cell("The hosts are starting.", "yellow")];
  const { leader, hosts, counters, isConfirmed } = view.status;
  const state = [
    ...(hosts.length === 1
      ? [cell(`${leader.id}: ${leader.role}`, roleStyle(leader.role))]
      : hosts.map(hostCell)),
    cell(`term ${leader.term}`),
    cell(`commit ${leader.commitIndex}`),
    cell(`up ${formatDuration(leader.uptimeMs)}`),
    cell(`pid ${leader.pid}`, "dim"),
    cell(`${formatNumber(counters.readingsStored)} readings`, "dim"),
  ];
  const wrong = view.status.violations.length;
  if (leader.role !== "leader") state.unshift(cell("no leader", "yellow"));
  else if (!isConfirmed) state.unshift(cell("not confirmed by a majority", "yellow"));
  if (wrong > 0) state.unshift(cell(`${wrong} broken ${wrong === 1 ? "promise" : "promises"}`, "red"));
  return [title, state];
}

/** `a leads`, `b follows`, `c down`. */
function hostCell({ name, role, link, isVoter }: HostStatus): Cell {
  if (link === "down") return cell(`${name} down`, "red");
  const learns = isVoter ? "" : " (learner)";
  if (role === "leader") return cell(`${name} leads`, "green");
  return cell(`${name} ${role === "follower" ? "follows" : role}${learns}`, roleStyle(role));
}

function roleStyle(role: HostStatus["role"]): Cell["style"] {
  return role === "leader" ? "green" : role === "follower" ? undefined : "yellow";
}

function boardCells(view: SwarmView, board: BoardStatus): Cell[] {
  const commitIndex = view.status!.leader.commitIndex;
  const restarts = view.restarts.get(board.id) ?? 0;
  const behind = board.appliedIndex < commitIndex;
  return [
    cell(restarts === 0 ? board.id : `${board.id} ↻${restarts}`, "bold"),
    cell(board.role, board.role === "unknown" ? "dim" : undefined),
    cell(board.link, board.link === "up" ? "green" : "red"),
    cell(String(board.term)),
    cell(
      behind ? `${board.appliedIndex}/${commitIndex}` : String(board.appliedIndex),
      behind ? "yellow" : undefined,
    ),
    firmwareCell(board),
    { text: "", style: heapStyle(board), render: (width) => heapBar(board, width) },
    cell(readingsText(board)),
    cell(outputsText(board), board.outputs.some(({ cause }) => cause === "rule") ? "magenta" : undefined),
  ];
}

/** `0.2.0`, and while another one is on its way, how far: `0.1.0 fetching 40 %`. */
function firmwareCell({ firmware }: BoardStatus): Cell {
  if (firmware === undefined) return cell("");
  const told = updateText(firmware);
  const isWrong = firmware.update?.stage === "rolled-back" || firmware.update?.stage === "refused";
  const text = told === "" ? firmware.version : `${firmware.version} ${told}`;
  return cell(text, told === "" ? undefined : isWrong ? "red" : "yellow");
}

function readingsText(board: BoardStatus): string {
  return board.readings
    .map(({ metric, value, unit, quality }) => {
      const word = qualityWords[quality] ?? "";
      return `${metric} ${formatValue(value, unit)}${word === "" ? "" : ` (${word})`}`;
    })
    .join("  ");
}

/** By a reading's quality; of none its value says it. */
const qualityWords: readonly string[] = ["", "", "out of range", "stuck", "late"];

/** `fan 80 % rule`; a setting is the usual case and goes without saying. */
function outputsText(board: BoardStatus): string {
  return board.outputs
    .map((output) => `${formatOutput(output)}${output.cause === "setting" ? "" : ` ${output.cause}`}`)
    .join("  ");
}

/** `██████▍     41/92K`: in use now; the peak decides the colour. */
function heapBar(board: BoardStatus, width: number): string {
  if (board.arenaBytes === 0) return "";
  const figures = ` ${Math.round(board.heapUsedBytes / 1024)}/${Math.round(board.arenaBytes / 1024)}K`;
  return bar(board.heapUsedBytes / board.arenaBytes, width - figures.length) + figures;
}

function heapStyle(board: BoardStatus): Cell["style"] {
  if (heapPeak(board) > 0.9) return "red";
  return heapPeak(board) > heapFullFrom ? "yellow" : undefined;
}

/** Share of the arena. */
function heapPeak({ arenaBytes, heapPeakBytes }: BoardStatus): number {
  return arenaBytes === 0 ? 0 : heapPeakBytes / arenaBytes;
}

/**
 * Those a person should look at first: without a link, then furthest behind, then restarted or with a heap nearly full; where
 * all is well, the first. In the order of the swarm, so that rows stay in their places.
 */
function worstBoards(view: SwarmView, count: number): BoardStatus[] {
  const boards = view.status!.boards;
  const badness = (board: BoardStatus) =>
    (board.link === "up" ? 0 : 1e12) +
    (view.status!.leader.commitIndex - board.appliedIndex) * 1e6 +
    Math.max(0, heapPeak(board) - heapFullFrom) +
    (view.restarts.get(board.id) ?? 0);
  const worst = new Set([...boards].sort((a, b) => badness(b) - badness(a)).slice(0, Math.max(0, count)));
  return boards.filter((board) => worst.has(board));
}

function restSummary(rest: readonly BoardStatus[]): string {
  const up = rest.filter(({ link }) => link === "up").length;
  const applied = rest.map(({ appliedIndex }) => appliedIndex);
  const [low, high] = [Math.min(...applied), Math.max(...applied)];
  const peak = Math.max(...rest.map(({ heapPeakBytes }) => heapPeakBytes));
  const range = low === high ? String(low) : `${low} to ${high}`;
  return `and ${rest.length} more: ${up} up, applied ${range}, heap peak at most ${kilobytes(peak)} KiB`;
}

function eventCells(event: SwarmEvent): Cell[] {
  const style = event.level === "error" ? "red" : event.level === "warn" ? "yellow" : undefined;
  return [
    cell(formatClock(event.atMs), "dim"),
    cell(fitted(event.source, 12), "bold"),
    cell(event.text, style),
  ];
}
