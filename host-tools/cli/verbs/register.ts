/** `covey register`: what boards agree on among themselves. */
import { Option } from "commander";
import type {
  RegisterChanges,
  RegisterRead,
  RegisterStatus,
  RegistersStatus,
} from "../../leader/api/types/registers.ts";
import { confirmed } from "../confirmation.ts";
import { Failed, WrongInput } from "../failure.ts";
import { changeLines, registerLines, registerText } from "../register-lines.ts";
import { parseSettingValue } from "../setting-text.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface RegisterOptions extends SwarmOptions {
  readonly now?: boolean;
  readonly ifVersion?: number;
  readonly acceptLoss?: boolean;
  readonly yes?: boolean;
}

const path = "/api/registers";
/** After which somebody who waits is told what for. */
const patienceMs = 1_000;

export const register: Verb<RegisterOptions> = {
  usage: "register [action] [name] [value]",
  summary: "list, read and change what boards agree on by themselves, hosts or not",
  details:
    "Actions: list; get NAME (as the log has it; with --now as a majority of its boards has it at this moment); set NAME VALUE (by a board that is connected; returns once a majority has it); changes NAME (its last changes); recover --accept-loss (a new group, where most of its boards are gone for good).",
  examples: [
    "covey register list",
    "covey register get emergency --now",
    "covey register set emergency on",
    "covey register set setpoint 21.5 --if-version 4",
    "covey register changes emergency",
  ],
  options: [
    new Option("--now", "ask the boards, not the log"),
    new Option("--if-version <n>", "change it only in place of this version").argParser(versionOf),
    new Option("--accept-loss", "begin anew from what is left: changes that only lost boards had are lost"),
    new Option("-y, --yes", "recover without asking"),
    ...swarmOptions(),
  ],
  async run(terminal, options, args) {
    const [action = "list", name, text] = args as readonly (string | undefined)[];
    const swarm = SwarmClient.find(options);
    if (action === "list") return list(terminal, swarm);
    if (action === "recover") return recover(terminal, swarm, options);
    if (action !== "get" && action !== "set" && action !== "changes") {
      throw new WrongInput(`There is no action ${action}; use list, get, set, changes or recover.`);
    }
    if (name === undefined || (action === "set" && text === undefined)) {
      const example = { get: "get emergency", set: "set emergency on", changes: "changes emergency" }[action];
      throw new WrongInput(
        `Say which register${action === "set" ? " and what value" : ""}: covey register ${example}.`,
      );
    }
    if (action === "get") return get(terminal, swarm, name, options.now === true);
    if (action === "set") return set(terminal, swarm, name, text!, options.ifVersion);
    const changes = await swarm.get<RegisterChanges>(`${pathOf(name)}/changes`);
    for (const line of changeLines(changes)) terminal.line(line);
    terminal.result(changes);
    return 0;
  },
};

async function list(terminal: Terminal, swarm: SwarmClient): Promise<number> {
  const status = await swarm.get<RegistersStatus>(path);
  for (const line of registerLines(status, Date.now())) terminal.line(line);
  terminal.result(status);
  return 0;
}

async function get(terminal: Terminal, swarm: SwarmClient, name: string, isNow: boolean): Promise<number> {
  const wanted = isNow ? `${pathOf(name)}/now` : pathOf(name);
  const found = await patiently(
    terminal,
    "Asking the boards",
    swarm.get<RegisterStatus | RegisterRead>(wanted),
  );
  terminal.line(String(found.value));
  terminal.result({ name, ...found });
  return 0;
}

async function set(
  terminal: Terminal,
  swarm: SwarmClient,
  name: string,
  text: string,
  ifVersion: number | undefined,
): Promise<number> {
  const present = await swarm.get<RegisterStatus>(pathOf(name));
  const value = parseSettingValue(name, text, present);
  const body = ifVersion === undefined ? { value } : { value, ifVersion };
  const asked = swarm.put<RegisterRead>(pathOf(name), body, undefined);
  const made = await patiently(terminal, "The boards are agreeing", asked);
  const said = `${name} = ${registerText({ value: made.value, unit: present.unit })}`;
  terminal.line(`${said} ${terminal.style("dim", `(version ${made.version}, by ${made.by})`)}`);
  terminal.result(made);
  return 0;
}

async function recover(terminal: Terminal, swarm: SwarmClient, options: RegisterOptions): Promise<number> {
  if (options.acceptLoss !== true) {
    throw new WrongInput(
      "Changes that only lost boards had would be lost, and boards that are merely cut off would go on agreeing without the others; if that is so, say covey register recover --accept-loss.",
    );
  }
  const { group } = await swarm.get<RegistersStatus>(path);
  const gone = group.members
    .filter(({ link, isMember }) => link === "down" || !isMember)
    .map(({ board }) => board);
  terminal.note(
    `Given up is what only ${gone.join(", ") || "nobody"} had. Make sure that none of them still runs as it was, cut off from the others.`,
  );
  if (options.yes !== true) {
    if (!terminal.interactive) {
      throw new WrongInput(
        "covey register recover asks before it goes ahead; without a terminal, say --yes.",
      );
    }
    const isSure = await confirmed("Begin anew without them?", new AbortController().signal);
    if (!isSure) throw new Failed("Nothing was changed; say y, or give --yes.", "not-confirmed");
  }
  const asked = swarm.post<RegistersStatus>(`${path}/recover`, { acceptLoss: true });
  const status = await patiently(terminal, "Gathering what is left", asked);
  for (const line of registerLines(status, Date.now())) terminal.line(line);
  terminal.result(status);
  return 0;
}

/** Says what is waited for, once that takes long. */
async function patiently<T>(terminal: Terminal, what: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => terminal.progress(what), patienceMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    terminal.endProgress();
  }
}

function pathOf(name: string): string {
  return `${path}/${encodeURIComponent(name)}`;
}

function versionOf(text: string): number {
  const version = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(version)) return version;
  throw new WrongInput(`${text} is no version; covey register list shows them.`);
}
