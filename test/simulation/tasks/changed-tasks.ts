/** The simulation of tasks on sources in which something is changed. */
import { type Change, loadChanged } from "../changed-sources.ts";
import type { scenarios } from "./scenarios.ts";
import type { runTasks } from "./task-run.ts";

export interface ChangedTasks {
  readonly runTasks: typeof runTasks;
  readonly scenarios: typeof scenarios;
}

/** As `loadChanged`. */
export async function changedTasks(change: Change): Promise<ChangedTasks> {
  const folder = "test/simulation/tasks";
  return loadChanged<ChangedTasks>([change], `${folder}/task-run.ts`, `${folder}/scenarios.ts`);
}
