/** Shows how boards move, until each has, or went back, or is not there, or the time is over. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ContactStatus } from "../../leader/api/types/contact.ts";
import type { Status } from "../../leader/api/types/status.ts";
import { Failed } from "../failure.ts";
import { ProgressLines } from "../progress-lines.ts";
import type { SwarmClient } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import { type BoardMove, MoveWatch, moveText } from "./board-move.ts";

const pollEveryMs = 500;

/** @throws {Failed} when the time is over */
export async function watchMove(
  terminal: Terminal,
  swarm: SwarmClient,
  agreed: ContactStatus,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<BoardMove[]> {
  const watches = new Map<string, MoveWatch>();
  const first = await swarm.get<Status>("/api/status");
  const lines = new ProgressLines(
    terminal,
    first.boards.map(({ id }) => id),
  );
  const deadlineMs = performance.now() + timeoutMs;
  try {
    for (;;) {
      const { boards } = await swarm.get<Status>("/api/status");
      const nowMs = performance.now();
      const moves = boards.map((board) => {
        const watch = watches.get(board.id) ?? new MoveWatch();
        watches.set(board.id, watch);
        return watch.look(board, agreed, nowMs);
      });
      for (const { id, step, note } of moves) lines.show(id, step, note, undefined);
      const open = moves.filter(({ outcome }) => outcome === "pending");
      if (open.length === 0 || signal.aborted) return moves;
      if (nowMs > deadlineMs) throw tooLate(open, timeoutMs);
      await sleep(pollEveryMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    lines.end();
  }
}

function tooLate(open: readonly BoardMove[], timeoutMs: number): Failed {
  const shown = open.slice(0, 5).map((move) => `${move.id} (${moveText(move)})`);
  const more = open.length > 5 ? ` and ${open.length - 5} more` : "";
  return new Failed(
    `After ${Math.round(timeoutMs / 1000)} s not done: ${shown.join(", ")}${more}. The boards go on without this command; covey move --status shows how far they are.`,
    "timeout",
  );
}
