/** `covey act`: has several boards do something together or not at all, says what came of it on each, and gives up those that are lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type { ActionBegun, ActionOnBoard, ActionStatus } from "../../leader/api/types/actions.ts";
import { confirmed } from "../confirmation.ts";
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
  readonly forget?: string;
  readonly acceptLoss?: boolean;
  readonly yes?: boolean;
}

/** What the exit code says of an action that was begun. */
export const actExitCodes = {
  acted: 0,
  aborted: 3,
  /** It was committed, and at least one board went to its safe values instead, or was given up. */
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
    "Each board checks whether it can and promises it in its flash; when all have, that is decided in the log and all act, whatever dies meanwhile. Exit code 0: all acted; 3: aborted, none acted; 4: committed, but a board went to its safe values instead, or was given up; 5: committed, but not all have told yet. A committed action waits for each of its boards; --forget gives those up that are lost for good.",
  examples: [
    "covey act open-valves",
    "covey act open-valves --boards north-1,north-2 --timeout 5s",
    "covey act open-valves --at 2027-06-01T06:00Z",
    "covey act --list",
    "covey act --forget 1f3a5c7e --boards north-2 --accept-loss",
  ],
  options: [
    new Option("--boards <names>", "which boards, such as north-1,north-2; those of swarm.ts if not said"),
    new Option("--timeout <duration>", "how long boards may take to promise; 5s if not said").argParser(
      durationMs,
    ),
    new Option("--at <time>", "when all are to act, such as 2027-06-01T06:00Z"),
    new Option("--list", "show the last actions and how each board stands"),
    new Option("--forget <action>", "end a committed action without --boards: its id, or its name"),
    new Option("--accept-loss", "of --forget: these boards are lost, and nobody will know what they did"),
    new Option("-y, --yes", "forget without asking"),
    ...swarmOptions(),
  ],
  async run(terminal, options, [name]) {
    const swarm = SwarmClient.find(options);
    if (options.list === true) return list(terminal, swarm);
    if (options.forget !== undefined) return forget(terminal, swarm, options.forget, options);
    if (name === undefined)
      throw new WrongInput("Say which action, as in covey act open-valves; or see --list.");
    const request = {
      ...(options.boards === undefined ? {} : { boards: namesIn(options.boards) }),
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
  for (const action of actions) tellWhole(terminal, action);
  if (actions.length === 0) terminal.line("No action was begun yet.");
  terminal.result(actions);
  return 0;
}

async function forget(
  terminal: Terminal,
  swarm: SwarmClient,
  wanted: string,
  options: ActOptions,
): Promise<number> {
  if (options.boards === undefined) {
    throw new WrongInput(`Say which boards are lost: covey act --forget ${wanted} --boards north-2.`);
  }
  const boards = namesIn(options.boards);
  const who = boards.join(", ");
  if (options.acceptLoss !== true) {
    throw new WrongInput(
      `Nobody would know any more whether ${who} acted, and others may have its outputs; if it is lost for good, add --accept-loss.`,
    );
  }
  const { id, name } = openAction(await swarm.get<ActionStatus[]>("/api/actions"), wanted);
  terminal.note(
    `Given up is what ${who} did about ${name} (${id}). Should a board come back, it does not act on it any more, and tells what it had done.`,
  );
  await demandYes(terminal, options, `End ${name} without ${who}?`);
  const body = { id, boards, acceptLoss: true };
  const action = await swarm.post<ActionStatus>(`/api/actions/${encodeURIComponent(name)}/forget`, body);
  tellWhole(terminal, action);
  terminal.result(action);
  return 0;
}

/** The one that is meant by its id, or by its name where only one of that name is committed and has not ended. */
function openAction(actions: readonly ActionStatus[], wanted: string): ActionStatus {
  const byId = actions.find(({ id }) => id === wanted);
  if (byId !== undefined) return byId;
  const named = actions.filter(({ name }) => name === wanted);
  const open = named.filter(({ phase, isEnded }) => phase === "committed" && !isEnded);
  const [only] = open.length === 0 ? named : open;
  if (only === undefined) {
    throw new WrongInput(
      `There is no action ${wanted} any more; covey act --list shows those that there are.`,
    );
  }
  if (open.length < 2) return only;
  const ids = open.map(({ id }) => id).join(", ");
  throw new WrongInput(`Several actions ${wanted} wait for boards; say which by its id: ${ids}.`);
}

async function demandYes(terminal: Terminal, { yes }: ActOptions, question: string): Promise<void> {
  if (yes === true) return;
  if (!terminal.interactive) {
    throw new WrongInput("covey act --forget asks before it goes ahead; without a terminal, say --yes.");
  }
  const isSure = await confirmed(question, new AbortController().signal);
  if (!isSure) throw new Failed("Nothing was changed; say y, or give --yes.", "not-confirmed");
}

function namesIn(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}

function tellWhole(terminal: Terminal, action: ActionStatus): void {
  const { id, name, phase, isEnded, reason } = action;
  terminal.line(`${id}  ${name}  ${phase}${isEnded ? ", ended" : ""}${reason === "" ? "" : `: ${reason}`}`);
  for (const each of action.boards) terminal.line(`  ${boardLine(each)}`);
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
    const line = boardLine(each);
    if (told.get(each.board) === line || (each.stage === "silent" && each.givenUpBy === undefined)) continue;
    told.set(each.board, line);
    terminal.line(`  ${line}`);
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

function boardLine({ board, stage, reason, wallMs, boundMs, givenUpBy }: ActionOnBoard): string {
  if (givenUpBy !== undefined) {
    return `${board} was given up by ${givenUpBy}, and nobody knows what it did; the last that it told: ${stageTexts[stage]}`;
  }
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
  const astray = namesOf(boards, (each) => astrayStages.includes(each.stage) && each.givenUpBy === undefined);
  const givenUp = namesOf(boards, (each) => each.givenUpBy !== undefined);
  if (astray.length + givenUp.length > 0) {
    const what = [
      ...(astray.length > 0 ? [`${astray.join(", ")} did not follow`] : []),
      ...(givenUp.length > 0 ? [`${givenUp.join(", ")} was given up`] : []),
    ].join(", and ");
    return { exitCode: actExitCodes.astray, text: `${name} was committed, but ${what}; look after it.` };
  }
  const open = boards.filter(({ stage }) => stage !== "acted").map(({ board }) => board);
  if (phase === "begun" || (open.length > 0 && !action.isEnded)) {
    const text = `${name} is ${phase}; ${open.join(", ")} has not told of it yet. covey act --list shows when.`;
    return { exitCode: actExitCodes.open, text };
  }
  return { exitCode: actExitCodes.acted, text: `${name} was carried out by all ${boards.length} boards.` };
}

const astrayStages: readonly ActionOnBoard["stage"][] = ["settled", "heuristic", "released"];

function namesOf(boards: readonly ActionOnBoard[], accept: (each: ActionOnBoard) => boolean): string[] {
  return boards.filter(accept).map(({ board }) => board);
}

/** Unix milliseconds. */
function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new WrongInput(`${text} is no time; write it as 2027-06-01T06:00Z.`);
}
