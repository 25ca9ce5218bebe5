/**
 * A host's member of the group: the core, the log on disk, the agreed state, the commands that wait, and who ought to vote.
 *
 * It has no timer, no promise and no clock of its own, so that the simulation runs the very object that ships; `replica.ts` gives it time. To the core it
 * owes the order that `protocols/raft/types.ts` states: change the log, make it durable, apply, publish, send. What changes nothing need not wait for
 * a leader's own entries that are still being written, because a leader speaks of no entry as its own before it is durable.
 */

import type { Change } from "../../../protocols/raft/confchange.ts";
import { changesTo, isVoter, noConfiguration } from "../../../protocols/raft/confchange.ts";
import {
  NotLeader,
  ProposalQueueFull,
  TransferRefused,
  TransferUnderWay,
} from "../../../protocols/raft/errors.ts";
import { configurationToEntry } from "../../../protocols/raft/membership.ts";
import { Node } from "../../../protocols/raft/node.ts";
import { hostFlow } from "../../../protocols/raft/node-options.ts";
import { boardFlow } from "../../../protocols/raft/progress.ts";
import type { Entry, MemberId, Message, RaftOutput } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { commandToWire } from "../../../protocols/state/codec.ts";
import { stateLimits } from "../../../protocols/state/command.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import { AppliedState } from "./applied-state.ts";
import { CommandTable } from "./command-table.ts";
import { HostLog } from "./host-log.ts";
import type {
  HostMemberEvents,
  HostMemberOptions,
  HostMemberStatus,
  ProposeRequest,
  ReadonlyStateMap,
} from "./host-member-types.ts";
import type { Committed, Done } from "./outcomes.ts";
import { ConditionFailed, OutcomeForgotten, ReplicaStopped, StateFull, TooManyReads } from "./outcomes.ts";
import { Proposals } from "./proposals.ts";
import { Reads, readsMax } from "./reads.ts";
import { isSameValue, SpeculativeState } from "./speculative-state.ts";
import { nameOf, nextVoters } from "./voter-policy.ts";

export class HostMember {
  /** Bytes of a torn last write that were cut from the log at the start; worth a line to the operator when not 0. */
  readonly tornBytes: number;
  readonly #options: HostMemberOptions;
  readonly #events: HostMemberEvents;
  readonly #log: HostLog;
  readonly #applied: AppliedState;
  readonly #commands: CommandTable;
  readonly #proposals = new Proposals();
  readonly #reads = new Reads();
  /** Members with a connection, and whether they listen. */
  readonly #connected = new Map<MemberId, boolean>();
  #node: Node;
  #speculative: SpeculativeState | undefined;
  /** Outputs being made durable that are more than a leader's own entries. */
  #unsettledCount = 0;
  #isRunning = false;

  /**
   * Opens the log on the disk, makes the one of a new member where there is none; call `start` next.
   * @throws {DamagedLog | NewerLog | ForeignLog}
   */
  static open(options: HostMemberOptions): HostMember {
    const { disk, sha256, hostName, hostNames, random, sizes } = options;
    const logOptions = { disk, sha256, sizes, isHost: (id: MemberId) => hostNames.includes(nameOf(id)) };
    const log = HostLog.open(logOptions) ?? HostLog.create(logOptions, newMemberId(hostName, random));
    if (nameOf(log.memberId) !== hostName) throw new ForeignLog(log.memberId, hostName);
    return new HostMember(options, log);
  }

