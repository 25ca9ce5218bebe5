/** What `/api/members` takes and answers. */

export interface Members {
  /** Member id of the leader; undefined while nobody leads. */
  readonly leader: string | undefined;
  readonly term: number;
  readonly commitIndex: number;
  /** Voters that answer now, and how many of them a decision needs. */
  readonly answering: number;
  readonly quorum: number;
  /** How many more voters may be lost before nothing can be decided; below 0 nothing can now. */
  readonly spare: number;
  /** Hosts, then boards, each in the order of `swarm.ts`; then ids that vote and belong to none of these any more. */
  readonly members: readonly MemberStatus[];
  /** What is unwise about the present voters, and what to do; undefined when nothing is. */
  readonly advice: string | undefined;
}

export interface MemberStatus {
  /** Name in `swarm.ts`. */
  readonly name: string;
  readonly kind: "host" | "board";
  /** `name.incarnation`; undefined when never heard of. */
  readonly memberId: string | undefined;
  readonly role: "leader" | "voter" | "learner" | "unknown";
  /** It ought to vote: it does, or will when it has caught up. */
  readonly shouldVote: boolean;
  /** The last entry known to be in its log, and the last that it applied. */
  readonly matchIndex: number;
  readonly appliedIndex: number;
  /** Names of the hosts that it is connected to; of a host, empty when it is not connected to the one that answers. */
  readonly hosts: readonly string[];
  /** Since it last answered, as the leader sees it; undefined for never. */
  readonly silentMs: number | undefined;
  readonly answers: boolean;
}

export type VoterAction = "promote" | "demote" | "replace";

export interface VotersChanged {
  /** Names of the boards that ought to vote from now on. */
  readonly voters: readonly string[];
  /** Why that is unwise, where it was forced. */
  readonly warning: string | undefined;
}
