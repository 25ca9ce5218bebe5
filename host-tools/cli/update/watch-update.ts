/** Shows how boards come to run their releases, until all do, or have said why not, or the time is over. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Releases } from "../../leader/api/types/releases.ts";
import { Failed } from "../failure.ts";
import { ProgressLines } from "../progress-lines.ts";
import type { SwarmClient } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import { type BoardProgress, progressOf, progressText } from "./board-progress.ts";

export interface WatchedBoard {
  readonly id: string;
  /** Of the release that it is to run. */
  readonly sequence: number;
}

export interface BoardOutcome extends BoardProgress {
  readonly id: string;
  /** Of the firmware that it says it runs. */
  readonly version: string | undefined;
}

const pollEveryMs = 500;

/** @throws {Failed} when the time is over */
export async function watchUpdate(
  terminal: Terminal,
  swarm: SwarmClient,
  watched: readonly WatchedBoard[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<BoardOutcome[]> {
  const lines = new ProgressLines(
    terminal,
    watched.map(({ id }) => id),
  );
  const seen = new Set<string>();
  const deadlineMs = performance.now() + timeoutMs;
  try {
    for (;;) {
      const outcomes = await look(swarm, watched, seen);
      for (const { id, step, note, done } of outcomes) lines.show(id, step, note, done);
      const open = outcomes.filter(({ outcome }) => outcome === "pending");
      if (open.length === 0 || signal.aborted) return outcomes;
      if (performance.now() > deadlineMs) throw tooLate(open, timeoutMs);
      await sleep(pollEveryMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    lines.end();
  }
}

async function look(
  swarm: SwarmClient,
  watched: readonly WatchedBoard[],
  seen: Set<string>,
): Promise<BoardOutcome[]> {
  const { boards } = await swarm.get<Releases>("/api/releases");
  const outcomes: BoardOutcome[] = [];
  for (const { id, sequence } of watched) {
    const board = boards.find((each) => each.id === id);
    if (board === undefined) continue;
    if (board.link === "up") seen.add(id);
    outcomes.push({ id, version: board.firmware?.version, ...progressOf(board, sequence, seen.has(id)) });
  }
  return outcomes;
}

function tooLate(open: readonly BoardOutcome[], timeoutMs: number): Failed {
  const shown = open.slice(0, 5).map((outcome) => `${outcome.id} (${progressText(outcome)})`);
  const more = open.length > 5 ? ` and ${open.length - 5} more` : "";
  return new Failed(
    `After ${Math.round(timeoutMs / 1000)} s not done: ${shown.join(", ")}${more}. The boards go on without this command; covey update --status shows how far they are, and covey monitor what one says at its cable.`,
    "timeout",
  );
}
