/**
 * One member of a simulated group: a core, its disk and what it has applied. It keeps the order that `types.ts` demands of a
 * driver; when the disk syncs is up to whoever runs the group.
 */
import { noConfiguration } from "../../../../protocols/raft/confchange.ts";
import * as followerModule from "../../../../protocols/raft/follower.ts";
import { configurationToEntry } from "../../../../protocols/raft/membership.ts";
import * as nodeModule from "../../../../protocols/raft/node.ts";
import type { Timing } from "../../../../protocols/raft/node-options.ts";
import { hostFlow } from "../../../../protocols/raft/node-options.ts";
import type { Flow } from "../../../../protocols/raft/progress.ts";
import { boardFlow } from "../../../../protocols/raft/progress.ts";
import type {
  Entry,
  MemberId,
  Message,
  Publication,
  RaftOutput,
  SnapshotItem,
} from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import { Disk, sha256 } from "./disk.ts";

/** The product's cores, or deliberately broken copies of them. */
export interface Cores {
  readonly Follower: typeof followerModule.Follower;
  readonly Node: typeof nodeModule.Node;
}

export const productCores: Cores = { Follower: followerModule.Follower, Node: nodeModule.Node };

export interface MemberEvents {
  onSend(message: Message): void;
  /** To be brought to every member that listens; nobody does when not said. */
  onPublish?(member: Member, publication: Publication): void;
  onApplied(member: Member, entry: Entry): void;
  /** A snapshot took the place of all that was applied, up to `member.appliedIndex`. */
  onRestored?(member: Member, items: readonly SnapshotItem[]): void;
  onViolation(member: Member, violation: string): void;
}

export interface MemberOptions {
  readonly id: MemberId;
  readonly isHost: boolean;
  readonly cores: Cores;
  readonly events: MemberEvents;
  readonly timing: Timing;
  readonly random: () => number;
  /** Both off unless said: the plain protocol of the paper. */
  readonly preVote?: boolean;
  readonly checkQuorum?: boolean;
  /** With `checkQuorum`; off unless said. */
  readonly leaseReads?: boolean;
  /** Off for the plain protocol of the paper; on unless said. */
  readonly catchesUp?: boolean;
  /** Which members are hosts: they are sent more at a time, and may be handed leadership. When not said: all may, none is sent more. */
  readonly isHostId?: (id: MemberId) => boolean;
  /** In place of what suits hosts and boards. */
  readonly flowOf?: (id: MemberId) => Flow;
  /** A driver's fault, for showing that it is found: sends before the disk has synced. */
  readonly sendsBeforeSync?: boolean;
}

export class Member {
  readonly id: MemberId;
  readonly isHost: boolean;
  readonly disk = new Disk();
  readonly #options: MemberOptions;
  #node: nodeModule.Node | undefined;
  #follower: followerModule.Follower | undefined;
  #unsynced: RaftOutput[] = [];
  #appliedIndex = 0;

  constructor(options: MemberOptions) {
    this.id = options.id;
    this.isHost = options.isHost;
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#node !== undefined || this.#follower !== undefined;
  }

  /** The host's core, or undefined on a board and while down. */
  get node(): nodeModule.Node | undefined {
    return this.#node;
  }

  get core(): nodeModule.Node | followerModule.Follower | undefined {
    return this.#node ?? this.#follower;
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get hasUnsynced(): boolean {
    return this.#unsynced.length > 0;
  }

  start(nowMs: number): void {
    const { id, cores, timing, random } = this.#options;
    const { hardState } = this.disk;
    const {
      preVote = false,
      checkQuorum = false,
      leaseReads = false,
      catchesUp = true,
      isHostId,
    } = this.#options;
    const { flowOf = (other) => (isHostId?.(other) === true ? hostFlow : boardFlow) } = this.#options;
    // A snapshot stands for what was committed, and applied.
    const commitIndex = this.disk.snapshot?.index ?? 0;
    const options = { id, hardState, log: this.disk, sha256, commitIndex };
    this.#appliedIndex = commitIndex;
    if (this.isHost) {
      this.#node = new cores.Node({
        ...options,
        timing,
        random,
        nowMs,
        preVote,
        checkQuorum,
        leaseReads,
        catchesUp,
        flowOf,
        ...(isHostId === undefined ? {} : { isHost: isHostId }),
      });
    } else {
      const leaderHeardMs = hardState.term > 0 ? nowMs : -Infinity;
      const leaderSilenceMs = checkQuorum ? timing.electionMinMs : 0;
      this.#follower = new cores.Follower({ ...options, leaderHeardMs, leaderSilenceMs });
    }
  }

  /** Loses whatever was not synced, but for the first `keptWrites`. */
  crash(keptWrites = 0): void {
    this.#node = undefined;
    this.#follower = undefined;
    this.#unsynced = [];
    this.disk.crash(keptWrites);
  }

  receive(message: Message, nowMs: number): void {
    if (this.#node !== undefined) this.perform(this.#node.step(message, nowMs));
    else if (this.#follower !== undefined) this.perform(this.#follower.step(message, nowMs));
  }

  /** A publication has arrived; a host listens to none. */
  hear(publication: Publication): void {
    if (this.#follower !== undefined) this.perform(this.#follower.takePublication(publication));
  }

  /** Takes a snapshot of what is applied up to `index`, and drops the entries up to `trailing` before it. */
  compact(index: number, trailing = 0): void {
    if (index > this.#appliedIndex) {
      throw new RangeError(`${this.id} has applied ${this.#appliedIndex}: ${index} cannot be compacted yet.`);
    }
    this.disk.compact(index, trailing);
  }

  perform(output: RaftOutput): void {
    if (output.violation !== undefined) this.#options.events.onViolation(this, output.violation);
    this.disk.write(output);
    this.#unsynced.push(output);
    if (this.#options.sendsBeforeSync === true) this.#send(output);
  }

  /** The disk syncs; then come, in order, applying, sending, and telling the core. */
  sync(): void {
    this.disk.sync();
    const index = this.disk.lastIndex;
    const term = this.disk.termAt(index)!;
    for (const output of this.#unsynced.splice(0)) {
      this.#apply(output.commitIndex);
      if (this.#options.sendsBeforeSync !== true) this.#send(output);
      const isLogChanged = output.entries.length > 0 || output.snapshot?.isLast === true;
      if (this.#node !== undefined && isLogChanged) {
        this.perform(this.#node.persisted(index, term));
      }
    }
  }

  #send(output: RaftOutput): void {
    for (const publication of output.publications) this.#options.events.onPublish?.(this, publication);
    for (const message of output.messages) this.#options.events.onSend(message);
  }

  #apply(commitIndex: number): void {
    // Outputs that wait share one sync, so a snapshot may already have replaced what this one was to apply.
    if (this.#appliedIndex < this.disk.firstIndex - 1) {
      this.#appliedIndex = this.disk.firstIndex - 1;
      this.#options.events.onRestored?.(this, this.disk.snapshotContents);
    }
    while (this.#appliedIndex < commitIndex) {
      this.#appliedIndex++;
      this.#options.events.onApplied(this, this.disk.entry(this.#appliedIndex));
    }
    this.core?.setApplied(this.#appliedIndex);
  }
}

/** The first entry of a group with these voters. */
export function foundingEntry(voters: readonly MemberId[]): Entry {
  const membership = configurationToEntry({ ...noConfiguration, voters });
  return { index: 1, term: 1, kind: EntryKind.membership, ...membership };
}

/** ASCII alone. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
