/** The members of the swarm as this host knows them, who of them ought to vote, and which host is to lead. */
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { Members, VotersChanged } from "../api/types/members.ts";
import type { BoardStatus, HostStatus } from "../api/types/status.ts";
import type { BoardRegistry } from "../boards/board-registry.ts";
import type { HostState } from "../hosts/host-frames.ts";
import type { HostLinks } from "../hosts/host-links.ts";
import type { Leadership } from "../hosts/leadership.ts";
import { shownRole } from "../hosts/peers.ts";
import { votersKey } from "../raft/host-member-types.ts";
import type { Replica } from "../raft/replica.ts";
import { nameOf } from "../raft/voter-policy.ts";
import type { AgreedState } from "../state/agreed-state.ts";
import { notLeading } from "../state/commands.ts";
import type { Proposals } from "../state/proposals.ts";
import { changeVoters, type VoterChange } from "./change-voters.ts";
import { listMembers } from "./member-list.ts";
import { votersOf, votersToText } from "./voter-names.ts";

export interface SwarmMembersOptions {
  readonly definition: SwarmDefinition;
  readonly hostName: string;
  readonly state: AgreedState;
  readonly replica: Replica;
  readonly leadership: Leadership;
  readonly proposals: Proposals;
  readonly boards: BoardRegistry;
  readonly links: HostLinks;
  /** What the other hosts last said of themselves, by name. */
  readonly peers: ReadonlyMap<string, HostState>;
  /** Of this host. */
  readonly reach: { readonly url: string };
}

export class SwarmMembers {
  readonly #options: SwarmMembersOptions;

  constructor(options: SwarmMembersOptions) {
    this.#options = options;
  }

  list(): Members {
    const { definition, replica, state } = this.#options;
    return listMembers({
      replica: replica.status(),
      hosts: this.hosts(),
      boards: this.boards(),
      voterNames: votersOf(state) ?? definition.voters,
    });
  }

  /** In the order of `swarm.ts`. */
  hosts(): HostStatus[] {
    const { definition, hostName, replica, boards, links, peers, reach } = this.#options;
    const own = replica.status();
    return definition.hosts.map((name) => {
      const isHere = name === hostName;
      const peer = isHere ? { ...own, memberId: own.id, role: shownRole(own.role) } : peers.get(name);
      const memberId = peer?.memberId ?? own.voters.find((voter) => nameOf(voter) === name);
      return {
        name,
        memberId,
        role: isHere || links.isUp(name) ? (peer?.role ?? "unknown") : "unknown",
        link: isHere || links.isUp(name) ? "up" : "down",
        isVoter: memberId !== undefined && own.voters.includes(memberId),
        term: peer?.term ?? 0,
        commitIndex: peer?.commitIndex ?? 0,
        appliedIndex: peer?.appliedIndex ?? 0,
        url: isHere ? reach.url : links.peers.get(name)?.url,
        boards: boards.countAt(name),
      };
    });
  }

  /** In the order of `swarm.ts`. */
  boards(): BoardStatus[] {
    const { voters } = this.#options.replica.status();
    return this.#options.boards.status((member) => voters.includes(member));
  }

  /** Resolves once it is agreed on who ought to vote. Rejects with `ApiFailure`. */
  async changeVoters(change: VoterChange): Promise<VotersChanged> {
    const { replica, state, leadership, proposals } = this.#options;
    await leadership.demand();
    const present = votersOf(state);
    if (present === undefined) throw notLeading(replica);
    const { names, warning } = changeVoters(present, this.list(), change, { sleepers: this.#sleepers });
    // Somebody else's change since then would be undone.
    await proposals.put(votersKey, votersToText(names), votersToText(present));
    return { voters: names, warning };
  }

  /** @throws {ApiFailure} */
  transfer(to: string): void {
    const { replica, definition, hostName } = this.#options;
    if (!replica.isLeader) throw notLeading(replica);
    if (!definition.hosts.includes(to)) {
      const others = definition.hosts.filter((host) => host !== hostName).join(" or ") || "no other host";
      throw new ApiFailure("bad-request", `${to} is no host: only hosts lead, and this swarm has ${others}.`);
    }
    if (to === hostName) throw new ApiFailure("bad-request", `${to} leads already.`);
    const silentMs = this.list().members.find(({ name }) => name === to)?.silentMs;
    if (silentMs === undefined || silentMs > transferSilenceMs) {
      throw new ApiFailure("bad-request", `${to} does not answer, so it cannot lead: start it first.`);
    }
    try {
      replica.transfer(to);
    } catch (error) {
      if (error instanceof Error) throw new ApiFailure("not-leader", error.message);
      throw error;
    }
  }

  get #sleepers(): ReadonlySet<string> {
    const boards = Object.entries(this.#options.definition.boards);
    return new Set(boards.filter(([, { program }]) => program.sleep !== undefined).map(([name]) => name));
  }
}

/** A host that did not answer for so long will not take over at once. */
const transferSilenceMs = 1_000;
