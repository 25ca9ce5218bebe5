/**
 * The nouns of Raft as Covey uses them, and the contract between a core and whoever drives it.
 *
 * A core reads its log through `RaftLog` and answers every input with a `RaftOutput`. The driver owes it this order:
 * 1. change its log as `truncateFrom`, `entries` and `snapshot` say, before the next input reaches the core;
 * 2. make `hardState` and those changes durable (Raft paper, figure 2: "Updated on stable storage before responding to RPCs");
 * 3. apply the entries up to `commitIndex`, in order, and tell the core with `setApplied`;
 * 4. send `publications`, then `messages`. An append response not yet sent then already says what was applied.
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
  /** Who votes from this entry on: see `membership.ts`. A host acts on it; a board reads there whether it votes. */
  membership: 2,
  /** Only ever an item of a snapshot from host to host: the commands that were applied last (`host-tools/leader/raft/`). */
  commandIds: 3,
  /** Sets several keys of the agreed state at once: all of them or none, and nobody sees half of it. See `protocols/state/puts.ts`. */
  puts: 4,
  /** Makes a draft the state: as `puts`, of more than an entry holds. See `protocols/state/draft.ts`. */
  adoption: 5,
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
  /** The end of the responder's log, so that a host refused for a stale one knows where to get what it lacks (design, point 8). */
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
}

