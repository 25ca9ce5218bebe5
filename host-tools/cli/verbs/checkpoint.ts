/** `covey checkpoint`: named recovery points of the whole agreed state. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type {
  CheckpointDifference,
  CheckpointListed,
  CheckpointListing,
  CheckpointRestored,
  RestoreUnderWay,
} from "../../leader/api/types/checkpoints.ts";
import { confirmed } from "../confirmation.ts";
import { Failed, WrongInput } from "../failure.ts";
import { query, SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface CheckpointOptions extends SwarmOptions {
  readonly yes?: boolean;
  readonly only?: string;
  readonly boards?: string;
  readonly json?: boolean;
}

const path = "/api/checkpoints";

export const checkpoint: Verb<CheckpointOptions> = {
  usage: "checkpoint <action> [names...]",
  summary: "recovery points of all that is agreed on: create, list, diff, restore, delete",
  details:
    "create NAME, list, diff NAME [NAME2] (without a second one: with the present), restore NAME (shows what will change, asks, and changes all of it at once or nothing), delete NAME. Restored are settings, programs, models and voters; never who belongs to the swarm, how boards reach it, and firmware.",
  examples: [
    "covey checkpoint create summer",
    "covey checkpoint list",
    "covey checkpoint diff summer",
    "covey checkpoint restore summer --only settings",
  ],
  options: [
    new Option("-y, --yes", "restore without asking"),
    new Option("--only <parts>", "of settings, programs, models and voters, those named: settings,programs"),
    new Option("--boards <names>", "of the programs, those of these boards"),
    ...swarmOptions(),
  ],
  async run(terminal, options, args) {
    const [action, rest] = args as unknown as [string, string[] | undefined];
    const names = rest ?? [];
    const takes = { create: [1, 1], list: [0, 0], diff: [1, 2], restore: [1, 1], delete: [1, 1] }[action];
    if (takes === undefined) {
      throw new WrongInput(`There is no action ${action}; use create, list, diff, restore or delete.`);
    }
    if (names.length < takes[0]! || names.length > takes[1]!) {
      throw new WrongInput(`Write it as covey checkpoint ${action}${action === "list" ? "" : " NAME"}.`);
    }
    const swarm = SwarmClient.find(options);
    const [name = "", other] = names;
    switch (action) {
      case "create":
        return create(terminal, swarm, name);
      case "list":
        return list(terminal, swarm);
      case "diff":
        return diff(terminal, swarm, options, name, other);
      case "restore":
        return restore(terminal, swarm, options, name);
      default:
        terminal.result(await swarm.post(`${path}/delete`, { name }));
        terminal.line(
          `The checkpoint ${name} is deleted on every host that is connected, and on the others when they are back.`,
        );
        return 0;
    }
  },
};

async function create(terminal: Terminal, swarm: SwarmClient, name: string): Promise<number> {
  const made = await swarm.post<CheckpointListed>(path, { name });
  terminal.line(`${made.name} is the state behind entry ${made.index}; ${copiesText(made)}.`);
  terminal.result(made);
  return 0;
}

async function list(terminal: Terminal, swarm: SwarmClient): Promise<number> {
  const listing = await swarm.get<CheckpointListing>(path);
  if (listing.checkpoints.length === 0)
    terminal.line("There is no checkpoint; covey checkpoint create NAME makes one.");
  const width = Math.max(0, ...listing.checkpoints.map(({ name }) => name.length));
  for (const each of listing.checkpoints) {
    const { name, time, by, index, isComplete, isAutomatic } = each;
    const what = isComplete ? `entry ${index}, ${copiesText(each)}` : "not complete";
    const why = isAutomatic ? occasions[name.slice(0, name.lastIndexOf("-"))] : undefined;
    terminal.line(
      `${name.padEnd(width)}  ${time.slice(0, 19).replace("T", " ")}  by ${by}${why ?? ""}: ${what}`,
    );
  }
  if (listing.restoring !== undefined) {
    const { name, by, pieces, of } = listing.restoring;
    const far = of === 0 ? "" : `: ${pieces} of ${of} pieces are agreed on`;
    terminal.line(`${by} is restoring ${name}${far}.`);
  }
  if (listing.restored !== undefined) terminal.line(`Restored last: ${listing.restored}.`);
  terminal.result(listing);
  return 0;
}

/** What those were made before that nobody asked for, by the first part of their name. */
const occasions: Readonly<Record<string, string>> = {
  before: ", before a restore",
  deploy: ", before another swarm.ts",
  update: ", before an update",
};

