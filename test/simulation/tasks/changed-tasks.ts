/** The simulation of tasks on a copy of the sources in which something is changed. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Change } from "../raft/deliberate-faults/changed-sources.ts";
import type { scenarios } from "./scenarios.ts";
import type { runTasks } from "./task-run.ts";

export interface ChangedTasks {
  readonly runTasks: typeof runTasks;
  readonly scenarios: typeof scenarios;
}

const project = fileURLToPath(new URL("../../../", import.meta.url));

/** All that the simulation imports. */
const copied = [
  "protocols",
  "host-tools/codec",
  "host-tools/leader/state/agreed-state.ts",
  "host-tools/leader/raft",
  "host-tools/leader/tasks",
  "test/host-tools/leader/raft/host-world.ts",
  "test/simulation/raft/simulated-disk.ts",
  "test/simulation/tasks",
];

/** Throws when the text to change is not there exactly once: then the sources have moved on, and the fault must follow. */
export async function changedTasks({ file, correct, broken }: Change): Promise<ChangedTasks> {
  const folder = mkdtempSync(join(tmpdir(), "covey-changed-"));
  try {
    for (const path of copied) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      cpSync(join(project, path), join(folder, path), { recursive: true });
    }
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    symlinkSync(join(project, "node_modules"), join(folder, "node_modules"), "dir");
    const path = join(folder, file);
    const parts = readFileSync(path, "utf8").split(correct);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${correct}`);
    writeFileSync(path, parts.join(broken));
    const load = (name: string) =>
      import(/* @vite-ignore */ pathToFileURL(join(folder, "test/simulation/tasks", name)).href);
    return { ...(await load("task-run.ts")), ...(await load("scenarios.ts")) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
