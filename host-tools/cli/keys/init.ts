/** `covey keys init`: a root of trust for a swarm. */
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { WrongInput } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { chosenPassphrase } from "./passphrase.ts";
import { type KeyOptions, keysName, shownPath } from "./place.ts";

export async function initKeys(terminal: Terminal, options: KeyOptions): Promise<void> {
  const swarm = await swarmOf(options);
  const path = options.keys === undefined ? resolve(options.state, swarm, keysName) : resolve(options.keys);
  const { KeyFolder, refuseExisting } = await import("../../keys/key-folder.ts");
  refuseExisting(path);
  const passphrase = await chosenPassphrase(options);
  terminal.progress("Making the root's keys");
  const folder = await KeyFolder.create(path, swarm, passphrase);
  terminal.endProgress();
  keepFromGit(options.state);
  terminal.line(`The root of ${swarm} is in ${shownPath(path)}, under your passphrase.`);
  terminal.line(
    "Keep a copy of that folder, and the passphrase, off this computer: without them nobody can be issued an identity or revoked.",
  );
  terminal.line("Next: covey keys issue gives every host and board of swarm.ts its identity.");
  const root = Buffer.from(folder.root).toString("base64url");
  terminal.result({ swarm, folder: path, root });
}

/** Nothing of what members keep is to be published by mistake. */
function keepFromGit(state: string): void {
  const file = join(state, ".gitignore");
  if (!existsSync(file)) writeFileSync(file, "*\n");
}

async function swarmOf({ swarm, file }: KeyOptions): Promise<string> {
  const { isName, nameRule } = await import("../../swarm-file/given.ts");
  if (swarm !== undefined) {
    if (isName(swarm)) return swarm;
    throw new WrongInput(`${JSON.stringify(swarm)} cannot name a swarm: ${nameRule}.`);
  }
  const { loadSwarm } = await import("../../swarm-file/load.ts");
  return (await loadSwarm(file)).name;
}