export interface AppendRequest {
  readonly type: "append-request";
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
  readonly prevLogIndex: number;
  readonly prevLogTerm: number;
  /**
   * The chain hash at prevLogIndex: `chainHashBytes` of it. Equal index and term say that two logs agree only where nobody forges;
   * an equal hash says so anyway, so a member that takes published entries commits nothing that a hash does not cover (design, point 12).
   */
  readonly prevHash: Uint8Array;
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

/**
 * Committed entries, encoded once and published once per broker to all learners that listen (design, point 12). Whoever knows the group's
 * key could have written it: a learner appends what follows on its log, answers nothing, raises neither term nor commit index by it, and
 * commits only when the leader's own next append names the hash that its log then has.
 */
export interface Publication {
  readonly type: "publication";
  readonly from: MemberId;
  readonly term: number;
  readonly prevLogIndex: number;
  readonly prevLogTerm: number;
  readonly prevHash: Uint8Array;
  /** Consecutive, from prevLogIndex + 1; at least one, within the limits of an append. */
  readonly entries: readonly Entry[];
}

/**
 * A part of a snapshot (Raft paper, section 7): from the leader to a member that is behind what the leader's log still holds, or from a
 * voter to a host that catches up. Chunks come in order; whoever receives says how far it is, so a transfer goes on where it broke off.
 */
export interface SnapshotChunk {
  readonly type: "snapshot-chunk";
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
  /** The last entry that the snapshot covers, and the chain hash there. Two snapshots of the same entry have the same items. */
  readonly index: number;
  readonly indexTerm: number;
  readonly hash: Uint8Array;
  /** Number of the first item in this chunk, from 0. */
  readonly first: number;
  /** At most `limits.snapshotChunkBytes` of data, or one item. */
  readonly items: readonly SnapshotItem[];
  readonly isLast: boolean;
}

/**
 * A snapshot is a shorter log that leads to the same state: first the configuration in force at its end (kind `membership`), then a put for each
 * key, sorted by key in code units, then what only hosts keep. Versions and data are those of entries.
 */
export interface SnapshotItem {
  readonly kind: number;
  readonly version: number;
  readonly data: Uint8Array;
}

/** To the leader, for each chunk. */
export interface SnapshotResponse {
  readonly type: "snapshot-response";
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
  readonly index: number;
  readonly indexTerm: number;
  /** Items of that snapshot that it holds durably: the number of the next one that it wants. */
  readonly received: number;
  /** It needs no more of it: its log now begins, or already went on, behind `index`. */
  readonly isInstalled: boolean;
}

/**
 * A host that was refused for a stale log asks a voter for what it lacks (design, point 8). Answered with a `log-response`, or
 * with a snapshot chunk when the voter no longer holds what follows.
 */
export interface LogRequest {
  readonly type: "log-request";
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
  /** The end of the log that the host has, or of the part that it still believes to be shared. */
  readonly afterIndex: number;
  readonly afterTerm: number;
  /** Of a snapshot being fetched: which, and the number of the next item; 0 and 0 for none. */
  readonly snapshotIndex: number;
  readonly snapshotFirst: number;
}

/** What follows in the responder's log; `isMatch` false: it has another entry at `afterIndex`, so go on with `prevLogIndex` as the next guess. */
export interface LogResponse {
  readonly type: "log-response";
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
  readonly isMatch: boolean;
  readonly prevLogIndex: number;
  readonly prevLogTerm: number;
  /** The end of the responder's log and how far it knows it to be committed. */
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
  readonly commitIndex: number;
  /** Consecutive, from prevLogIndex + 1. */
  readonly entries: readonly Entry[];
}

export type Message =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | TimeoutNow
  | SnapshotChunk
  | SnapshotResponse
  | LogRequest
  | LogResponse;

/** Which entry a snapshot stands for the state after, and the chain hash there. */
export interface SnapshotPlace {
  readonly index: number;
  readonly term: number;
  readonly hash: Uint8Array;
}

/** A snapshot being received: how many of its items are durable here. */
export interface StagedSnapshot extends SnapshotPlace {
  readonly items: number;
}

/** The log as a core reads it. It already reflects every earlier output, durable or not. */
export interface RaftLog {
  /** First index still held; one past the compaction point. 1 in a log never compacted. */
  readonly firstIndex: number;
  /** 0 when empty and never compacted. */
  readonly lastIndex: number;
  /** Term of the entry at `index`; 0 for index 0; also known at `firstIndex - 1`; undefined elsewhere outside the log. */
  termAt(index: number): number | undefined;
  /** The chain hash at `index` (`chain.ts`); known wherever `termAt` is. */
  hashAt(index: number): Uint8Array | undefined;
  /** The entry at `index`, which lies between `firstIndex` and `lastIndex`. */
  entry(index: number): Entry;
  /** What stands for all before `firstIndex`, at or after `firstIndex - 1`; undefined in a log never compacted. A board's is its applied state. */
  readonly snapshot: SnapshotPlace | undefined;
  /**
   * Items of the snapshot at `index` from number `first` on: at most `bytesMax` of data, or one item. undefined when that snapshot is no longer
   * held. `to` decides what is left out for a board. Behind the last item: none, and that this was the last; whoever lost its power after it
   * staged the last one asks for that.
   */
  snapshotItems(index: number, to: MemberId, first: number, bytesMax: number): SnapshotItems | undefined;
  /** What was received so far of a snapshot; undefined for none. */
  readonly staged: StagedSnapshot | undefined;
}

export interface SnapshotItems {
  readonly items: readonly SnapshotItem[];
  readonly isLast: boolean;
}

/** What a driver must do after an input, in the order described above. */
export interface RaftOutput {
  /** To make durable; undefined when unchanged. */
  readonly hardState: HardState | undefined;
  /** Drop this index and all after it before appending; 0 for nothing to drop. Never at or below the commit index. */
  readonly truncateFrom: number;
  /** To append, consecutive; empty when there is nothing. */
  readonly entries: readonly Entry[];
  /**
   * To stage: the items follow on what `RaftLog.staged` says, and those with `first` 0 replace whatever was staged. The last one makes
   * the snapshot the state, at once or not at all: the log is then empty and begins behind it, all of it is applied. undefined for none.
   */
  readonly snapshot: SnapshotChunk | undefined;
  /** To send once the above is durable. */
  readonly messages: readonly Message[];
  /** To publish once per broker, before the messages; only a leader has any. */
  readonly publications: readonly Publication[];
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
  /** Bytes of all data in one snapshot chunk; a single item may have `entryBytesMax`. */
  snapshotChunkBytes: 1024,
  /** UTF-8 bytes of a member id. */
  memberIdBytesMax: 48,
  /** Voters in one group; while they change, as many more. */
  votersMax: 9,
  /** Least time without a word from the leader before a board gives its vote to another (thesis, section 4.2.3). */
  leaderSilenceMs: 1000,
});