  private constructor(options: HostMemberOptions, log: HostLog) {
    this.#options = options;
    this.#events = options.events;
    this.#log = log;
    this.tornBytes = log.tornBytes;
    this.#commands = new CommandTable(options.sizes?.rememberedEntries);
    this.#applied = new AppliedState(log, this.#commands, options.sizes?.compactionEntries);
    if (log.snapshot !== undefined) this.#applied.restore(log.snapshot.index, log.snapshotContents);
    for (const entry of log.entries(this.#applied.index + 1, Number.MAX_SAFE_INTEGER))
      this.#commands.append(entry);
    if (options.mayFound && this.isBlank) this.#appendFounding();
    this.#node = this.#newNode(options.nowMs);
  }

  /** This host's member id. */
  get id(): MemberId {
    return this.#log.memberId;
  }

  get isLeader(): boolean {
    return this.#node.role === "leader";
  }

  /** The agreed state, as far as this host has applied it. */
  get state(): ReadonlyStateMap {
    return this.#applied.state;
  }

  get appliedIndex(): number {
    return this.#applied.index;
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
    this.#whenDurable(() => this.#proceed());
    if (this.#options.hostNames.length <= 1) this.#perform(this.#node.campaign(nowMs));
  }

  /** Founds the group, of this host alone, if it never took part in one: see `mayFound`. False when it did. */
  found(nowMs: number): boolean {
    if (!this.isBlank || !this.#isRunning) return false;
    this.#appendFounding();
    this.#node = this.#newNode(nowMs);
    for (const [id, listens] of this.#connected) this.#perform(this.#node.addMember(id, { listens }));
    this.#perform(this.#node.campaign(nowMs));
    return true;
  }

  /** Time has passed. A leader also looks at who votes. */
  tick(nowMs: number): void {
    if (!this.#isRunning) return;
    this.#perform(this.#node.tick(nowMs));
    this.#improveVoters(nowMs);
    this.#reviewListeners();
  }

  /** Takes a checked message. */
  receive(message: Message, nowMs: number): void {
    if (this.#isRunning) this.#perform(this.#node.step(message, nowMs));
  }

  /** A member said hello, perhaps on a new connection. Throws `RangeError` beyond `membersMax`. */
  addMember(id: MemberId): void {
    if (!this.#isRunning || id === this.id) return;
    const listens = this.#shouldListen(id);
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
   * `ProposalQueueFull`, `EntryTooLarge`, `StateFull`, `ConditionFailed`, `Superseded`; a command that was tried before may have been applied after `OutcomeForgotten`;
   * any may still be after `OutcomeUnknown` and `ReplicaStopped`. A leader that hears no majority steps down within `electionMaxMs` and a heartbeat.
   */
  propose(request: ProposeRequest, nowMs: number, done: Done<Committed>): void {
    if (!this.#isRunning) return done(new ReplicaStopped());
    if (!this.isLeader) return done(new NotLeader(this.#node.leaderId));
    const { key, value, id, expected } = request;
    if (id !== undefined) {
      const index = this.#commands.find(id.random);
      if (index !== undefined) return this.#waitFor(index, done);
      if (id.after < this.#commands.floor) return done(new OutcomeForgotten(id.after, this.#commands.floor));
    }
    if (expected !== undefined) {
      const found = this.#speculate().get(key);
      if (!isSameValue(found, expected.value)) return this.#refuse(key, found, nowMs, done);
    }
    const isNewKey = value !== undefined && !this.#applied.state.has(key);
    if (isNewKey && !this.#speculate().has(key) && this.#speculate().size >= stateLimits.keysMax) {
      return done(new StateFull(key, stateLimits.keysMax));
    }
    const command = id === undefined ? { key, value } : { key, value, id: id.random };
    this.#append(EntryKind.put, encodeCbor(commandToWire(command)), done);
  }

  /**
   * Ends well with an index, once this host has applied all up to it that anybody was told is committed: what is read from `state` then is linearizable (Ongaro's
   * thesis, section 6.4). Within the leader's lease that is at once. Otherwise with `NotLeader`, `TooManyReads`, `ReplicaStopped`.
   */
  read(nowMs: number, done: Done<number>): void {
    this.#read(0, nowMs, done);
  }

  /** Proposes who votes; ends as `propose` does, or with `MembershipRefused`. `voter-policy.ts` will change it again when it disagrees. */
  change(changes: readonly Change[], done: Done<Committed>): void {
    if (!this.#isRunning) return done(new ReplicaStopped());
    this.#attempt(() => this.#node.change(changes), done);
  }

  /**
   * Starts to pass leadership to another host, by name or member id; that it happened is seen in `status`. Proposals are refused with
   * `TransferUnderWay` until it did, or for `electionMaxMs`. Throws `NotLeader`, `TransferRefused`.
   */
  transfer(to: string, nowMs: number): void {
    if (!this.#isRunning) throw new ReplicaStopped();
    if (!this.isLeader) throw new NotLeader(this.#node.leaderId);
    if (!this.#isHost(to))
      throw new TransferRefused(`${to} is no host of this swarm: boards vote, but do not lead.`);
    const member = this.#node.voters.find((id) => id === to || nameOf(id) === to);
    if (member === undefined)
      throw new TransferRefused(`${to} does not vote yet, so it cannot lead: try again when it does.`);
    this.#perform(this.#node.transfer(member, nowMs));
  }

  /** At most `limit` entries of the log from index `from` on, committed or not, as far as they are still held. */
  entries(from: number, limit: number): readonly Entry[] {
    return this.#log.entries(from, limit);
  }

  status(nowMs: number): HostMemberStatus {
    const { term, leaderId, commitIndex, voters, configuration, role, transferringTo } = this.#node;
    const members = Array.from(this.#node.members, ([id, progress]) => ({
      id,
      isVoter: isVoter(configuration, id),
      listens: progress.listens,
      matchIndex: progress.matchIndex,
      appliedIndex: progress.appliedIndex,
      silentMs: progress.heardMs === undefined ? undefined : nowMs - progress.heardMs,
    }));
    return {
      id: this.id,
      role,
      term,
      leaderId,
      firstIndex: this.#log.firstIndex,
      lastIndex: this.#log.lastIndex,
      commitIndex,
      appliedIndex: this.#applied.index,
      snapshotIndex: this.#log.snapshot?.index ?? 0,
      commandsFloor: this.#commands.floor,
      configuration,
      voters,
      voterNames: this.#applied.voterNames,
      transferringTo,
      members,
    };
  }

  /** Takes no more part; what was proposed and is not committed yet ends with `ReplicaStopped`. Calls `done` when all that was written is durable. */
  close(done: (error?: Error) => void): void {
    this.#halt();
    this.#log.flush(done);
  }

  #newNode(nowMs: number): Node {
    const { timing, random, sha256, uncommittedEntriesMax } = this.#options;
    const log = this.#log;
    return new Node({
      id: log.memberId,
      hardState: log.hardState,
      log,
      sha256,
      commitIndex: this.#applied.index,
      timing,
      random,
      nowMs,
      isHost: (id) => this.#isHost(id),
      flowOf: (id) => (this.#isHost(id) ? hostFlow : boardFlow),
      ...(uncommittedEntriesMax === undefined ? {} : { uncommittedEntriesMax }),
    });
  }

  /** The first entry of a group: a configuration of this host alone, which voted for itself. */
  #appendFounding(): void {
    const configuration = configurationToEntry({ ...noConfiguration, voters: [this.id] });
    this.#log.append({
      hardState: { term: 1, vote: this.id },
      truncateFrom: 0,
      entries: [{ index: 1, term: 1, kind: EntryKind.membership, ...configuration }],
      snapshot: undefined,
    });
  }

  #perform(output: RaftOutput): void {
    if (output.violation !== undefined) this.#events.onViolation(output.violation);
    const { hardState, truncateFrom, entries, snapshot } = output;
    if (hardState === undefined && truncateFrom === 0 && entries.length === 0 && snapshot === undefined) {
      // A message may speak of a term or entry that is still being written.
      if (this.isLeader && this.#unsettledCount === 0) this.#performDurable(output);
      else
        this.#log.flush((error) => (error === undefined ? this.#performDurable(output) : this.#fail(error)));
      return;
    }
    if (truncateFrom > 0) this.#truncate(truncateFrom);
    this.#log.append(output);
    for (const entry of entries) this.#commands.append(entry);
    if (this.isLeader && hardState === undefined && truncateFrom === 0 && snapshot === undefined) {
      this.#log.flush((error) => (error === undefined ? this.#performDurable(output) : this.#fail(error)));
    } else {
      const restored = snapshot?.isLast === true ? this.#log.snapshotContents : undefined;
      if (restored !== undefined) this.#commands.restore(snapshot!.index, restored);
      this.#whenDurable(() => {
        if (restored !== undefined) this.#restore(snapshot!.index, restored);
        this.#performDurable(output);
      });
    }
  }

  #whenDurable(then: () => void): void {
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
      this.#proceed();
      for (const publication of output.publications) this.#events.publish(publication);
      for (const message of output.messages) this.#events.send(message);
      if (output.entries.length > 0) {
        // Perhaps more than this output's: then one append carries what one sync made durable.
        const { index, term } = this.#log.durableEnd;
        this.#perform(this.#node.persisted(index, term));
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** Answers whom it can. */
  #proceed(): void {
    if (!this.isLeader) {
      this.#speculative = undefined;
      this.#proposals.leaveOpen();
    }
    this.#reads.settle(this.#node, this.#applied.index);
  }

  #apply(commitIndex: number): void {
    for (;;) {
      const entries = this.#applied.next(commitIndex);
      if (entries.length === 0) return;
      this.#speculative?.forget(this.#applied.index);
      this.#events.onApplied(entries);
      this.#node.setApplied(this.#applied.index);
      for (const entry of entries) this.#proposals.settle(entry.index, entry.term);
    }
  }

  #restore(index: number, items: Parameters<AppliedState["restore"]>[1]): void {
    if (!this.#isRunning || index <= this.#applied.index) return;
    this.#applied.restoreState(index, items);
    this.#events.onRestored(this.state);
    this.#node.setApplied(index);
  }

  #truncate(from: number): void {
    this.#commands.truncate(from);
    this.#speculative = undefined;
    this.#proposals.supersede(from);
  }

  #append(kind: number, data: Uint8Array, done: Done<Committed>): void {
    this.#attempt(() => this.#node.propose(kind, data), done);
  }

  #attempt(propose: () => { index: number; term: number; output: RaftOutput }, done: Done<Committed>): void {
    let proposal: ReturnType<typeof propose>;
    try {
      proposal = propose();
    } catch (error) {
      // The core throws before it changes anything.
      return done(error as Error);
    }
    const { index, term, output } = proposal;
    for (const entry of output.entries) this.#speculative?.append(entry);
    this.#proposals.add(index, term, done);
    this.#perform(output);
  }

  /** The command stands in the log already. */
  #waitFor(index: number, done: Done<Committed>): void {
    const term = this.#log.termAt(index);
    if (index <= this.#applied.index) done({ index, term });
    else this.#proposals.add(index, term!, done);
  }

  /** Another client's change made the condition fail: that is true once all that this log holds now is committed, and this host still leads. */
  #refuse(key: string, found: ConditionFailed["found"], nowMs: number, done: Done<Committed>): void {
    this.#read(this.#log.lastIndex, nowMs, (outcome) => {
      done(outcome instanceof Error ? outcome : new ConditionFailed(key, found, outcome));
    });
  }

  #read(atLeast: number, nowMs: number, done: Done<number>): void {
    if (!this.#isRunning) return done(new ReplicaStopped());
    if (!this.isLeader) return done(new NotLeader(this.#node.leaderId));
    if (this.#reads.isFull) return done(new TooManyReads(readsMax));
    const { term, round, index, output } = this.#node.read(nowMs);
    this.#reads.add({ term, round, index: Math.max(index, atLeast), done });
    this.#perform(output);
  }

  #speculate(): SpeculativeState {
    this.#speculative ??= new SpeculativeState(
      this.#applied.state,
      this.#log.entries(this.#applied.index + 1, Number.MAX_SAFE_INTEGER),
    );
    return this.#speculative;
  }

  #isHost(idOrName: string): boolean {
    return this.#options.hostNames.includes(nameOf(idOrName));
  }

  /** Hosts, voters and boards on their way to be voters are sent the log itself. */
  #shouldListen(id: MemberId): boolean {
    const isWanted = this.#isHost(id) || this.#applied.voterNames?.includes(nameOf(id)) === true;
    return !isWanted && !isVoter(this.#node.configuration, id);
  }

  #reviewListeners(): void {
    if (!this.isLeader) return;
    for (const [id, listens] of this.#connected) if (listens !== this.#shouldListen(id)) this.addMember(id);
  }

  #improveVoters(nowMs: number): void {
    if (!this.isLeader || !this.#node.isMembershipSettled) return;
    const voters = nextVoters({
      self: this.id,
      voters: this.#node.voters,
      members: this.#node.members,
      commitIndex: this.#node.commitIndex,
      hostNames: this.#options.hostNames,
      voterNames: this.#applied.voterNames,
      nowMs,
      aliveMs: this.#options.timing.electionMaxMs,
    });
    if (voters === undefined) return;
    try {
      this.#perform(this.#node.change(changesTo(voters, this.#node.configuration)).output);
    } catch (error) {
      // The next heartbeat tries again.
      if (!(error instanceof ProposalQueueFull || error instanceof TransferUnderWay)) throw error;
    }
  }

  #halt(): void {
    this.#isRunning = false;
    const stopped = new ReplicaStopped();
    this.#proposals.rejectAll(stopped);
    this.#reads.rejectAll(stopped);
  }

  #fail(error: Error): void {
    if (!this.#isRunning) return;
    this.#halt();
    this.#events.onFailure(error);
  }
}

/** The log on this disk is of another host. */
export class ForeignLog extends Error {
  override readonly name = "ForeignLog";

  constructor(memberId: MemberId, hostName: string) {
    super(
      `The Raft log belongs to host ${nameOf(memberId)}, not ${hostName}: start this host with its own folder.`,
    );
  }
}

/** A host without a log is someone new (design, point 10). */
function newMemberId(hostName: string, random: () => number): MemberId {
  return `${hostName}.${Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0")}`;
}
