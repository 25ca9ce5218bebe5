/** What boards tell of tasks: taken only from whoever holds the task, under the token of its present tenure (fencing). */
import { readFencedMetric } from "../../../protocols/tasks/placement.ts";
import type { TaskDefinition } from "../../swarm-file/definition.ts";
import type { AgreedTasks } from "./agreed-tasks.ts";

export interface TaskMetric {
  readonly metric: string;
  readonly unit: string | undefined;
}

/**
 * What `told` is, a task's metric with a token, from `board`; undefined for one that it may not tell, which is not stored: somebody else may be telling it by now. A host
 * that is behind the leader refuses what it has not heard of yet, for a moment.
 */
export function taskMetricOf(
  tasks: Readonly<Record<string, TaskDefinition>>,
  agreed: AgreedTasks,
  board: string,
  told: string,
): TaskMetric | undefined {
  const fenced = readFencedMetric(told);
  if (fenced === undefined) return undefined;
  const { metric, token } = fenced;
  for (const [name, { units, pipelines }] of Object.entries(tasks)) {
    if (!pipelines.some((pipeline) => pipeline.metric === metric)) continue;
    const placement = agreed.placements.get(name)?.placement;
    if (placement?.holder !== board || placement.token !== token) return undefined;
    return { metric, unit: Object.hasOwn(units, metric) ? units[metric] : undefined };
  }
  return undefined;
}
