/** The answer to a query as lines of a terminal. */
import type { QueryAnswer, QueryRow } from "../leader/api/types/queries.ts";
import { printable } from "./live-view/table.ts";
import type { Terminal } from "./terminal.ts";

export function queryLines(answer: QueryAnswer, terminal: Pick<Terminal, "style">): string[] {
  const { rows, boards, answered, silent, coveredMs } = answer;
  const width = Math.max(0, ...rows.map(({ group }) => group.length));
  const lines = rows.map((row) => printable(`${row.group.padEnd(width)}  ${valueText(row, answer)}`));
  const [least, most] = (coveredMs ?? [0, 0]).map(duration);
  const reach = least === most ? least : `${least} to ${most}`;
  const covered = answered === 0 ? "" : `, the last ${reach}`;
  const who = `${answered} of ${boards} ${boards === 1 ? "board" : "boards"} answered${covered}`;
  const missing = silent.length === 0 ? "." : `; not ${silent.join(", ")}.`;
  lines.push(terminal.style(silent.length === 0 ? "dim" : "yellow", printable(who + missing)));
  return lines;
}

function valueText({ value, error, samples }: QueryRow, { unit }: QueryAnswer): string {
  const count = `of ${samples} ${samples === 1 ? "sample" : "samples"}`;
  if (value === null) return `nothing ${count}`;
  const within = error === 0 ? "" : ` ± ${digits(error)}`;
  return `${digits(value)}${within}${unit === "" ? "" : ` ${unit}`} ${count}`;
}

function digits(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
