/** `covey replace`: a dead board's vote goes to another one. */
import { SwarmClient } from "../swarm-client.ts";
import type { Verb } from "../verb.ts";
import { changeVoters, type MembersOptions, memberOptions } from "./members.ts";

export const replace: Verb<MembersOptions> = {
  usage: "replace <old> <new>",
  summary: "let a board take the vote of one that is dead",
  details:
    "The old board stops voting and the new one begins, in one step where the rest has a majority. Should the old board come back, it follows without a vote.",
  examples: ["covey replace north-1 north-2"],
  options: memberOptions(),
  run: (terminal, options, [old, successor]) =>
    changeVoters(terminal, SwarmClient.find(options), options, "replace", [old!, successor!]),
};
