/**
 * Checks a swarm as the user wrote it and compiles it to plain data. Every mistake is found in one run, each with its
 * file and line; nothing is assumed of the types, since the user's file need not have been type-checked.
 */
import { hostsMax } from "../../protocols/messages/host-address.ts";
import { limits } from "../../protocols/raft/types.ts";
import { stateLimits } from "../../protocols/state/command.ts";
import { taskLimits } from "../../protocols/tasks/placement.ts";
import { watchedMax } from "../../protocols/two-phase-commit/watched.ts";
import type { BoardDescription } from "../boards/boards.ts";
import { compileAction } from "./compile-action.ts";
import { compileAlerts, compileWebhooks } from "./compile-alerts.ts";
import { compileBoard } from "./compile-board.ts";
import { checkKept, compileKeeping } from "./compile-kept.ts";
import { compilePlace } from "./compile-place.ts";
import { compileRegisterNames, compileRegisters } from "./compile-registers.ts";
import { compileSetting } from "./compile-setting.ts";
import { checkTasks, compileTask } from "./compile-task.ts";
import type {
  ActionDefinition,
  Agreed,
  BoardDefinition,
  BoardPlace,
  RegisterDefinition,
  SettingDefinition,
  SwarmDefinition,
  TaskDefinition,
} from "./definition.ts";
import { Diagnostics } from "./diagnostics.ts";
import { isName, isPart, isRecord, nameRule, shown } from "./given.ts";
import type { ActionPart, BoardPart, SettingPart, SwarmPart, TaskPart } from "./parts.ts";
import { suggestion } from "./suggestion.ts";
import { ZoneRules } from "./time-zone.ts";

/** Boards of one swarm (design, point 16: one Raft group). */
export const boardsMax = 250;

/**
 * Compiles what `export default` of `file` (absolute path) gave. `models` are the boards of `boards/`, by name. Throws
 * `SwarmFileError` with every mistake.
 */
export function compileSwarm(
  exported: unknown,
  file: string,
  models: ReadonlyMap<string, BoardDescription>,
): SwarmDefinition {
  const diagnostics = new Diagnostics(file);
  if (!isPart<SwarmPart>(exported, "swarm")) {
    diagnostics.add(
      undefined,
      [],
      'there is no swarm here; end the file with export default swarm("name", {...}).',
    );
    diagnostics.throwIfAny();
  }
  const definition = new SwarmCompilation(exported as SwarmPart, file, models, diagnostics).run();
  diagnostics.throwIfAny();
  return definition;
}

class SwarmCompilation {
  readonly #part: SwarmPart;
  readonly #file: string;
  readonly #models: ReadonlyMap<string, BoardDescription>;
  readonly #diagnostics: Diagnostics;

  constructor(
    part: SwarmPart,
    file: string,
    models: ReadonlyMap<string, BoardDescription>,
    diagnostics: Diagnostics,
  ) {
    this.#part = part;
    this.#file = file;
    this.#models = models;
    this.#diagnostics = diagnostics;
  }

