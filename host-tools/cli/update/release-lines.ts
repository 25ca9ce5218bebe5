/** Releases and what each board runs, as `covey update --status` shows them. */
import type { BoardUpdate, ReleaseStatus, Releases } from "../../leader/api/types/releases.ts";
import { cell, type Paint, table } from "../live-view/table.ts";
import type { Terminal } from "../terminal.ts";
import { type Outcome, progressOf, progressText } from "./board-progress.ts";

export function releaseLines({ releases, boards }: Releases, terminal: Terminal): string[] {
  const paint: Paint = (style, text) => terminal.style(style, text);
  const column = (title: string, yields = false) => ({
    title,
    min: 4,
    max: 80,
    ...(yields ? { yields } : {}),
  });
  const columns = [
    column("board"),
    column("kind"),
    column("runs"),
    column("is to run"),
    column("update", true),
  ];
  const rows = boards.map((board) => {
    const { step, style } = shownOf(board);
    return [
      cell(board.id, "bold"),
      cell(board.model),
      cell(runsText(board)),
      cell(targetText(board, releases)),
      cell(step, style),
    ];
  });
  // In a pipe or a file nothing needs to be cut.
  const columnsWide = terminal.interactive ? terminal.columns : 240;
  const lines = table(columns, rows, columnsWide, paint).map((line) => line.trimEnd());
  const told = releases.map((release) => terminal.style("dim", releaseText(release)));
  return [...lines, ...(told.length > 0 ? ["", ...told] : [])];
}

function shownOf(board: BoardUpdate): { step: string; style: "green" | "red" | "yellow" | undefined } {
  if (board.target === 0) return { step: "", style: undefined };
  const progress = progressOf(board, board.target, false);
  return { step: progressText(progress), style: styles[progress.outcome] };
}

const styles: Readonly<Record<Outcome, "green" | "red" | "yellow" | undefined>> = {
  ...{ runs: "green", "rolled-back": "red", refused: "red" },
  ...{ overtaken: "red", away: "yellow", pending: "yellow" },
};

function runsText({ firmware }: BoardUpdate): string {
  if (firmware === undefined) return "?";
  const sequence = firmware.update?.sequence ?? 0;
  return sequence === 0 ? firmware.version : `${firmware.version} (release ${sequence})`;
}

function targetText({ target }: BoardUpdate, releases: readonly ReleaseStatus[]): string {
  const release = releases.find(({ sequence }) => sequence === target);
  return release === undefined ? "-" : `${release.firmware} (release ${target})`;
}

function releaseText({ sequence, firmware, model, board, sizeBytes, hosts }: ReleaseStatus): string {
  const whose = board === undefined ? `all of the kind ${model}` : `${board} alone`;
  const held = hosts.length === 0 ? "no host has the image" : `image at ${hosts.join(", ")}`;
  return `release ${sequence}: ${firmware} for ${whose}, ${sizeBytes.toLocaleString("en-US")} bytes, ${held}`;
}
