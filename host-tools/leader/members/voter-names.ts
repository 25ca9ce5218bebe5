/** Who ought to vote, as it is kept in the agreed state: the boards' names; hosts always vote. */

import { reservedKeyPrefix } from "../../../protocols/state/command.ts";
import { votersKey } from "../raft/host-member-types.ts";
import type { AgreedState } from "../state/agreed-state.ts";

/** What `swarm.ts` said when it last changed: as long as it says the same, whoever changed the voters since is right. */
export const votersDeclaredKey = `${reservedKeyPrefix}voters-declared`;

export function votersToText(names: readonly string[]): string {
  return names.join(",");
}

/** undefined while nothing is agreed. */
export function votersOf(state: AgreedState): string[] | undefined {
  const value = state.get(votersKey)?.value;
  if (typeof value !== "string") return undefined;
  return value === "" ? [] : value.split(",");
}
