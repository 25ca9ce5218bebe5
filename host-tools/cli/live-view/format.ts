/** How values are written for people, the same in the live view and in plain lines. */

import type { BoardFirmware, BoardStatus, OutputStatus } from "../../leader/api/types/status.ts";

/** `25.3 °C`, `40 %`, `41.6 kB/s`, `true`; a dash for what has no value. */
export function formatValue(value: number | string | boolean | null, unit = ""): string {
  if (value === null) return "-";
  if (typeof value !== "number") return String(value);
  if (unit.startsWith("B") && Math.abs(value) >= 1e6) return `${formatNumber(value / 1e6)} M${unit}`;
  if (unit.startsWith("B") && Math.abs(value) >= 1e4) return `${formatNumber(value / 1e3)} k${unit}`;
  return unit === "" ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** Three or four figures that matter: 0.123, 25.37, 981.2, 41600. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (size >= 1e4) return trim(value, 0);
  if (size >= 100) return trim(value, 1);
  return trim(value, size >= 1 ? 2 : 3);
}

/** `fan 80 %`, `lamp on`. */
export function formatOutput({ name, kind, value }: OutputStatus): string {
  if (kind === "digital") return `${name} ${value === 0 ? "off" : "on"}`;
  return `${name} ${formatValue(value, "%")}`;
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

/** `voter, term 2, applied 9, heap 41.3 of 92 KiB`. */
export function boardSummary(board: BoardStatus): string {
  const place = `${board.role}, term ${board.term}, applied ${board.appliedIndex}`;
  // Its first report says how large its memory is.
  if (board.arenaBytes === 0) return place;
  return `${place}, heap ${kilobytes(board.heapUsedBytes)} of ${kilobytes(board.arenaBytes)} KiB`;
}

/** `fetching 40 %`, `on trial`, `rolled back`; empty for a board that runs what it is to run. */
export function updateText({ update }: BoardFirmware): string {
  if (update === undefined || update.stage === "steady") return "";
  const { stage, percent } = update;
  if (stage === "fetching") return `fetching ${percent} %`;
  return { trial: "on trial", "rolled-back": "rolled back", ready: "ready", refused: "refused" }[stage];
}

export function kilobytes(bytes: number): string {
  return trim(bytes / 1024, 1);
}

function trim(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)));
}
