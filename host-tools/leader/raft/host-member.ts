/**
 * A host's member of the group: the core, the log on disk, the agreed state, the commands that wait, and who ought to vote.
 *
 * It has no timer, no promise and no clock of its own, so that the simulation runs the very object that ships; `replica.ts` gives it time. To the core it
 * owes the order that `protocols/raft/types.ts` states: change the log, make it durable, apply, publish, send. What changes nothing need not wait for
 * a leader's own entries that are still being written, because a leader counts none of its own before it is durable.
 */
import type { Change } from "../../../protocols/raft/confchange.ts";
import { NotLeader, ProposalQueueFull, TransferRefused } from "../../../protocols/raft/errors.ts";
import { Node } from "../../../protocols/raft/node.ts";
import { hostFlow } from "../../../protocols/raft/node-options.ts";
import { boardFlow } from "../../../protocols/raft/progress.ts";
import type {
  Entry,
  MemberId,
  Message,
  RaftLog,
  RaftOutput,
  SnapshotItem,
} from "../../../protocols/raft/types.ts";
import { AppliedState } from "./applied-state.ts";
import { ClientRequests } from "./client-requests.ts";
import { CommandTable } from "./command-table.ts";
import { aloneFrom, newMemberId } from "./founding.ts";
import { GroupPolicy } from "./group-policy.ts";
import { HostLog } from "./host-log.ts";
import type {
  HostMemberEvents,
  HostMemberOptions,
  HostMemberStatus,
  ProposeAllRequest,
  ProposeRequest,
  ReadonlyStateMap,
} from "./host-member-types.ts";
import { statusOf } from "./host-status.ts";
import type { Committed, Done } from "./outcomes.ts";
import { ForeignLog, ReplicaStopped } from "./outcomes.ts";
import { nameOf } from "./voter-policy.ts";

export class HostMember {
  /** Bytes of a torn last write that were cut from the log at the start; worth a line to the operator when not 0. */
  readonly tornBytes: number;
  readonly #options: HostMemberOptions;
  readonly #events: HostMemberEvents;
  readonly #log: HostLog;
  readonly #commands: CommandTable;
  readonly #applied: AppliedState;
  readonly #policy: GroupPolicy;
  readonly #requests: ClientRequests;
  /** Members with a connection, and whether they listen. */
  readonly #connected = new Map<MemberId, boolean>();
  #node: Node;
  /** Outputs being made durable that are more than a leader's own entries. */
  #unsettledCount = 0;
  #isRunning = false;

  /**
   * Opens the log on the disk, makes the one of a new member where there is none; call `start` next.
   * @throws {DamagedLog | NewerLog | ForeignLog}
   */
  static open(options: HostMemberOptions): HostMember {
    const { disk, sha256, hostName, hostNames, random, sizes } = options;
    const isHost = (id: MemberId) => hostNames.includes(nameOf(id));
    const logOptions = { disk, sha256, sizes, isHost };
    const log = HostLog.open(logOptions) ?? HostLog.create(logOptions, newMemberId(hostName, random));
    if (nameOf(log.memberId) !== hostName) throw new ForeignLog(nameOf(log.memberId), hostName);
    return new HostMember(options, log);
  }

