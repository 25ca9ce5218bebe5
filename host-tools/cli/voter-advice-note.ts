/** A remark where a `swarm.ts` names voters that could be chosen better. */
import { adviceOnDefinition } from "../leader/members/voter-advice.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import type { Terminal } from "./terminal.ts";

export function noteAdvice(terminal: Terminal, { hosts, voters }: SwarmDefinition): void {
  const advice = adviceOnDefinition(hosts, voters);
  if (advice !== undefined) terminal.note(advice);
}
