/** The simulation of tasks on a copy of the sources in which something is changed. */
import { type Change, loadChanged } from "../changed-sources.ts";
import type { scenarios } from "./scenarios.ts";
import type { runTasks } from "./task-run.ts";

export interface ChangedTasks {
  readonly runTasks: typeof runTasks;
  readonly scenarios: typeof scenarios;
}

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

/** As `loadChanged`. */
export async function changedTasks(change: Change): Promise<ChangedTasks> {
  const folder = "test/simulation/tasks";
  return loadChanged<ChangedTasks>([change], copied, `${folder}/task-run.ts`, `${folder}/scenarios.ts`);
}
