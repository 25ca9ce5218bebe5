/** Roles: tasks of which the swarm decides only who holds them; what that means is up to whoever does. */
import type { TaskDefinition } from "../../swarm-file/definition.ts";

/** It is for a process on a host to do: `covey task hold`. */
export function isRoleOfHosts({ on, aggregate }: TaskDefinition): boolean {
  return on === "hosts" && aggregate === undefined;
}

/** What a host has, for `Work.needs`, at which somebody stands ready to carry out the role `task`. No name in `swarm.ts` has a `/`. */
export function readinessFor(task: string): string {
  return `ready/${task}`;
}