  run(): SwarmDefinition {
    const { name } = this.#part;
    const given: Record<string, unknown> = isRecord(this.#part.given) ? this.#part.given : {};
    this.#checkKeys(given);
    if (!isName(name)) this.#wrong([String(name)], `${shown(name)} cannot name a swarm: ${nameRule}.`);
    const settings = this.#settings(given.settings);
    const wrong = (path: readonly string[], text: string) => this.#wrong(path, text);
    const named = compileRegisterNames(given.registers, Object.keys(settings), this.#diagnostics, wrong);
    const boards = this.#boards(given, settings, named ?? {});
    const registers = compileRegisters(given.registers, named, boards, wrong);
    const hosts = this.#hosts(given.hosts, Object.keys(boards));
    const hostPlaces = this.#hostPlaces(given.hosts);
    const voters = this.#voters(given.voters, boards);
    this.#checkVoterCount(hosts, voters);
    this.#checkCount(boards, { ...settings, ...named });
    const actions = this.#actions(given.actions, boards);
    const tasks = this.#tasks(given.tasks, boards, { names: hosts, places: hostPlaces });
    const alerts = this.#alerts(given, boards, { ...settings, ...named });
    checkKept(boards, (path, text) => this.#wrong(path, text));
    const keeping = compileKeeping(given.keeping, this.#part.site, this.#diagnostics);
    const isKeeping = Object.values(boards).some(({ kept }) => kept !== undefined);
    return {
      ...{ name, file: this.#file, hosts, voters, settings, boards },
      ...(Object.keys(hostPlaces).length === 0 ? {} : { hostPlaces }),
      ...(registers === undefined ? {} : { registers }),
      ...(Object.keys(actions).length === 0 ? {} : { actions }),
      ...(Object.keys(tasks).length === 0 ? {} : { tasks }),
      ...(isKeeping ? { keeping } : {}),
      ...alerts,
    };
  }

  #tasks(
    given: unknown,
    boards: Record<string, BoardDefinition>,
    hosts: Parameters<typeof checkTasks>[2],
  ): Record<string, TaskDefinition> {
    const tasks: Record<string, TaskDefinition> = {};
    if (given !== undefined && !isRecord(given)) {
      this.#wrong(["tasks"], "tasks must be an object of task({ sense: [...] }).");
    }
    const entries = Object.entries(isRecord(given) ? given : {});
    const names = entries.map(([name]) => name);
    for (const [name, part] of entries) {
      const path = ["tasks", name];
      if (!isName(name)) this.#wrong(path, `${shown(name)} cannot name a task: ${nameRule}.`);
      if (!isPart<TaskPart>(part, "task")) {
        this.#wrong(path, `${shown(name)} is no task; write task({ sense: [...] }).`);
      } else tasks[name] = compileTask(name, part, names, this.#diagnostics);
    }
    if (names.length > taskLimits.tasksMax) {
      this.#wrong(["tasks"], `${names.length} tasks are too many; ${taskLimits.tasksMax} are the most.`);
    }
    return checkTasks(tasks, boards, hosts, (path, text) => this.#wrong(path, text));
  }

  #actions(given: unknown, boards: Record<string, BoardDefinition>): Record<string, ActionDefinition> {
    const actions: Record<string, ActionDefinition> = {};
    for (const [name, part] of Object.entries(isRecord(given) ? given : {})) {
      const path = ["actions", name];
      if (!isName(name)) this.#wrong(path, `${shown(name)} cannot name an action: ${nameRule}.`);
      if (!isPart<ActionPart>(part, "action")) {
        this.#wrong(path, `${shown(name)} is no action; write action({ set: {...} }).`);
      } else actions[name] = compileAction(name, part, boards, this.#diagnostics);
    }
    const required = Object.values(actions).flatMap(({ require }) => require.map(({ metric }) => metric));
    const count = new Set(required).size;
    if (count > watchedMax) {
      this.#wrong(["actions"], `the actions require ${count} metrics together; ${watchedMax} are the most.`);
    }
    return actions;
  }

  #settings(given: unknown): Record<string, SettingDefinition> {
    const settings: Record<string, SettingDefinition> = {};
    if (given !== undefined && !isRecord(given))
      this.#wrong(["settings"], "settings must be an object of setting.number(...) and the like.");
    for (const [key, part] of Object.entries(isRecord(given) ? given : {})) {
      if (!isSettingKey(key)) {
        this.#wrong(
          ["settings", key],
          `${shown(key)} cannot be a setting's key: use letters, digits and . _ - and at most ${stateLimits.keyLengthMax} of them.`,
        );
      }
      if (isPart<SettingPart>(part, "setting")) settings[key] = compileSetting(key, part, this.#diagnostics);
      else
        this.#wrong(
          ["settings", key],
          `${shown(key)} is no setting; write setting.number({...}), setting.boolean({...}) or setting.text({...}).`,
        );
    }
    return settings;
  }

  #boards(
    { boards: given, tasks }: Readonly<Record<string, unknown>>,
    settings: Record<string, SettingDefinition>,
    registers: Record<string, RegisterDefinition>,
  ): Record<string, BoardDefinition> {
    const boards: Record<string, BoardDefinition> = {};
    const entries = Object.entries(isRecord(given) ? given : {});
    if (entries.length === 0)
      this.#wrong(
        ["boards"],
        'a swarm needs boards; write boards: { "north-1": board("esp32c3-devkit", {...}) }.',
      );
    // Rules of zones are those of today; where a government changes them, the swarm is deployed again.
    const zones = new ZoneRules(Date.now());
    for (const [name, part] of entries) {
      if (!isName(name)) this.#wrong(["boards", name], `${shown(name)} cannot name a board: ${nameRule}.`);
      if (!isPart<BoardPart>(part, "board")) {
        this.#wrong(["boards", name], `${shown(name)} is no board; write board("esp32c3-devkit", {...}).`);
        continue;
      }
      const surroundings = {
        ...{ name, file: this.#file, settings, registers, models: this.#models, zones },
        ...{ boardTasks: tasksOn("boards", tasks), hostTasks: tasksOn("hosts", tasks) },
      };
      boards[name] = compileBoard(part, surroundings, this.#diagnostics);
    }
    return boards;
  }

  #alerts(
    given: Readonly<Record<string, unknown>>,
    boards: Record<string, BoardDefinition>,
    agreed: Agreed,
  ): Pick<SwarmDefinition, "alerts" | "webhooks"> {
    const wrong = (path: readonly string[], text: string) => this.#wrong(path, text);
    const surroundings = { boards, agreed, diagnostics: this.#diagnostics, wrong };
    const alerts = compileAlerts(given.alerts, surroundings);
    const hasAlerts = Object.keys(alerts).length > 0;
    const webhooks = compileWebhooks(given.webhooks, hasAlerts, surroundings);
    return { ...(hasAlerts ? { alerts } : {}), ...(webhooks.length > 0 ? { webhooks } : {}) };
  }

  #hosts(given: unknown, boards: readonly string[]): string[] {
    const names = isRecord(given) ? Object.keys(given) : (given ?? ["main"]);
    const hosts = this.#names("hosts", names);
    if (hosts.length === 0) this.#wrong(["hosts"], 'a swarm needs a host; write hosts: ["main"].');
    if (hosts.length > hostsMax) {
      this.#wrong(["hosts"], `${hosts.length} hosts are too many for one swarm; ${hostsMax} are the most.`);
    }
    for (const host of hosts) {
      if (!isName(host)) this.#wrong(["hosts", host], `${shown(host)} cannot name a host: ${nameRule}.`);
      if (boards.includes(host))
        this.#wrong(
          ["hosts", host],
          `${shown(host)} names a host and a board; give one of them another name.`,
        );
    }
    return hosts;
  }

  /** Of those of which more than the name is given. */
  #hostPlaces(given: unknown): Record<string, BoardPlace> {
    const places: Record<string, BoardPlace> = {};
    for (const [host, place] of Object.entries(isRecord(given) ? given : {})) {
      const compiled = compilePlace(this.#part, place, this.#diagnostics, ["hosts", host]);
      if (compiled !== undefined) places[host] = compiled;
    }
    return places;
  }

  #voters(given: unknown, boards: Record<string, BoardDefinition>): string[] {
    const voters = this.#names("voters", given ?? []);
    for (const voter of voters) {
      const path = ["voters", voter];
      if (!Object.hasOwn(boards, voter)) {
        const known = suggestion(voter, Object.keys(boards));
        this.#wrong(path, `the voter ${shown(voter)} is not a board of this swarm${known}`);
      } else if (boards[voter]!.program.sleep !== undefined) {
        this.#wrong(
          path,
          `the voter ${shown(voter)} sleeps, and who sleeps can't vote; take it from voters, or its sleep away.`,
        );
      }
    }
    return voters;
  }

