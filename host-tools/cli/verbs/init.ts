/** `covey init`: a swarm of three files that runs. */
import { access, mkdir, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { WrongInput } from "../failure.ts";
import { initFiles } from "../init-files.ts";
import type { Verb } from "../verb.ts";

export const init: Verb = {
  usage: "init [folder]",
  summary: "make a swarm of three files that runs",
  details:
    "Writes package.json, swarm.ts and tsconfig.json into the folder (this one if not said). Never overwrites anything.",
  examples: ["covey init greenhouse && cd greenhouse && npm install && npx covey sim"],
  options: [],
  async run(terminal, _options, [given = "."]) {
    const folder = resolve(given);
    const files = initFiles(swarmName(basename(folder)));
    for (const name of Object.keys(files)) {
      if (await exists(join(folder, name))) {
        throw new WrongInput(
          `${join(folder, name)} is there already and init overwrites nothing; choose another folder.`,
        );
      }
    }
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      // wx: whoever made the file since the check above keeps it.
      await writeFile(join(folder, name), text, { flag: "wx" });
    }
    const next = [...enter(folder), "npm install", "npx covey sim"];
    terminal.line(`${Object.keys(files).join(", ")} are in ${folder}. Next:`);
    for (const command of next) terminal.line(`  ${terminal.style("bold", command)}`);
    terminal.result({ folder, files: Object.keys(files), next });
    return 0;
  },
};

/** As a shell takes it: nothing for this folder, and a place elsewhere by its whole path. */
function enter(folder: string): string[] {
  const near = relative(process.cwd(), folder);
  if (near === "") return [];
  const path = near.startsWith("..") ? folder : near;
  return [/^[\w./-]+$/.test(path) ? `cd ${path}` : `cd '${path.replaceAll("'", "'\\''")}'`];
}

/** A folder's name as a swarm can have it. */
function swarmName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "");
  return name === "" ? "swarm" : name.slice(0, 32).replace(/-+$/, "");
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
