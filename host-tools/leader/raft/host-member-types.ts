/** What a host's member is given, and what it tells. */
import type { Sha256 } from "../../../protocols/raft/chain.ts";
import type { Configuration } from "../../../protocols/raft/confchange.ts";
import type { Role, Timing } from "../../../protocols/raft/node-options.ts";
import type { Entry, MemberId, Message, Publication } from "../../../protocols/raft/types.ts";
import type { StateMap } from "../../../protocols/state/apply.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import { reservedKeyPrefix } from "../../../protocols/state/command.ts";
import type { CommandId } from "./command-id.ts";
import type { HostDisk } from "./host-disk.ts";
import type { LogSizes } from "./host-log.ts";

export interface HostMemberOptions {
  readonly hostName: string;
  /** Names of all hosts of the swarm, this one among them. */
  readonly hostNames: readonly string[];
  /**
   * Whether a host without a log founds the group. Only `hostNames[0]` may, and only when every other host has said that it has no log either: two groups of
   * one swarm would each commit what the other never hears of. Otherwise it waits until a leader adds it; `found` founds later.
   */
  readonly mayFound: boolean;
  readonly disk: HostDisk;
  readonly sha256: Sha256;
  /** From 0 up to, but not including, 1; for election timeouts and for the incarnation of a new member. */
  readonly random: () => number;
  readonly timing: Timing;
  /** Milliseconds that never go back, as all later ones. */
  readonly nowMs: number;
  readonly events: HostMemberEvents;
  /** What differs from `defaultSizes`; for tests. */
  readonly sizes?: Partial<HostMemberSizes>;
  /** Entries that may wait for a majority. */
  readonly uncommittedEntriesMax?: number;
}

export interface HostMemberSizes extends LogSizes {
  /** A snapshot is taken where the applied index is a multiple of this, so that all hosts have the same ones. */
  readonly compactionEntries: number;
  /** Entries whose commands are remembered. */
  readonly rememberedEntries: number;
}

export interface HostMemberEvents {
  /** Takes a message on its way; what cannot be delivered is dropped. */
  send(message: Message): void;
  /** To be published once on each broker with a member that listens. */
  publish(publication: Publication): void;
  /** Committed entries that were just applied to `state`, in order, each once in the life of this object; not what a snapshot brought. */
  onApplied(entries: readonly Entry[]): void;
  /** `state` was replaced by that of a snapshot, at its opening too. */
  onRestored(state: ReadonlyStateMap): void;
  /** Somebody broke a promise of Raft; one sentence. */
  onViolation(violation: string): void;
  /** The disk refused, or applying failed: nothing is taken or sent any more. The process must stop. */
  onFailure(error: Error): void;
}

export type ReadonlyStateMap = Pick<StateMap, "size" | "has" | "get" | "keys" | "sortedKeys" | "item">;

export interface ProposeRequest {
  readonly key: string;
  /** undefined deletes the key. */
  readonly value: StateValue | undefined;
  /** A command with an id is applied once, however often it is proposed. */
  readonly id?: CommandId | undefined;
  /** Only if the key has this value then; `value` undefined: if it has none. */
  readonly expected?: { readonly value: StateValue | undefined } | undefined;
}

/** Several changes at once: all are carried out or none. */
export interface ProposeAllRequest {
  /** Of different keys. In one entry: at most `putsLimits.putsMax`, that fit it. Of a draft: within `draftLimits`, and each with a value. */
  readonly puts: readonly ExpectedPut[];
  readonly id: CommandId;
}

/** Carried out only if the key has the expected value then, where one is stated. */
export type ExpectedPut = Pick<ProposeRequest, "key" | "value" | "expected">;

export interface HostMemberStatus {
  readonly id: MemberId;
  readonly role: Role;
  readonly term: number;
  readonly leaderId: MemberId | undefined;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** Last index that the newest snapshot covers; 0 for none. */
  readonly snapshotIndex: number;
  /** Commands that stand at or before this index are not remembered. */
  readonly commandsFloor: number;
  readonly configuration: Configuration;
  /** While they change, those that will vote alone then. */
  readonly voters: readonly MemberId[];
  /** Names of the boards that ought to vote; undefined while nobody has said. */
  readonly voterNames: readonly string[] | undefined;
  readonly transferringTo: MemberId | undefined;
  /** What a leader knows of the others; empty on every other host. */
  readonly members: readonly MemberStatus[];
}

export interface MemberStatus {
  readonly id: MemberId;
  readonly isVoter: boolean;
  /** Whether it takes published entries. */
  readonly listens: boolean;
  readonly matchIndex: number;
  readonly appliedIndex: number;
  /** Milliseconds since it last answered; undefined for never in this term. */
  readonly silentMs: number | undefined;
}

/** Heartbeat and election timeouts of hosts on a local network. */
export const defaultTiming: Timing = Object.freeze({
  heartbeatMs: 250,
  electionMinMs: 1_000,
  electionMaxMs: 2_000,
  askAgainMs: 250,
});

/** Where the agreed state says which boards ought to vote: their names, joined by ",". */
export const votersKey = `${reservedKeyPrefix}voters`;

/** Entries between two snapshots. */
export const compactionEntries = 4096;
