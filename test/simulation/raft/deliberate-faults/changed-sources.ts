/** The simulation on a copy of the sources in which something is changed. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { simulateCore } from "../core/core-engine.ts";
import type { simulateFull } from "../full/full-engine.ts";

/** Source text that stands exactly once in the file, and what to put there. */
export interface Change {
  /** From the project's folder. */
  readonly file: string;
  readonly correct: string;
  readonly broken: string;
}

export interface ChangedSimulation {
  readonly simulateCore: typeof simulateCore;
  readonly simulateFull: typeof simulateFull;
}

const project = fileURLToPath(new URL("../../../../", import.meta.url));

/** All that the simulation imports. */
const copied = [
  "protocols",
  "firmware",
  "host-tools/codec",
  "host-tools/keys",
  "host-tools/security",
  "host-tools/leader/raft",
  "host-tools/leader/state/agreed-state.ts",
  "host-tools/leader/tasks",
  "host-tools/raft-shell",
  "test/firmware/storage/flash-model.ts",
  "test/members.ts",
  "test/protocols/raft/group",
  "test/simulation/linearizability",
  "test/simulation/raft",
  "test/simulation/seeded-ciphers.ts",
];

/**
 * Writes the changed copy to a temporary folder, loads what runs a seed from it, and removes the folder. Throws when a text to change is not there
 * exactly once: then the sources have moved on, and the fault must follow.
 */
export async function changedSimulation(
  changes: readonly Change[],
  engine: "core" | "full",
): Promise<ChangedSimulation> {
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
    const main = join(folder, "test/simulation/raft", engine, `${engine}-engine.ts`);
    return await import(/* @vite-ignore */ pathToFileURL(main).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
