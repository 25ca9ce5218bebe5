/** A module of a simulation as it is where something in the sources is changed: what shows that a deliberate fault is found. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Source text that stands exactly once in the file, and what to put there. */
export interface Change {
  /** From the project's folder. */
  readonly file: string;
  readonly correct: string;
  readonly broken: string;
}

const project = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Writes a changed copy of these files and folders to a temporary folder, loads the modules from it, and removes the folder. `copied` is all that they import, from the
 * project's folder as `modules`. Throws when a text to change is not there exactly once: then the sources have moved on, and the fault must follow.
 */
export async function loadChanged<Module>(
  changes: readonly Change[],
  copied: readonly string[],
  ...modules: readonly string[]
): Promise<Module> {
  const folder = mkdtempSync(join(tmpdir(), "covey-changed-"));
  try {
    for (const path of copied) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      cpSync(join(project, path), join(folder, path), { recursive: true });
    }
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    symlinkSync(join(project, "node_modules"), join(folder, "node_modules"), "dir");
    for (const { file, correct, broken } of changes) {
      const path = join(folder, file);
      const parts = readFileSync(path, "utf8").split(correct);
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${correct}`);
      writeFileSync(path, parts.join(broken));
    }
    const loaded: object[] = [];
    for (const module of modules)
      loaded.push(await import(/* @vite-ignore */ pathToFileURL(join(folder, module)).href));
    return Object.assign({}, ...loaded) as Module;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