async function diff(
  terminal: Terminal,
  swarm: SwarmClient,
  options: CheckpointOptions,
  name: string,
  other = "now",
): Promise<number> {
  const found = await compare(swarm, options, name, other);
  if (found.differences.length === 0) terminal.line(`${name} and ${shownName(other)} are the same.`);
  for (const { text } of found.differences) terminal.line(text);
  terminal.result(found);
  return 0;
}

async function restore(
  terminal: Terminal,
  swarm: SwarmClient,
  options: CheckpointOptions,
  name: string,
): Promise<number> {
  const found = await compare(swarm, options, "now", name);
  const { changes, digest, objection } = found.restore;
  for (const { text } of changes) terminal.line(text);
  for (const sentence of found.leftOut) terminal.note(`Not restored: ${sentence}.`);
  if (changes.length === 0) {
    terminal.line(`All that can be restored is as it was in ${name}.`);
    terminal.result({ name, changed: 0, leftOut: found.leftOut } satisfies CheckpointRestored);
    return 0;
  }
  if (changes.some(({ part }) => part === "programs" || part === "models")) {
    terminal.note(
      "The programs stay restored as long as swarm.ts says what it says now; a host started with another swarm.ts deploys that one's programs.",
    );
  }
  if (objection !== undefined) throw new Failed(objection, "out-of-limits", 2);
  if (options.yes !== true && !(await confirmed(`Restore ${name}?`, new AbortController().signal))) {
    throw new Failed("Nothing was changed; say y, or give --yes.", "not-confirmed");
  }
  const body = { name, shown: digest, only: options.only?.split(","), boards: options.boards?.split(",") };
  const done = await carriedOut(terminal, swarm, options, body);
  const saved = done.saved === undefined ? "" : ` What was before is the checkpoint ${done.saved}.`;
  terminal.line(
    `${name} is restored${done.index === undefined ? "" : ` as entry ${done.index}`}, all of it at once.${saved}`,
  );
  terminal.result(done);
  return 0;
}

/** Asked twice, a host finds what is left to do, or that it is done. */
async function carriedOut(
  terminal: Terminal,
  swarm: SwarmClient,
  options: SwarmOptions,
  body: { readonly name: string },
): Promise<CheckpointRestored> {
  const { commandId } = await swarm.ask("/api/settings");
  // Which asks beside the first, and goes on by itself from one host to the next.
  const watcher = SwarmClient.find(options);
  const ended = new AbortController();
  void watch(terminal, watcher, ended.signal);
  try {
    for (;;) {
      try {
        return await swarm.put<CheckpointRestored>(`${path}/restore`, body, commandId);
      } catch (error) {
        const isLong = error instanceof Failed && error.code === "timeout";
        if (!isLong || (await underWay(watcher))?.name !== body.name) throw error;
      }
    }
  } finally {
    ended.abort();
    terminal.endProgress();
  }
}

/** Says how many pieces are agreed on, while there are any. */
async function watch(terminal: Terminal, swarm: SwarmClient, signal: AbortSignal): Promise<void> {
  if (terminal.json) return;
  let said = "";
  while (!signal.aborted) {
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
    const now = signal.aborted ? undefined : await underWay(swarm);
    if (now === undefined || now.of === 0 || signal.aborted) continue;
    const text = `${now.pieces} of ${now.of} pieces are agreed on`;
    if (text !== said) terminal.progress(text);
    said = text;
  }
}

/** undefined also where nobody can say. */
async function underWay(swarm: SwarmClient): Promise<RestoreUnderWay | undefined> {
  const now = await swarm.get<Partial<RestoreUnderWay>>(`${path}/restore`).catch(() => ({}));
  return "name" in now ? (now as RestoreUnderWay) : undefined;
}

const lookEveryMs = 150;

function compare(
  swarm: SwarmClient,
  { only, boards }: CheckpointOptions,
  from: string,
  to: string,
): Promise<CheckpointDifference> {
  return swarm.get(`${path}/diff${query({ from, to, only, boards })}`);
}

function shownName(name: string): string {
  return name === "now" ? "the present" : name;
}

/** `whole on a and b, damaged on c`. */
function copiesText({ copies }: CheckpointListed): string {
  const states = ["whole", "damaged", "missing"] as const;
  const parts = states.flatMap((state) => {
    const hosts = Object.keys(copies).filter((host) => copies[host] === state);
    return hosts.length === 0 ? [] : [`${state} on ${hosts.sort().join(", ")}`];
  });
  return parts.join("; ");
}