  #checkVoterCount(hosts: readonly string[], voters: readonly string[]): void {
    const count = hosts.length + voters.length;
    if (count > limits.votersMax) {
      const most = limits.votersMax - hosts.length;
      this.#wrong(["voters"], `${voters.length} voters beside the hosts are too many; ${most} are the most.`);
    }
    // Who ought to vote is itself a value that the swarm agrees on.
    const length = voters.join(",").length;
    if (length > stateLimits.textBytesMax) {
      this.#wrong(
        ["voters"],
        `the voters' names have ${length} characters together; ${stateLimits.textBytesMax} are the most, so shorten them.`,
      );
    }
  }

  #names(what: "hosts" | "voters", given: unknown): string[] {
    if (!Array.isArray(given) || given.some((name) => typeof name !== "string")) {
      this.#wrong([what], `${what} must be a list of names.`);
      return [];
    }
    const names = given as string[];
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      this.#wrong([what, twice, twice], `${shown(twice)} is twice in ${what}; remove one.`);
    return names;
  }

  #checkKeys(given: object): void {
    const known = [
      ...["hosts", "voters", "settings", "registers", "actions", "boards"],
      ...["tasks", "keeping", "alerts", "webhooks"],
    ];
    for (const key of Object.keys(given)) {
      if (!known.includes(key)) this.#wrong([key], `a swarm has no ${shown(key)}${suggestion(key, known)}`);
    }
  }

  #checkCount(boards: Readonly<Record<string, BoardDefinition>>, settings: object): void {
    const boardCount = Object.keys(boards).length;
    const keptCount = Object.values(boards).filter(({ kept }) => kept !== undefined).length;
    const keyCount = boardCount + keptCount + Object.keys(settings).length + modelPartCount(boards);
    if (boardCount > boardsMax)
      this.#wrong(["boards"], `${boardCount} boards are too many for one swarm; ${boardsMax} are the most.`);
    if (keyCount > stateLimits.keysMax) {
      this.#wrong(
        ["settings"],
        `boards, settings, parts of models and boards with copies together are ${keyCount}; a swarm agrees on at most ${stateLimits.keysMax}.`,
      );
    }
  }

  #wrong(path: readonly string[], text: string): void {
    this.#diagnostics.add(this.#part.site, path, text);
  }
}

/** Names of those of the given tasks that boards, or hosts, hold. */
function tasksOn(wanted: "boards" | "hosts", given: unknown): string[] {
  return Object.entries(isRecord(given) ? given : {}).flatMap(([name, part]) =>
    isPart<TaskPart>(part, "task") && (part.given.on ?? "boards") === wanted ? [name] : [],
  );
}

/** Keys that the boards' models take; one that several have counts once. */
function modelPartCount(boards: Readonly<Record<string, BoardDefinition>>): number {
  const parts = new Map<string, number>();
  for (const { models = [], program } of Object.values(boards)) {
    for (const { name, crc } of models) {
      const use = program.models?.find((one) => one.kind === "trained" && one.crc === crc);
      const bytes = use?.kind === "trained" ? use.bytes : 0;
      parts.set(`${name}-${crc}`, Math.ceil(bytes / stateLimits.valueBytesMax));
    }
  }
  return [...parts.values()].reduce((sum, count) => sum + count, 0);
}

function isSettingKey(key: string): boolean {
  return key.length <= stateLimits.keyLengthMax && /^[A-Za-z0-9._-]+$/.test(key);
}
