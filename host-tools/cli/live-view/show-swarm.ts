/** Watches a simulated swarm until it is interrupted or its time is over, and says how it went. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Status } from "../../leader/api/types/status.ts";
import type { Simulation } from "../../simulator/simulation.ts";
import { Failed } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { describeOutcome, hasSettled, isSuccess, simulationOutcome } from "./outcome.ts";
import { LivePicture, PlainLines, type Presenter } from "./presenter.ts";
import { statusChanges } from "./status-changes.ts";
import { StatusWatch } from "./status-watch.ts";
import type { SwarmEvents } from "./swarm-event.ts";

export interface Show {
  readonly terminal: Terminal;
  readonly simulation: Simulation;
  readonly swarm: string;
  readonly events: SwarmEvents;
  /** Ends the show. */
  readonly signal: AbortSignal;
  /** Lines even where a live picture could be shown. */
  readonly plain: boolean;
  /** How long to run; undefined until interrupted. */
  readonly forMs: number | undefined;
  /** When the swarm was started, on the clock of `performance.now()`. */
  readonly startedMs: number;
}

/** Boards get this long to apply what is committed when the time is over. */
const graceMs = 5000;
const settlePollMs = 100;

/** The exit code: 0 when all went well, and always for a person who just ended it. */
export async function showSwarm(show: Show): Promise<number> {
  const { terminal, simulation, events, signal, forMs } = show;
  const presenter: Presenter =
    terminal.interactive && !show.plain ? new LivePicture() : new PlainLines(terminal);
  const watch = follow(show, presenter);
  try {
    events.listen((event) => presenter.event(event));
    if (presenter instanceof PlainLines)
      terminal.line(`${show.swarm}: ${engineText(simulation)}, ${simulation.urls.join(" ")}`);
    watch.start();
    if (forMs === undefined) await untilAborted(signal);
    else await sleep(forMs, undefined, { signal }).catch(() => {});
    if (forMs === undefined && !terminal.json) return 0;
    const status = await lastStatus(watch, simulation, signal);
    watch.stop();
    presenter.close();
    const outcome = simulationOutcome(status, simulation.boards, simulation.violations);
    for (const line of describeOutcome(outcome)) terminal.line(line);
    terminal.result(outcome);
    return isSuccess(outcome) ? 0 : 1;
  } finally {
    watch.stop();
    presenter.close();
  }
}

/** Turns each status into events and a picture. */
function follow({ simulation, swarm, events, startedMs }: Show, presenter: Presenter): StatusWatch {
  let before: Status | undefined;
  let allJoined = false;
  const watch = new StatusWatch(simulation.urls, (status) => {
    if (status !== undefined) {
      for (const { level, source, text } of statusChanges(before, status)) events.add(level, source, text);
      before = status;
      const boards = simulation.boards.length;
      if (!allJoined && status.boards.filter(({ link }) => link === "up").length === boards) {
        allJoined = true;
        const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
        events.add("info", "swarm", `all ${boards} boards have joined, ${seconds} s after the start`);
      }
    }
    presenter.show({
      swarm,
      engine: engineText(simulation),
      url: watch.url,
      status: watch.status,
      silentSinceMs: watch.silentSinceMs,
      restarts: new Map(simulation.boards.map(({ id, restarts }) => [id, restarts])),
      nowMs: Date.now(),
      hint: "Ctrl-C stops the swarm; the next start continues from here.",
    });
  });
  return watch;
}

function engineText({ boards, engine }: Simulation): string {
  return `${boards.length} ${boards.length === 1 ? "board" : "boards"} in ${engine.description}`;
}

/** The status once every board has caught up, or when the grace is over. @throws {Failed} when there is no host to ask */
async function lastStatus(watch: StatusWatch, simulation: Simulation, signal: AbortSignal): Promise<Status> {
  const deadlineMs = performance.now() + (signal.aborted ? 0 : graceMs);
  for (;;) {
    const status = await watch.poll();
    const settled = status !== undefined && hasSettled(status, simulation.boards.length);
    if (settled || performance.now() >= deadlineMs) {
      const last = status ?? watch.status;
      if (last === undefined) throw new Failed("No host ever answered; run covey sim --plain to see why.");
      return last;
    }
    await sleep(settlePollMs);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
