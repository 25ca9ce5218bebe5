/** What a host's core is given, and what it gives back beside `RaftOutput`. */
import type { Sha256 } from "./chain.ts";
import type { Configuration } from "./confchange.ts";
import type { Flow } from "./progress.ts";
import type { HardState, MemberId, RaftLog, RaftOutput } from "./types.ts";
import { limits } from "./types.ts";

/** `catching-up`: was refused for its log, and copies that of a voter that has more (design, point 8). */
export type Role = "follower" | "catching-up" | "pre-candidate" | "candidate" | "leader";

export interface NodeOptions {
  readonly id: MemberId;
  readonly hardState: HardState;
  /**
   * Durable when handed over; must reflect every earlier output at each call. Who belongs to the group is read from it: the
   * first item of its snapshot, and its entries.
   */
  readonly log: RaftLog;
  readonly sha256: Sha256;
  /** Known to be committed from before; 0 when that was not kept. What the log's snapshot covers is. */
  readonly commitIndex: number;
  /** What holds before the first entry of a log that was never compacted; that nobody belongs to the group, when not said. */
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
  /** Whether a host refused for a stale log copies a better one (design, point 8). True when not said; without it, the protocol of the paper. */
  readonly catchesUp?: boolean;
  /** Whether a leader answers reads within its lease without asking (6.4.1); only with `checkQuorum`. True when not said. */
  readonly leaseReads?: boolean;
  /** Whether a member is a host, so that leadership may pass to it: boards vote, but never lead. All are when not said. */
  readonly isHost?: (id: MemberId) => boolean;
  /** How much is sent to a member at a time: `hostFlow` suits a host, `boardFlow` everyone, and is what holds when not said. */
  readonly flowOf?: (id: MemberId) => Flow;
  /** Entries that may wait for a majority; `uncommittedEntriesMax` when not said. */
  readonly uncommittedEntriesMax?: number;
}

export interface Timing {
  readonly heartbeatMs: number;
  /**
   * A host that hears no leader campaigns after a time between these two, drawn anew each time. One that heard a leader within the lower
   * gives no vote; a leader that did not hear a majority within the upper steps down.
   */
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
  /**
   * Who would not be elected asks again after this time, and up to as much more, drawn anew each time; after an election timeout when
   * not said. Asking enters no term and takes nobody's vote, so it may be short: a voter that heard the leader a little later than this host
   * says nothing the first time.
   */
  readonly askAgainMs?: number;
}

export interface MemberOptions {
  /**
   * Whether it takes publications. A voter never does, whatever is said; nor should a learner that is to vote, whose log must be what the
   * leader itself sent. Added again, a member listens or not as said then.
   */
  readonly listens: boolean;
}

/** What `propose` did: the entry's place, if it is committed there in that term. */
export interface Proposal {
  readonly index: number;
  readonly term: number;
  readonly output: RaftOutput;
}

/** A read asked of a leader: it sees the newest state once it is confirmed and `index` is applied. */
export interface Read {
  readonly term: number;
  /** Confirmed once `confirmedRound` reached this in `term`; 0 when the lease confirmed it. */
  readonly round: number;
  readonly index: number;
  /** Whether it need not wait for an answer. */
  readonly isConfirmed: boolean;
  readonly output: RaftOutput;
}

/** Most entries that may wait for a majority. */
export const uncommittedEntriesMax = 1024;

/** What hosts take from each other in one message, where boards take `limits`: for `messageFromWire`. */
export const hostLimits = Object.freeze({
  entryBytesMax: limits.entryBytesMax,
  appendEntriesMax: 256,
  appendBytesMax: 65_536,
  snapshotChunkBytes: 65_536,
});

/** To a host. */
export const hostFlow: Flow = Object.freeze({
  appendEntriesMax: hostLimits.appendEntriesMax,
  appendBytesMax: hostLimits.appendBytesMax,
  inflightAppendsMax: 16,
  inflightBytesMax: 4 * hostLimits.appendBytesMax,
  snapshotChunkBytes: hostLimits.snapshotChunkBytes,
});

/** Most members that a leader replicates to: a cell of about 250 boards, and room for those that come back under a new id. */
export const membersMax = 512;

/**
 * By how much the paces of two clocks may differ, as a share: a tenth is a hundred times what a chip's crystal drifts, and room for
 * a host whose clock is being slewed.
 */
export const clockDriftMax = 0.1;

/** How long after a majority was asked, and answered, nobody else can have been elected: no voter's silence is shorter. */
export function leaseMsOf({ electionMinMs }: Timing): number {
  return Math.floor(Math.min(electionMinMs, limits.leaderSilenceMs) * (1 - clockDriftMax));
}
