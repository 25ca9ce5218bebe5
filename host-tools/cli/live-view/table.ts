/** Cells, lines and tables that fit a width. Widths are counted in code points: what Covey shows has no wide characters. */
import type { Style } from "../terminal.ts";

export interface Cell {
  readonly text: string;
  readonly style: Style | undefined;
  /** For a cell that draws itself to the width it gets. */
  readonly render?: (width: number) => string;
}

export interface Column {
  readonly title: string;
  readonly min: number;
  readonly max: number;
  /** Gives way first where the terminal is too narrow for all. */
  readonly yields?: boolean;
  /** Takes what is left over, up to its maximum. */
  readonly stretches?: boolean;
  /** Left out where the terminal is narrower than this. */
  readonly dropBelow?: number;
  readonly align?: "left" | "right";
}

export type Paint = (style: Style, text: string) => string;

/** Narrow terminals need the room. */
const gapOf = (width: number): string => (width < 100 ? " " : "  ");

export function cell(text: string, style?: Style): Cell {
  return { text, style };
}

/** `text` in exactly `width` columns; an ellipsis marks what was cut. */
export function fitted(text: string, width: number, align: "left" | "right" = "left"): string {
  const points = [...printable(text)];
  if (points.length > width) return width < 1 ? "" : `${points.slice(0, width - 1).join("")}…`;
  const space = " ".repeat(width - points.length);
  return align === "left" ? points.join("") + space : space + points.join("");
}

/** Cells side by side in at most `width` columns. */
export function line(cells: readonly Cell[], width: number, paint: Paint): string {
  let left = width;
  const gap = "  ";
  const parts: string[] = [];
  for (const { text, style } of cells) {
    const room = left - (parts.length === 0 ? 0 : gap.length);
    if (room <= 0) break;
    const length = [...printable(text)].length;
    const shown = fitted(text, Math.min(room, length));
    parts.push(style === undefined ? shown : paint(style, shown));
    left = room - Math.min(room, length);
  }
  return parts.join(gap);
}

/** A heading and a line for each row. Columns take what their contents need within their limits, then share the rest. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  paint: Paint,
): string[] {
  const kept = columns.map((_, i) => i).filter((i) => width >= (columns[i]!.dropBelow ?? 0));
  const widths = columnWidths(columns, rows, kept, width);
  const heading = kept.map((i, n) => paint("dim", fitted(columns[i]!.title, widths[n]!, columns[i]!.align)));
  const gap = gapOf(width);
  const lines = [heading.join(gap)];
  for (const row of rows) {
    const cells = kept.map((i, n) => {
      const { text, style, render } = row[i]!;
      const shown = fitted(render?.(widths[n]!) ?? text, widths[n]!, columns[i]!.align);
      return style === undefined ? shown : paint(style, shown);
    });
    lines.push(cells.join(gap));
  }
  return lines;
}

/** `fraction` of `width` columns filled, to an eighth of a column. */
export function bar(fraction: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * width * 8);
  const full = "█".repeat(eighths >> 3);
  const part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths & 7]!;
  return (full + part).padEnd(width, "░");
}

function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  kept: readonly number[],
  width: number,
): number[] {
  const wanted = kept.map((i) => {
    const { title, min, max } = columns[i]!;
    const longest = Math.max(title.length, ...rows.map((row) => [...row[i]!.text].length));
    return Math.min(max, Math.max(min, longest));
  });
  const gaps = gapOf(width).length * Math.max(0, kept.length - 1);
  const widths = [...wanted];
  let excess = widths.reduce((sum, each) => sum + each, gaps) - width;
  while (excess > 0) {
    const givers = kept
      .map((i, n) => ({ n, yields: columns[i]!.yields === true, spare: widths[n]! - columns[i]!.min }))
      .filter(({ spare }) => spare > 0)
      .sort((a, b) => Number(b.yields) - Number(a.yields) || b.spare - a.spare);
    const giver = givers[0]?.n ?? widths.findLastIndex((each) => each > 0);
    if (giver < 0) break;
    widths[giver]!--;
    excess--;
  }
  for (const [n, i] of kept.entries()) {
    if (columns[i]!.stretches !== true || excess >= 0) continue;
    const more = Math.min(-excess, columns[i]!.max - widths[n]!);
    widths[n]! += more;
    excess += more;
  }
  return widths;
}

/** Text from outside (a board's log line) must not steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}
