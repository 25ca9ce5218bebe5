/** What boards keep of each other's readings, as a person reads it. */
import type { KeepRestored, KeepStatus, KeptBoardStatus } from "../leader/api/types/keeping.ts";
import { columns } from "./columns.ts";

export const nothingKept =
  'No readings are kept on boards; swarm.ts says so with report({ batch: "1m", copies: 2 }) and place: { zone: "north", keeps: true }.';

export function keepLines({ boards, keepers, hosts, mending }: KeepStatus): string[] {
  if (boards.length === 0) {
    return [nothingKept];
  }
  const lines = columns([
    ["readings of", "copies", "blocks", "about", "keepers"],
    ...boards.map((board) => [
      `${board.board} (${board.metrics.join(", ")})`,
      `${board.whole} of ${board.copies}`,
      `${board.blocks}`,
      bytesText(board.bytes),
      keepersText(board),
    ]),
  ]);
  for (const { board, reason } of boards) if (reason !== undefined) lines.push(`${board}: ${reason}`);
  lines.push(
    "",
    ...columns([
      ["keeper", "zone", "link", "flash", "of"],
      ...keepers.map(({ board, zone, link, bytes, usedBytes, isFull, isDrained, of, refusal }) => [
        ...[board, zone, link],
        bytes === undefined
          ? (refusal ?? "not asked yet")
          : `${bytesText(usedBytes!)} of ${bytesText(bytes)}${isFull ? ", the oldest goes" : ""}`,
        `${of.join(", ") || "nobody"}${isDrained ? " (drained)" : ""}`,
      ]),
    ]),
  );
  for (const { host, waiting, short, lost } of hosts) {
    if (waiting > 0) lines.push(`${host} has ${waiting} blocks that are not on all their keepers yet.`);
    if (short > 0)
      lines.push(
        `${host} had no room for ${short} blocks more: they are on fewer keepers than they ought to be.`,
      );
    if (lost > 0)
      lines.push(
        `${host} had no room for ${lost} blocks that no board has; they are among its readings alone.`,
      );
  }
  if (mending.unreadable > 0)
    lines.push(`${mending.unreadable} blocks were damaged on every board that had them.`);
  return lines;
}

export function restoredText({ readings, blocks, series, missing, hosts, boards }: KeepRestored): string {
  const gaps = missing === 0 ? "" : `; ${missing} blocks are on boards that did not give them`;
  return `${blocks} blocks of ${series} series from ${boards.length} boards: ${readings} readings that were not here are on ${hosts.join(" and ")}${gaps}.`;
}

function keepersText({ keepers }: KeptBoardStatus): string {
  if (keepers.length === 0) return "none";
  return keepers
    .map(({ board, zone, state, isWhole, missing }) => {
      const lacks = missing === undefined || missing === 0 ? "" : `, lacks ${missing}`;
      return `${board} in ${zone} ${state === "away" ? `away${isWhole ? "" : ", behind"}` : state}${lacks}`;
    })
    .join("; ");
}

function bytesText(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  return bytes < 10_000_000 ? `${Math.round(bytes / 1_000)} KB` : `${Math.round(bytes / 1_000_000)} MB`;
}
