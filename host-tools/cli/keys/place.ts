/** Which swarm's keys are meant, and where they are: in the folder that is named, else `.covey/<swarm>/keys/`, or those of its simulation where there are no others. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { KeyFolder } from "../../keys/key-folder.ts";
import type { RootKeys } from "../../keys/root-file.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { Failed, WrongInput } from "../failure.ts";
import type { SwarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import { givenPassphrase, type PassphraseOptions } from "./passphrase.ts";

export interface KeyOptions extends SwarmOptions, PassphraseOptions {
  /** A folder: no other is looked for. */
  readonly keys?: string;
  readonly file?: string;
  readonly role?: string;
  readonly scope?: string;
  readonly address?: string;
  readonly why?: string;
  readonly all?: boolean;
}

export interface KeyPlace {
  readonly folder: KeyFolder;
  /** `.covey/<swarm>`, absolute. */
  readonly stateDir: string;
  /** The throwaway keys of `covey sim`. */
  readonly isSimulated: boolean;
}

export const keysName = "keys";
const simulationKeysName = "simulation-keys";

/** Says so where the keys are a simulation's. @throws {Failed} {WrongInput} {KeyError} */
export async function openKeys(terminal: Terminal, options: KeyOptions): Promise<KeyPlace> {
  const { KeyFolder } = await import("../../keys/key-folder.ts");
  if (options.keys !== undefined) {
    const folder = KeyFolder.open(options.keys);
    const path = resolve(options.keys);
    return { folder, stateDir: dirname(path), isSimulated: basename(path) === simulationKeysName };
  }
  const real = swarmsWith(keysName, options);
  const isSimulated = real.length === 0;
  const swarms = isSimulated ? swarmsWith(simulationKeysName, options) : real;
  if (swarms.length === 0) throw noKeys(options);
  if (swarms.length > 1) {
    throw new WrongInput(`${swarms.join(" and ")} have keys here; choose one with --swarm NAME.`);
  }
  const stateDir = resolve(options.state, swarms[0]!);
  const path = join(stateDir, isSimulated ? simulationKeysName : keysName);
  const folder = KeyFolder.open(path);
  if (isSimulated)
    terminal.note(`These are the keys of the simulation of ${folder.swarm}; it has no others.`);
  return { folder, stateDir, isSimulated };
}

/**
 * The keys of the swarm that answered, whose root is `root` (base64url): `folder`, or those of the simulation beside it, which may be what runs. With others
 * boards could not open what is sealed, nor would they take what is signed. @throws {WrongInput}
 */
export async function keysOfRoot(
  terminal: Terminal,
  options: KeyOptions,
  folder: KeyFolder,
  root: string,
): Promise<KeyFolder> {
  const isOf = (each: KeyFolder) => Buffer.from(each.root).toString("base64url") === root;
  if (isOf(folder)) return folder;
  const path = join(folder.path, "..", simulationKeysName);
  if (options.keys === undefined && existsSync(path)) {
    const { KeyFolder } = await import("../../keys/key-folder.ts");
    const simulated = KeyFolder.open(path);
    if (isOf(simulated)) {
      terminal.note(`What runs is the simulation of ${folder.swarm}: its keys are used.`);
      return simulated;
    }
  }
  throw new WrongInput(
    `The keys in ${shownPath(folder.path)} are not those of the ${folder.swarm} that runs; say --keys with the folder of those that its boards have theirs from.`,
  );
}

/** What the root last said of who belongs, where its keys are on this computer too. @param stateDir `.covey/<swarm>` */
export async function statementsBeside(terminal: Terminal, stateDir: string): Promise<Uint8Array[]> {
  const { KeyFolder } = await import("../../keys/key-folder.ts");
  const { KeyError } = await import("../../keys/key-error.ts");
  const paths = [keysName, simulationKeysName].map((name) => join(stateDir, name)).filter(existsSync);
  return paths.flatMap((path) => {
    try {
      const { roster } = KeyFolder.open(path).ledger();
      // One that is held back waits until every member has its new file.
      const isKnown = roster !== undefined && roster.delivery !== "held";
      return !isKnown ? [] : [new Uint8Array(Buffer.from(roster.statement, "base64url"))];
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      terminal.note(error.message);
      return [];
    }
  });
}

/** With the passphrase, where there is one. @throws {WrongInput} {Failed} {KeyError} */
export async function unlock(terminal: Terminal, folder: KeyFolder, options: KeyOptions): Promise<RootKeys> {
  if (!folder.isSealed) return folder.unlock();
  const passphrase = await givenPassphrase(options);
  terminal.progress("Opening the root's keys");
  try {
    return await folder.unlock(passphrase);
  } finally {
    terminal.endProgress();
  }
}

/** `swarm.ts`, which must be that of the keys. @throws {WrongInput} and what loading does */
export async function definitionOf({ folder }: KeyPlace, options: KeyOptions): Promise<SwarmDefinition> {
  const { loadSwarm } = await import("../../swarm-file/load.ts");
  const definition = await loadSwarm(options.file);
  if (definition.name === folder.swarm) return definition;
  throw new WrongInput(
    `${definition.file} is of the swarm ${definition.name}, and these keys are of ${folder.swarm}; choose with --file or --swarm.`,
  );
}

/** As short as it can be said from here. */
export function shownPath(path: string): string {
  const short = relative("", path);
  return short.startsWith("..") ? path : short;
}

function swarmsWith(name: string, { state, swarm }: KeyOptions): string[] {
  const names = swarm === undefined ? readFolder(state) : [swarm];
  return names.filter((each) => existsSync(join(state, each, name)));
}

function noKeys({ state, swarm }: KeyOptions): Failed {
  const whose = swarm === undefined ? "a swarm" : swarm;
  return new Failed(
    `There are no keys of ${whose} in ${resolve(state)}; make them with covey keys init, once for a swarm.`,
    "no-keys",
  );
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
