/** Mistakes that somebody could make where hosts hold tasks, one change of the source each: the simulation must find every one. */
import type { Change } from "../../changed-sources.ts";

export interface Fault {
  readonly name: string;
  readonly change: Change;
  /** Where the search begins: a seed in which it showed when this was written; 1 when not said. */
  readonly seed?: number;
}

const tenure = "host-tools/leader/tasks/host-tenure.ts";
const desk = "host-tools/leader/tasks/role-desk.ts";
const command = "host-tools/cli/hold/held-command.ts";
const keeper = "host-tools/leader/tasks/task-keeper.ts";
const aggregations = "host-tools/leader/tasks/aggregations.ts";

function fault(name: string, file: string, correct: string, broken: string, seed?: number): Fault {
  return { name, change: { file, correct, broken }, ...(seed === undefined ? {} : { seed }) };
}

export const faults: readonly Fault[] = [
  fault(
    "a host goes on with what it holds when its lease is over",
    tenure,
    "held === undefined || !this.#tenure.isOpen(held, nowMs)",
    "held === undefined",
  ),
  fault(
    "a host keeps what is taken from it",
    tenure,
    'placement?.mode === "held" && placement.holder === hostName',
    "placement?.holder === hostName",
  ),
  fault(
    "a role is let go while its command still runs",
    desk,
    "(stand !== undefined && nowMs < stand.mayRunUntilMs)",
    "false",
    6,
  ),
  fault(
    "a second process is given a role that the first may still carry out",
    desk,
    "|| nowMs < known.mayRunUntilMs)",
    ")",
  ),
  fault(
    "the guard is told that a command that was asked to stop has all the time",
    command,
    "Math.min(mostMs, this.#leftMs)",
    "60_000",
    4,
  ),
  fault(
    "what was worked out is told without another look at the lease",
    aggregations,
    "if (tenure.of(task)?.token !== before.token) {",
    "if (task === undefined) {",
    18,
  ),
  fault(
    "what a former holder tells is taken",
    aggregations,
    "placement?.holder !== host || placement.token !== token",
    "placement === undefined",
    3,
  ),
  fault(
    "each leader counts tokens by itself",
    keeper,
    "holder: wanted, token: placement.token + 1",
    "holder: wanted, token: Number(Object.assign(steward, { token: (Object(steward).token ?? 1) + 1 }).token)",
  ),
];
