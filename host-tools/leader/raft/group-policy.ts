/** What this host, when it leads, wants of the group: who votes, and who takes published entries. */
import type { Change } from "../../../protocols/raft/confchange.ts";
import { changesTo, isVoter } from "../../../protocols/raft/confchange.ts";
import type { Node } from "../../../protocols/raft/node.ts";
import type { MemberId } from "../../../protocols/raft/types.ts";
import type { AppliedState } from "./applied-state.ts";
import type { HostMemberOptions } from "./host-member-types.ts";
import { nameOf, nextVoters } from "./voter-policy.ts";

export class GroupPolicy {
  readonly #options: HostMemberOptions;
  readonly #applied: AppliedState;

  constructor(options: HostMemberOptions, applied: AppliedState) {
    this.#options = options;
    this.#applied = applied;
  }

  isHost(idOrName: string): boolean {
    return this.#options.hostNames.includes(nameOf(idOrName));
  }

  /** Hosts, voters and boards on their way to be voters do not: they are sent the log itself. */
  shouldListen(id: MemberId, node: Node): boolean {
    const isWanted = this.isHost(id) || this.#applied.voterNames?.includes(nameOf(id)) === true;
    return !isWanted && !isVoter(node.configuration, id);
  }

  /** The next step to the voters that there ought to be; undefined when there is none, or none now. */
  nextChanges(node: Node, nowMs: number): readonly Change[] | undefined {
    if (!node.isMembershipSettled || node.transferringTo !== undefined) return undefined;
    const voters = nextVoters({
      self: node.id,
      voters: node.voters,
      members: node.members,
      commitIndex: node.commitIndex,
      hostNames: this.#options.hostNames,
      voterNames: this.#applied.voterNames,
      nowMs,
      aliveMs: this.#options.timing.electionMaxMs,
    });
    return voters === undefined ? undefined : changesTo(voters, node.configuration);
  }
}
