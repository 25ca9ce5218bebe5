/** How values are written for people, the same in the live view and in plain lines. */

import type { OutputState } from "../../../protocols/messages/board-messages.ts";
import type { BoardStatus } from "../../leader/api-types.ts";

/** `25.3 °C`, `40 %`, `true`; a dash for what has no value. */
export function formatValue(value: number | string | boolean | null, unit = ""): string {
  if (value === null) return "-";
  const text = typeof value === "number" ? formatNumber(value) : String(value);
  return unit === "" ? text : `${text} ${unit}`;
}

/** Four figures that matter: 1.234, 25.37, 981.2, 12.35k, 4.2M. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (size >= 1e7) return `${trim(value / 1e6, 1)}M`;
  if (size >= 1e4) return `${trim(value / 1e3, 1)}k`;
  if (size >= 100) return trim(value, 1);
  return trim(value, size >= 1 ? 2 : 3);
}

/** `fan 80 rule`: what it is driven to, and what decides so. */
export function formatOutput(output: OutputState): string {
  return `${output.name} ${formatNumber(output.value)} (${output.cause})`;
}

/** `0:42`, `13:05`, `2:00:07`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3600);
  const [minutes, rest] = parts as [number, number];
  const tail = String(rest).padStart(2, "0");
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, "0")}:${tail}`;
}

/** `14:03:59`, local time. */
export function formatClock(atMs: number): string {
  const at = new Date(atMs);
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

/** `voter, term 2, applied 9, heap 41.3 of 92 KB`. */
export function boardSummary(board: BoardStatus): string {
  const heap = `heap ${kilobytes(board.heapUsedBytes)} of ${kilobytes(board.arenaBytes)} KB`;
  return `${board.role}, term ${board.term}, applied ${board.appliedIndex}, ${heap}`;
}

export function kilobytes(bytes: number): string {
  return trim(bytes / 1024, 1);
}

function trim(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)));
}
