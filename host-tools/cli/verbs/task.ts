/** `covey task`: which board or host holds which task, changes of that, and what is done while a host holds a role. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type { HoldAnswer, TaskStatus, TasksStatus } from "../../leader/api/types/tasks.ts";
import { Failed, WrongInput } from "../failure.ts";
import { untilInterrupted } from "../interruption.ts";
import { durationMs } from "../option-values.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import { taskLines } from "../task-lines.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

export interface TaskOptions extends SwarmOptions {
  readonly timeout: number;
  readonly host?: string;
  readonly grace?: number;
}

export const task: Verb<TaskOptions> = {
  usage: "task [action] [name] [command...]",
  summary: "list who holds which task, move tasks, or carry out a role",
  details:
    "Actions: list; drain NAME (the tasks of that board or host move to others, and it is given none), undrain NAME; remove TASK (nobody has it), add TASK (somebody does again); hold TASK -- COMMAND (runs a command whenever and as long as the host here holds that role, and ends when the command does). Tasks are declared in swarm.ts and placed by themselves; a running task is moved only when it must be.",
  examples: [
    "covey task list",
    "covey task drain north-1",
    "covey task undrain north-1",
    "covey task remove gateway-temp",
    "covey task add gateway-temp",
    "covey task hold zigbee -- zigbee2mqtt",
  ],
  options: [
    new Option("--timeout <duration>", "how long to wait until the change is in force")
      .argParser(durationMs)
      .default(60_000, "60s"),
    new Option("--host <name>", "to hold: for which of the hosts, where several run here"),
    new Option(
      "--grace <duration>",
      "to hold: how long before its end the command is asked to stop; a quarter of the lease",
    ).argParser(durationMs),
    ...swarmOptions(),
  ],
  async run(terminal, options, args) {
    const [action = "list", name] = args as readonly (string | undefined)[];
    const command = (args[2] ?? []) as unknown as readonly string[];
    if (action === "hold") return holdRole(terminal, options, name, command);
    if (command.length > 0) throw new WrongInput(`Only hold takes a command; ${action} takes one name.`);
    const swarm = SwarmClient.find(options);
    if (action === "list") return list(terminal, swarm);
    const isKnown = action === "add" || action === "remove" || action === "drain" || action === "undrain";
    if (!isKnown) {
      throw new WrongInput(`There is no action ${action}; use list, add, remove, drain, undrain or hold.`);
    }
    if (name === undefined) {
      const what = action === "add" || action === "remove" ? "task" : "board or host";
      throw new WrongInput(
        `Say which ${what}: covey task ${action} ${what === "task" ? "gateway-temp" : "north-1"}.`,
      );
    }
    const before = await swarm.post<TasksStatus>("/api/tasks", { action, name });
    if (action === "undrain") {
      terminal.line(`${name} may hold tasks again.`);
      terminal.result(before);
      return 0;
    }
    terminal.progress("Agreed; tasks move");
    const patientMs = performance.now() + 2 * Math.max(0, ...before.tasks.map(({ leaseMs }) => leaseMs));
    const now = await until(swarm, options.timeout, (status) => {
      // What waits may be on its way; after a while it is not.
      const isOnItsWay = action === "drain" && performance.now() < patientMs && areWaiting(status);
      return isInForce(status, action, name) && !isOnItsWay;
    });
    terminal.endProgress();
    if (!isInForce(now, action, name)) {
      throw new Failed(
        `It is agreed, but not in force yet after ${options.timeout / 1_000} s; covey task list shows where each task is.`,
        "timeout",
      );
    }
    for (const line of outcome(now, action, name)) terminal.line(line);
    terminal.result(now);
    return 0;
  },
};

const pollEveryMs = 200;

async function holdRole(
  terminal: Terminal,
  options: TaskOptions,
  name: string | undefined,
  [command, ...args]: readonly string[],
): Promise<number> {
  const example = "covey task hold zigbee -- zigbee2mqtt";
  if (name === undefined) throw new WrongInput(`Say which role, and what to run: ${example}.`);
  if (command === undefined) throw new WrongInput(`Say what to run while ${name} is held: ${example}.`);
  const swarm = SwarmClient.find(options).only(options.host);
  const { hold } = await import("../hold/hold.ts");
  const result = await hold({
    ...{ task: name, command, args, graceMs: options.grace, interrupted: untilInterrupted() },
    ask: (body) => swarm.post<HoldAnswer>(`/api/tasks/${encodeURIComponent(name)}/hold`, body),
    say: (text) => terminal.note(text),
  });
  terminal.result(result);
  return result.exitCode ?? 0;
}

async function list(terminal: Terminal, swarm: SwarmClient): Promise<number> {
  const status = await swarm.get<TasksStatus>("/api/tasks");
  for (const line of taskLines(status, Date.now())) terminal.line(line);
  terminal.result(status);
  return 0;
}

/** The tasks once `accept` likes them, or as they are when the time is over. */
async function until(
  swarm: SwarmClient,
  timeoutMs: number,
  accept: (status: TasksStatus) => boolean,
): Promise<TasksStatus> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const now = await swarm.get<TasksStatus>("/api/tasks");
    if (accept(now) || performance.now() >= deadlineMs) return now;
    await sleep(pollEveryMs);
  }
}

function isInForce({ tasks }: TasksStatus, action: "add" | "remove" | "drain", name: string): boolean {
  if (action === "drain") return tasks.every(({ holder }) => holder !== name);
  const state = stateOf(tasks, name);
  return action === "remove" ? state === "stopped" : state === "placed";
}

function areWaiting({ tasks }: TasksStatus): boolean {
  return tasks.some(({ state }) => state === "waiting");
}

function stateOf(tasks: readonly TaskStatus[], name: string): TaskStatus["state"] | undefined {
  return tasks.find((one) => one.name === name)?.state;
}

function outcome({ tasks }: TasksStatus, action: "add" | "remove" | "drain", name: string): string[] {
  const one = tasks.find((each) => each.name === name);
  if (action === "remove")
    return [
      `${name} is stopped: whoever holds it lets go as soon as it hears of that, at the latest when its lease ends.`,
    ];
  if (action === "add") return [`${one?.holder} has ${name}, under token ${one?.token}.`];
  const waiting = tasks.filter(({ state }) => state === "waiting").map((each) => each.name);
  if (waiting.length === 0) return [`${name} holds no tasks and is given none.`];
  return [
    `${name} holds no tasks and is given none; nobody else may hold ${waiting.join(", ")}, which wait.`,
  ];
}
