/** What a host's core is given, and what it gives back beside `RaftOutput`. */
import type { Configuration } from "./confchange.ts";
import { inflightAppendsMax } from "./progress.ts";
import type { Flow } from "./replication.ts";
import type { HardState, HostLog, MemberId, RaftOutput } from "./types.ts";
import { limits } from "./types.ts";

export type Role = "follower" | "pre-candidate" | "candidate" | "leader";

export interface NodeOptions {
  readonly id: MemberId;
  readonly hardState: HardState;
  /** Durable when handed over; must reflect every earlier output at each call. */
  readonly log: HostLog;
  /** Known to be committed from before; 0 when that was not kept. */
  readonly commitIndex: number;
  /** What held at the end of what was compacted away; nothing when that was never. */
  readonly baseConfiguration?: Configuration;
  readonly timing: Timing;
  /** From 0 up to, but not including, 1; spreads the election timeouts (Raft paper, section 5.2). */
  readonly random: () => number;
  readonly nowMs: number;
  /** When a leader may last have been heard; `nowMs` when not said, because a host that starts again forgot. */
  readonly leaderHeardMs?: number;
  /** Whether a candidate asks first if it would win (thesis, section 9.6). True when not said. */
  readonly preVote?: boolean;
  /** Whether a leader without a majority steps down, and whoever hears a leader gives no vote (6.2, 4.2.3). True when not said. */
  readonly checkQuorum?: boolean;
  /** What differs from `defaultFlow`. */
  readonly flow?: Partial<NodeFlow>;
}

export interface Timing {
  readonly heartbeatMs: number;
  /**
   * A host that hears no leader campaigns after a time between these two, drawn anew each time. One that heard a leader within the lower
   * gives no vote; a leader that did not hear a majority within the upper steps down.
   */
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
}

export interface NodeFlow extends Flow {
  /** Entries that may wait for a majority. */
  readonly uncommittedEntriesMax: number;
}

/** What `propose` did: the entry's place, if it is committed there in that term. */
export interface Proposal {
  readonly index: number;
  readonly term: number;
  readonly output: RaftOutput;
}

/** A read asked of a leader: it sees the newest state once `confirmedRound` reached `round` in `term` and `index` is applied. */
export interface Read {
  readonly term: number;
  readonly round: number;
  readonly index: number;
  readonly output: RaftOutput;
}

/** Most entries that may wait for a majority. */
export const uncommittedEntriesMax = 1024;

export const defaultFlow: NodeFlow = Object.freeze({
  appendEntriesMax: limits.appendEntriesMax,
  appendBytesMax: limits.appendBytesMax,
  inflightAppendsMax,
  uncommittedEntriesMax,
});

/** Most members that a leader replicates to: a cell of about 250 boards, and room for those that come back under a new id. */
export const membersMax = 512;

/** How a change is made: see `Node.change`. */
export type Transition = "auto" | "simple" | "joint" | "joint-auto-leave";
