/** How a host's member stands, for people and tools. */
import { isVoter } from "../../../protocols/raft/confchange.ts";
import type { Node } from "../../../protocols/raft/node.ts";
import type { AppliedState } from "./applied-state.ts";
import type { CommandTable } from "./command-table.ts";
import type { HostLog } from "./host-log.ts";
import type { HostMemberStatus } from "./host-member-types.ts";

export function statusOf(
  node: Node,
  log: HostLog,
  applied: AppliedState,
  commands: CommandTable,
  nowMs: number,
): HostMemberStatus {
  const { role, term, leaderId, commitIndex, configuration, voters, transferringTo } = node;
  const members = Array.from(node.members, ([id, progress]) => ({
    id,
    isVoter: isVoter(configuration, id),
    listens: progress.listens,
    matchIndex: progress.matchIndex,
    appliedIndex: progress.appliedIndex,
    silentMs: progress.heardMs === undefined ? undefined : nowMs - progress.heardMs,
  }));
  return {
    id: node.id,
    role,
    term,
    leaderId,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    commitIndex,
    appliedIndex: applied.index,
    snapshotIndex: log.snapshot?.index ?? 0,
    commandsFloor: commands.floor,
    configuration,
    voters,
    voterNames: applied.voterNames,
    transferringTo,
    members,
  };
}
