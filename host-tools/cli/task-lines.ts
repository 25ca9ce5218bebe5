/** Tasks as a person reads them: one line each, in columns. */
import type { TaskStatus, TasksStatus } from "../leader/api/types/tasks.ts";
import { columns } from "./columns.ts";

export function taskLines({ tasks, drained }: TasksStatus, nowMs: number): string[] {
  if (tasks.length === 0)
    return ["This swarm has no tasks; declare them in swarm.ts with task({ sense: [...] })."];
  const rows = [
    ["task", "held by", "state", "token", "since", "strategy"],
    ...tasks.map((task) => [
      ...[task.name, task.holder ?? "-", stateText(task), `${task.token}`],
      ...[task.sinceMs === undefined ? "-" : ago(nowMs - task.sinceMs), task.strategy],
    ]),
  ];
  const lines = columns(rows);
  if (drained.length > 0) lines.push(`Drained, and given no tasks: ${drained.join(", ")}.`);
  return lines;
}

function stateText({ state, silentMs }: TaskStatus): string {
  return state === "silent" ? `silent ${Math.round((silentMs ?? 0) / 1_000)} s` : state;
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
