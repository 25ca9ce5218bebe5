/** Who leads, as this host knows it, and whether it may speak for the swarm itself. */

import type { Actor } from "../access/actor.ts";
import { authorityOf } from "../access/tls.ts";
import { fetchFrom, type Leader } from "../api/leader-requests.ts";
import type { PeerHost } from "../checkpoints/checkpoints.ts";
import type { Replica } from "../raft/replica.ts";
import { nameOf } from "../raft/voter-policy.ts";
import { notLeading } from "../state/commands.ts";
import type { Membership } from "../trust/membership.ts";
import type { HostLinks } from "./host-links.ts";

export interface LeadershipOptions {
  readonly replica: Replica;
  readonly links: HostLinks;
  readonly membership: Membership;
}

export class Leadership {
  readonly #options: LeadershipOptions;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  get isHere(): boolean {
    return this.#options.replica.isLeader;
  }

  /** `here`, the host that leads, or undefined when this host knows none. */
  get leader(): "here" | Leader | undefined {
    const { replica } = this.#options;
    if (replica.isLeader) return "here";
    const { leaderId } = replica.status();
    return leaderId === undefined ? undefined : this.#connected(nameOf(leaderId));
  }

  /** Whether, within `waitMs`, a majority confirmed that this host leads and all that anybody was told is committed is applied here. */
  async confirm(waitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), waitMs);
    });
    const confirmed = this.#options.replica.readIndex().then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([confirmed, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What is read next is all that anybody was told is committed. Rejects with `ApiFailure`. */
  async demand(): Promise<void> {
    if (!(await this.confirm(demandWaitMs))) throw notLeading(this.#options.replica);
  }

  /** The other hosts that are connected, asked in the name of `own`. */
  peerHosts(own: Actor): PeerHost[] {
    return [...this.#options.links.peers.keys()].flatMap((name) => {
      const host = this.#connected(name);
      if (host === undefined) return [];
      return [
        { name, fetch: (target, bytesMax) => fetchFrom(host, target, own, bytesMax) } satisfies PeerHost,
      ];
    });
  }

  #connected(host: string): Leader | undefined {
    const { links, membership } = this.#options;
    const url = links.peers.get(host)?.url;
    if (url === undefined) return undefined;
    const authority = authorityOf(membership.own.tls);
    return { url, authority, vouch: (request, actor) => links.vouch(host, request, actor) };
  }
}

/** For a majority to confirm who votes at present. */
const demandWaitMs = 3_000;