  private constructor(options: HostMemberOptions, log: HostLog) {
    this.#options = options;
    this.#events = options.events;
    this.#log = log;
    this.tornBytes = log.tornBytes;
    this.#commands = new CommandTable(options.sizes?.rememberedEntries);
    this.#applied = new AppliedState(log, this.#commands, options.sizes?.compactionEntries);
    this.#policy = new GroupPolicy(options, this.#applied);
    if (log.snapshot !== undefined) {
      this.#applied.restore(log.snapshot.index, log.snapshotContents);
      this.#commands.restore(log.snapshot.index, log.snapshotContents);
    }
    const unapplied = log.entries(this.#applied.index + 1, Number.MAX_SAFE_INTEGER);
    for (const entry of unapplied) this.#commands.append(entry);
    if (options.mayFound && this.isBlank) this.#log.append(aloneFrom(this.id, 1, 1));
    this.#node = this.#newNode(options.nowMs);
    const node = () => this.#node;
    this.#requests = new ClientRequests({
      get node() {
        return node();
      },
      log,
      applied: this.#applied,
      commands: this.#commands,
      perform: (output) => this.#perform(output),
    });
  }

  /** This host's member id. */
  get id(): MemberId {
    return this.#log.memberId;
  }

  get isLeader(): boolean {
    return this.#node.role === "leader";
  }

  get term(): number {
    return this.#node.term;
  }

  /** The agreed state, as far as this host has applied it. */
  get state(): ReadonlyStateMap {
    return this.#applied.state;
  }

  get appliedIndex(): number {
    return this.#applied.index;
  }

  get commitIndex(): number {
    return this.#node.commitIndex;
  }

  /** To be looked at, not changed. */
  get log(): RaftLog {
    return this.#log;
  }

  /** Whether it never took part in a group. */
  get isBlank(): boolean {
    return this.#log.lastIndex === 0 && this.#log.hardState.term === 0;
  }

  /** When `tick` has something to do. */
  get deadlineMs(): number {
    return this.#node.deadlineMs;
  }

  /** Takes part from now on. The only host of a swarm has nobody to wait for and campaigns at once. */
  start(nowMs: number): void {
    this.#isRunning = true;
    if (this.#log.snapshot !== undefined) this.#events.onRestored(this.state);
    // What was found on the disk counts only once it is known to be durable.
    this.#whenSettled(() => this.#requests.settle());
    if (this.#options.hostNames.length <= 1) this.#perform(this.#node.campaign(nowMs));
  }

  /** Founds the group, of this host alone, if it never took part in one: see `mayFound`. False when it did. */
  found(nowMs: number): boolean {
    if (!this.isBlank || !this.#isRunning) return false;
    this.#log.append(aloneFrom(this.id, 1, 1));
    this.#node = this.#newNode(nowMs);
    for (const [id, listens] of this.#connected) this.#perform(this.#node.addMember(id, { listens }));
    this.#perform(this.#node.campaign(nowMs));
    return true;
  }

  /** Time has passed. A leader also looks at who votes, and who listens. */
  tick(nowMs: number): void {
    if (!this.#isRunning) return;
    this.#perform(this.#node.tick(nowMs));
    if (!this.isLeader) return;
    this.#improveVoters(nowMs);
    for (const [id, listens] of this.#connected) {
      if (listens !== this.#policy.shouldListen(id, this.#node)) this.addMember(id);
    }
  }

  /** Takes a checked message. */
  receive(message: Message, nowMs: number): void {
    if (this.#isRunning) this.#perform(this.#node.step(message, nowMs));
  }

  /** A member said hello, perhaps on a new connection. Throws `RangeError` beyond `membersMax`. */
  addMember(id: MemberId): void {
    if (!this.#isRunning || id === this.id) return;
    const listens = this.#policy.shouldListen(id, this.#node);
    const output = this.#node.addMember(id, { listens });
    this.#connected.set(id, listens);
    this.#perform(output);
  }

  /** A member's connection is gone. */
  removeMember(id: MemberId): void {
    if (this.#connected.delete(id)) this.#node.removeMember(id);
  }

  /**
   * Ends well when the command is committed and applied here. Otherwise with an error: nothing was changed and nothing will be after `NotLeader`, `TransferUnderWay`,
   * `ProposalQueueFull`, `ShapeError`, `StateFull`, `ConditionFailed`, `Superseded`; a command that was tried before may have been applied after `OutcomeForgotten`;
   * any may still be after `OutcomeUnknown` and `ReplicaStopped`. A leader that hears no majority steps down within `electionMaxMs` and a heartbeat.
   */
  propose(request: ProposeRequest, nowMs: number, done: Done<Committed>): void {
    this.#requests.propose(request, nowMs, done);
  }

  /** The same of several puts in one entry: all are carried out or none. `ShapeError` also for more than one entry holds. */
  proposeAll(request: ProposeAllRequest, nowMs: number, done: Done<Committed>): void {
    this.#requests.proposeAll(request, nowMs, done);
  }

  /**
   * The same of puts of which the pieces of a draft (`protocols/state/draft.ts`) were put before: all are carried out or none, and the pieces are gone. `ConditionFailed`
   * also for a piece that is not there as it should be, `ShapeError` for more than a draft holds.
   */
  adopt(request: ProposeAllRequest, nowMs: number, done: Done<Committed>): void {
    this.#requests.adopt(request, nowMs, done);
  }

  /**
   * Ends well with an index, once this host has applied all up to it that anybody was told is committed: what is read from `state` then is linearizable (Ongaro's
   * thesis, section 6.4). Within the leader's lease that is at once. Otherwise with `NotLeader`, `TooManyReads`, `ReplicaStopped`.
   */
  read(nowMs: number, done: Done<number>): void {
    this.#requests.read(0, nowMs, done);
  }

  /** Proposes who votes; ends as `propose` does, or with `MembershipRefused`. `voter-policy.ts` will change it again when it disagrees. */
  change(changes: readonly Change[], done: Done<Committed>): void {
    this.#requests.change(changes, done);
  }

  /**
   * Starts to pass leadership to another host, by name or member id; that it happened is seen in `status`. Proposals are refused with
   * `TransferUnderWay` until it did, or for `electionMaxMs`. Throws `NotLeader`, `TransferRefused`, `ReplicaStopped`.
   */
  transfer(to: string, nowMs: number): void {
    if (!this.#isRunning) throw new ReplicaStopped();
    if (!this.isLeader) throw new NotLeader(this.#node.leaderId);
    const member = this.#node.voters.find((id) => id === to || nameOf(id) === to);
    if (!this.#policy.isHost(to)) {
      throw new TransferRefused(`${to} is no host of this swarm: boards vote, but do not lead.`);
    }
    if (member === undefined) {
      throw new TransferRefused(`${to} does not vote yet, so it cannot lead: try again when it does.`);
    }
    this.#perform(this.#node.transfer(member, nowMs));
  }

  /** At most `limit` entries of the log from index `from` on, committed or not, as far as they are still held. */
  entries(from: number, limit: number): readonly Entry[] {
    return this.#log.entries(from, limit);
  }

  status(nowMs: number): HostMemberStatus {
    return statusOf(this.#node, this.#log, this.#applied, this.#commands, nowMs);
  }

  /** Takes no more part; what was proposed and is not committed yet ends with `ReplicaStopped`. Calls `done` when all that was written is durable. */
  close(done: (error?: Error) => void): void {
    this.#halt();
    this.#log.flush(done);
  }

  #newNode(nowMs: number): Node {
    const { timing, random, sha256, uncommittedEntriesMax } = this.#options;
    return new Node({
      id: this.id,
      hardState: this.#log.hardState,
      log: this.#log,
      sha256,
      commitIndex: this.#applied.index,
      timing,
      random,
      nowMs,
      isHost: (id) => this.#policy.isHost(id),
      flowOf: (id) => (this.#policy.isHost(id) ? hostFlow : boardFlow),
      ...(uncommittedEntriesMax === undefined ? {} : { uncommittedEntriesMax }),
    });
  }

  #perform(output: RaftOutput): void {
    const { hardState, truncateFrom, entries, snapshot, violation } = output;
    if (violation !== undefined) this.#events.onViolation(violation);
    const isOwnAppend =
      this.isLeader && hardState === undefined && truncateFrom === 0 && snapshot === undefined;
    if (isOwnAppend && entries.length === 0 && this.#unsettledCount === 0) {
      this.#performDurable(output);
      return;
    }
    if (truncateFrom > 0) {
      this.#commands.truncate(truncateFrom);
      this.#requests.truncated(truncateFrom);
    }
    this.#log.append(output);
    for (const entry of entries) this.#commands.append(entry);
    if (isOwnAppend) {
      this.#log.flush((error) => (error === undefined ? this.#performDurable(output) : this.#fail(error)));
      return;
    }
    const restored = snapshot?.isLast === true ? this.#log.snapshotContents : undefined;
    if (restored !== undefined) this.#commands.restore(snapshot!.index, restored);
    this.#whenSettled(() => {
      if (restored !== undefined) this.#restore(snapshot!.index, restored);
      this.#performDurable(output);
    });
  }

  /** Once all before is durable. Even what changes nothing waits: a message may speak of a term or entry that is still being written. */
  #whenSettled(then: () => void): void {
    this.#unsettledCount++;
    this.#log.flush((error) => {
      this.#unsettledCount--;
      if (error === undefined) then();
      else this.#fail(error);
    });
  }

  #performDurable(output: RaftOutput): void {
    if (!this.#isRunning) return;
    try {
      this.#apply(output.commitIndex);
      this.#requests.settle();
      for (const publication of output.publications) this.#events.publish(publication);
      for (const message of output.messages) this.#events.send(message);
      if (output.entries.length > 0 || output.snapshot?.isLast === true) {
        // Perhaps more than this output's: then one append carries what one sync made durable.
        const { index, term } = this.#log.durableEnd;
        this.#perform(this.#node.persisted(index, term));
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #apply(commitIndex: number): void {
    for (;;) {
      const entries = this.#applied.next(commitIndex);
      if (entries.length === 0) return;
      this.#events.onApplied(entries);
      this.#node.setApplied(this.#applied.index);
      this.#requests.applied(entries);
    }
  }

  #restore(index: number, items: readonly SnapshotItem[]): void {
    if (!this.#isRunning || index <= this.#applied.index) return;
    this.#applied.restore(index, items);
    this.#events.onRestored(this.state);
    this.#node.setApplied(index);
  }

  #improveVoters(nowMs: number): void {
    const changes = this.#policy.nextChanges(this.#node, nowMs);
    if (changes === undefined) return;
    try {
      this.#perform(this.#node.change(changes).output);
    } catch (error) {
      // The next heartbeat tries again.
      if (!(error instanceof ProposalQueueFull)) throw error;
    }
  }

  #halt(): void {
    this.#isRunning = false;
    this.#requests.stop();
  }

  #fail(error: Error): void {
    if (!this.#isRunning) return;
    this.#halt();
    this.#events.onFailure(error);
  }
}
