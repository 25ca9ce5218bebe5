/** `covey act`: has several boards do something together or not at all, and says what came of it on each. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type { ActionBegun, ActionOnBoard, ActionStatus } from "../../leader/api/types/actions.ts";
import { Failed, WrongInput } from "../failure.ts";
import { durationMs } from "../option-values.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface ActOptions extends SwarmOptions {
  readonly boards?: string;
  readonly timeout?: number;
  readonly at?: string;
  readonly list?: boolean;
}

/** What the exit code says of an action that was begun. */
export const actExitCodes = {
  acted: 0,
  aborted: 3,
  /** It was committed, and at least one board went to its safe values instead. */
  astray: 4,
  /** It was committed, and not all boards have told in time that they acted; or it is not known whether. */
  open: 5,
} as const;

export const actLimits = {
  /** For boards to tell after it was decided, or after the time of a timed action. */
  outcomeMs: 15_000,
  pollMs: 100,
} as const;

export const act: Verb<ActOptions> = {
  usage: "act [name]",
  summary: "have several boards do something together or not at all",
  details:
    "Each board checks whether it can and promises it in its flash; when all have, that is decided in the log and all act, whatever dies meanwhile. Exit code 0: all acted; 3: aborted, none acted; 4: committed, but a board went to its safe values instead; 5: committed, but not all have told yet.",
  examples: [
    "covey act open-valves",
    "covey act open-valves --boards north-1,north-2 --timeout 5s",
    "covey act open-valves --at 2027-06-01T06:00Z",
    "covey act --list",
  ],
  options: [
    new Option("--boards <names>", "which boards, such as north-1,north-2; those of swarm.ts if not said"),
    new Option("--timeout <duration>", "how long boards may take to promise; 5s if not said").argParser(
      durationMs,
    ),
    new Option("--at <time>", "when all are to act, such as 2027-06-01T06:00Z"),
    new Option("--list", "show the last actions and how each board stands"),
    ...swarmOptions(),
  ],
  async run(terminal, options, [name]) {
    const swarm = SwarmClient.find(options);
    if (options.list === true) return list(terminal, swarm);
    if (name === undefined)
      throw new WrongInput("Say which action, as in covey act open-valves; or see --list.");
    const request = {
      ...(options.boards === undefined
        ? {}
        : { boards: options.boards.split(",").map((board) => board.trim()) }),
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
      ...(options.at === undefined ? {} : { startMs: timeOf(options.at) }),
    };
    const begun = await swarm.post<ActionBegun>(`/api/actions/${encodeURIComponent(name)}`, request);
    terminal.line(`${begun.name} ${terminal.style("dim", begun.id)} on ${begun.boards.join(", ")}`);
    return watch(terminal, swarm, begun);
  },
};

async function list(terminal: Terminal, swarm: SwarmClient): Promise<number> {
  const actions = await swarm.get<ActionStatus[]>("/api/actions");
  for (const action of actions) {
    const { id, name, phase, isEnded, reason } = action;
    terminal.line(`${id}  ${name}  ${phase}${isEnded ? ", ended" : ""}${reason === "" ? "" : `: ${reason}`}`);
    for (const each of action.boards) terminal.line(`  ${boardLine(each)}`);
  }
  if (actions.length === 0) terminal.line("No action was begun yet.");
  terminal.result(actions);
  return 0;
}

/** Tells each board's news until all is known, or it takes too long. */
async function watch(terminal: Terminal, swarm: SwarmClient, begun: ActionBegun): Promise<number> {
  const untilMs = Math.max(begun.deadlineMs, begun.startMs ?? 0) + actLimits.outcomeMs;
  const told = new Map<string, string>();
  let action: ActionStatus | undefined;
  for (;;) {
    const found = (await latest(swarm, begun)) ?? action;
    if (found !== undefined) tellNews(terminal, told, found, action);
    action = found;
    if (action?.phase === "aborted" || action?.isEnded === true || Date.now() > untilMs) break;
    await sleep(actLimits.pollMs);
  }
  const { exitCode, text } = outcomeOf(action);
  terminal.line(text);
  terminal.result({ ...(action ?? begun), exitCode });
  return exitCode;
}

/** undefined while nobody can say: another host may be about to lead. */
async function latest(swarm: SwarmClient, { id }: ActionBegun): Promise<ActionStatus | undefined> {
  try {
    const actions = await swarm.get<ActionStatus[]>("/api/actions");
    return actions.find((action) => action.id === id);
  } catch (error) {
    if (error instanceof Failed && error.exitCode === 1) return undefined;
    throw error;
  }
}

function tellNews(
  terminal: Terminal,
  told: Map<string, string>,
  action: ActionStatus,
  before: ActionStatus | undefined,
): void {
  if (before !== undefined && before.phase !== action.phase) {
    terminal.line(`${action.phase}${action.reason === "" ? "" : `: ${action.reason}`}`);
  }
  for (const each of action.boards) {
    if (told.get(each.board) === each.stage || each.stage === "silent") continue;
    told.set(each.board, each.stage);
    terminal.line(`  ${boardLine(each)}`);
  }
}

const stageTexts: Readonly<Record<ActionOnBoard["stage"], string>> = {
  silent: "has not answered",
  no: "can't",
  yes: "has promised",
  armed: "will act at its time",
  acted: "acted",
  released: "did not act",
  heuristic: "went to its safe values before it heard the decision",
  settled: "went to its safe values on its own",
};

function boardLine({ board, stage, reason, wallMs, boundMs }: ActionOnBoard): string {
  const when =
    wallMs === undefined ? "" : ` at ${new Date(wallMs).toISOString()}, give or take ${boundMs} ms`;
  return `${board} ${stageTexts[stage]}${when}${reason === "" ? "" : `: ${reason}`}`;
}

function outcomeOf(action: ActionStatus | undefined): { readonly exitCode: number; readonly text: string } {
  if (action === undefined) {
    return { exitCode: actExitCodes.open, text: "No host could say what came of it; see covey act --list." };
  }
  const { phase, reason, boards, name } = action;
  if (phase === "aborted") {
    return { exitCode: actExitCodes.aborted, text: `${name} was aborted, and no board acted: ${reason}.` };
  }
  const astray = boards.filter(({ stage }) => stage === "settled" || stage === "heuristic");
  if (astray.length > 0) {
    const who = astray.map(({ board }) => board).join(", ");
    return {
      exitCode: actExitCodes.astray,
      text: `${name} was committed, but ${who} did not follow; look after it.`,
    };
  }
  const open = boards.filter(({ stage }) => stage !== "acted").map(({ board }) => board);
  if (phase === "begun" || (open.length > 0 && !action.isEnded)) {
    const text = `${name} is ${phase}; ${open.join(", ")} has not told of it yet. covey act --list shows when.`;
    return { exitCode: actExitCodes.open, text };
  }
  return { exitCode: actExitCodes.acted, text: `${name} was carried out by all ${boards.length} boards.` };
}

/** Unix milliseconds. */
function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new WrongInput(`${text} is no time; write it as 2027-06-01T06:00Z.`);
}
