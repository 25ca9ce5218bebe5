/** A module of a simulation as it is where something in the sources is changed: what shows that a deliberate fault is found. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Source text that stands exactly once in the file, and what to put there. */
export interface Change {
  /** From the project's folder. */
  readonly file: string;
  readonly correct: string;
  readonly broken: string;
}

const project = fileURLToPath(new URL("../../", import.meta.url));

/**
 * What these modules export where the sources are changed so: bundled with all that they import into one file, which loads and runs in a fraction of the time that
 * hundreds of modules take. `modules` are paths from the project's folder. Throws when a text to change is not there exactly once, or when its file is none of what the
 * modules import: then the sources have moved on, and the fault must follow.
 */
export async function loadChanged<Module>(
  changes: readonly Change[],
  ...modules: readonly string[]
): Promise<Module> {
  const changed = changedSources(changes);
  const { outputFiles, metafile } = await build({
    stdin: { contents: modules.map((path) => `export * from "./${path}";`).join("\n"), resolveDir: project },
    absWorkingDir: project,
    bundle: true,
    format: "esm",
    metafile: true,
    packages: "external",
    platform: "node",
    plugins: [
      {
        name: "changed sources",
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = changed.get(path);
            return contents === undefined ? undefined : { contents, loader: "ts" };
          });
        },
      },
    ],
    write: false,
  });
  for (const { file } of changes) {
    if (metafile.inputs[file] === undefined)
      throw new Error(`${file} is imported by none of ${modules.join(", ")}.`);
  }
  return (await imported(outputFiles[0]!.contents)) as Module;
}

/** The whole text of each file, by its path. */
function changedSources(changes: readonly Change[]): Map<string, string> {
  const sources = new Map<string, string>();
  for (const { file, correct, broken } of changes) {
    const path = join(project, file);
    const parts = (sources.get(path) ?? readFileSync(path, "utf8")).split(correct);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${correct}`);
    sources.set(path, parts.join(broken));
  }
  return sources;
}

async function imported(bundle: Uint8Array): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), "covey-changed-"));
  try {
    symlinkSync(join(project, "node_modules"), join(folder, "node_modules"), "dir");
    const file = join(folder, "bundle.mjs");
    writeFileSync(file, bundle);
    return await import(/* @vite-ignore */ pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
