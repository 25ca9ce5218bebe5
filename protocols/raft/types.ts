/**
 * The nouns of Raft as Covey uses them, and the contract between a core and whoever drives it.
 *
 * A core reads its log through `RaftLog` and answers every input with a `RaftOutput`. The driver owes it this order:
 * 1. change its log as `truncateFrom` and `entries` say, before the next input reaches the core;
 * 2. make `hardState` and those changes durable (Raft paper, figure 2: "Updated on stable storage before responding to RPCs");
 * 3. apply the entries up to `commitIndex`, in order, and tell the core with `setApplied`;
 * 4. send `messages`. An append response not yet sent then already says what was applied.
 */

/** `name.incarnation`, for example `north-1.5f3a90c2`: a member that lost its state returns under a new one. */
export type MemberId = string;

export interface HardState {
  readonly term: number;
  /** Whom this member voted for in `term`; undefined for nobody. */
  readonly vote: MemberId | undefined;
}

/** What an entry is for. A kind or version that a member does not know is kept in the log and skipped when applied. */
export const EntryKind = Object.freeze({
  /** Appended by a new leader so that it can commit what came before it (thesis, section 6.4). No data. */
  noop: 0,
  /** Sets one key of the agreed state: see `protocols/state/command.ts`. */
  put: 1,
  /** Who votes from this entry on: see `membership.ts`. Only hosts read it. */
  membership: 2,
});

export interface Entry {
  readonly index: number;
  readonly term: number;
  /** One of `EntryKind`, or a number from a newer version. */
  readonly kind: number;
  /** Version of the encoding of `data`; 1 now. */
  readonly version: number;
  readonly data: Uint8Array;
}

export interface VoteRequest {
  readonly type: "vote-request";
  readonly from: MemberId;
  readonly to: MemberId;
  /** The term to be led; of a pre-vote, the one that the sender would enter. */
  readonly term: number;
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
  readonly purpose: VotePurpose;
}

/**
 * Why a vote is asked for: `pre-vote`, would I be elected? (thesis, section 9.6); `transfer`, the leader itself wants me to
 * lead (3.10), so that it still speaks is no reason to refuse; else `election`.
 */
export type VotePurpose = "election" | "pre-vote" | "transfer";

export interface VoteResponse {
  readonly type: "vote-response";
  readonly from: MemberId;
  readonly to: MemberId;
  /** The responder's; of a pre-vote that is granted, the one that was asked for. */
  readonly term: number;
  readonly granted: boolean;
  /** Only an answer to a pre-vote: no vote was given. */
  readonly isPreVote: boolean;
}

export interface AppendRequest {
  readonly type: "append-request";
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
  readonly prevLogIndex: number;
  readonly prevLogTerm: number;
  /** The leader's commit index; the follower commits up to the smaller of this and what it now knows to match. */
  readonly commitIndex: number;
  /** The leader's round of confirming reads, to be sent back (thesis, section 6.4); 0 for none. */
  readonly readRound: number;
  /** Consecutive, from prevLogIndex + 1; empty is a heartbeat. At most `limits.appendEntriesMax`. */
  readonly entries: readonly Entry[];
}

export interface AppendResponse {
  readonly type: "append-response";
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
  readonly success: boolean;
  /** On success: the last index known to match the leader's log. On refusal: where the leader should try next (last index that could match). */
  readonly matchIndex: number;
  /** The last index that this member has applied. */
  readonly appliedIndex: number;
  /** That of the request. */
  readonly readRound: number;
}

/** The leader asks `to` to campaign at once (thesis, section 3.10). Only ever sent to a host. */
export interface TimeoutNow {
  readonly type: "timeout-now";
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
}

export type Message = VoteRequest | VoteResponse | AppendRequest | AppendResponse | TimeoutNow;

/** The log as a core reads it. It already reflects every earlier output, durable or not. */
export interface RaftLog {
  /** First index still held; one past the compaction point. 1 in a log never compacted. */
  readonly firstIndex: number;
  /** 0 when empty and never compacted. */
  readonly lastIndex: number;
  /** Term of the entry at `index`; 0 for index 0; also known at `firstIndex - 1`; undefined elsewhere outside the log. */
  termAt(index: number): number | undefined;
}

/** The log as a host's core reads it. */
export interface HostLog extends RaftLog {
  /** The entry at `index`, which lies between `firstIndex` and `lastIndex`. */
  entry(index: number): Entry;
}

/** What a driver must do after an input, in the order described above. */
export interface RaftOutput {
  /** To make durable; undefined when unchanged. */
  readonly hardState: HardState | undefined;
  /** Drop this index and all after it before appending; 0 for nothing to drop. Never at or below the commit index. */
  readonly truncateFrom: number;
  /** To append, consecutive; empty when there is nothing. */
  readonly entries: readonly Entry[];
  /** To send once the above is durable. */
  readonly messages: readonly Message[];
  /** The commit index after this input. */
  readonly commitIndex: number;
  /** A promise of Raft that the sender broke, one sentence; the message was refused and nothing changed. undefined for none. */
  readonly violation: string | undefined;
}

/** Limits that are part of the protocol, checked when a command is proposed and again when bytes arrive (design, point 11). */
export const limits = Object.freeze({
  /** Bytes of `Entry.data`. */
  entryBytesMax: 1024,
  /** Entries in one append request. */
  appendEntriesMax: 16,
  /** Bytes of all `Entry.data` in one append request: what a board can hold beside everything else. */
  appendBytesMax: 2048,
  /** UTF-8 bytes of a member id. */
  memberIdBytesMax: 48,
  /** Voters in one group; while they change, as many more. */
  votersMax: 9,
  /** Least time without a word from the leader before a board gives its vote to another (thesis, section 4.2.3). */
  leaderSilenceMs: 1000,
});
