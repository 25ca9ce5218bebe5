/**
 * One term as leader: what is proposed is appended and replicated, committed once a majority holds it, and published; reads are
 * confirmed; leadership passes on. `isOver` says that it leads no more in this term, though nobody else may have spoken yet.
 */
import type { Configuration } from "./confchange.ts";
import { isJoint, isVoter, leaveJoint, membersOf } from "./confchange.ts";
import { EntryTooLarge, MembershipRefused, ProposalQueueFull, TransferUnderWay } from "./errors.ts";
import { configurationToEntry } from "./membership.ts";
import { leaseMsOf, uncommittedEntriesMax } from "./node-options.ts";
import type { NodeState } from "./node-state.ts";
import { boardFlow } from "./progress.ts";
import { jointCommittedIndex } from "./quorum.ts";
import { ReadRounds } from "./read-rounds.ts";
import { Replication } from "./replication.ts";
import type { AppendResponse, Entry, MemberId, SnapshotResponse } from "./types.ts";
import { EntryKind, limits } from "./types.ts";

export class Leadership {
  readonly replication: Replication;
  readonly rounds: ReadRounds;
  /** Index of the first entry of this term. */
  readonly firstIndex: number;
  readonly #state: NodeState;
  readonly #term: number;
  readonly #sinceMs: number;
  #transfer: Transfer | undefined;
  #isOver = false;

  /** Begins the term with an entry of its own (thesis, section 6.4). */
  constructor(state: NodeState) {
    const { id, term, log, outbox, commitIndex, durableIndex, nowMs, configuration, options } = state;
    const { timing, leaseReads = true, flowOf = () => boardFlow } = options;
    this.#state = state;
    this.#term = term;
    this.#sinceMs = nowMs;
    this.firstIndex = log.lastIndex + 1;
    const readRound = () => this.rounds.toConfirm;
    const start = { leaderId: id, term, log, outbox, commitIndex, durableIndex, flowOf, readRound };
    this.replication = new Replication(start);
    const leaseMs = state.checkQuorum && leaseReads ? leaseMsOf(timing) : 0;
    this.rounds = new ReadRounds(id, this.replication.members, leaseMs);
    for (const member of membersOf(configuration)) this.replication.add(member, this.firstIndex);
    for (const [member, listens] of state.connected) this.#add(member, listens);
    state.follower.follow(id, nowMs);
    state.wait(timing.heartbeatMs);
    this.append(EntryKind.noop, new Uint8Array(0), 1);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whom leadership is passing to. */
  get transferringTo(): MemberId | undefined {
    return this.#transfer?.to;
  }

  /** A member has a connection, perhaps a new one. */
  connect(id: MemberId, listens: boolean): void {
    this.#add(id, listens);
    this.replication.reset(id);
    this.replication.greet(id);
  }

  /** The connection is gone: who is not listed is forgotten, of the others what was on the way. */
  disconnect(id: MemberId): void {
    if (!membersOf(this.#state.configuration).includes(id)) {
      this.replication.remove(id);
      return;
    }
    this.replication.setListens(id, false);
    this.replication.reset(id);
  }

  /** Appends an entry, if there is room. Throws `TransferUnderWay`, `ProposalQueueFull`, `EntryTooLarge`. */
  propose(kind: number, data: Uint8Array, version: number): Entry {
    const { log, commitIndex, options } = this.#state;
    if (this.#transfer !== undefined) throw new TransferUnderWay(this.#transfer.to);
    if (data.length > limits.entryBytesMax) throw new EntryTooLarge(data.length, limits.entryBytesMax);
    const waiting = log.lastIndex - commitIndex;
    if (waiting >= (options.uncommittedEntriesMax ?? uncommittedEntriesMax)) {
      throw new ProposalQueueFull(waiting);
    }
    return this.append(kind, data, version);
  }

  /** Appends what `next` makes of the present configuration. Throws what `propose` and `next` do, and `MembershipRefused`. */
  configure(next: (present: Configuration) => Configuration): Entry {
    const { membership, commitIndex, log } = this.#state;
    membership.checkSettled({ term: this.#term, commitIndex, commitTerm: log.termAt(commitIndex) });
    const configuration = next(membership.configuration);
    const { voters } = configuration;
    if (voters.length > limits.votersMax) {
      throw new MembershipRefused(
        `${voters.length} would vote: at most ${limits.votersMax} may, so remove another first.`,
      );
    }
    if (!voters.some((id) => this.#state.isHost(id))) {
      throw new MembershipRefused("No host would vote any more, and boards cannot lead: keep one host.");
    }
    const { version, data } = configurationToEntry(configuration);
    return this.propose(EntryKind.membership, data, version);
  }

  /** A leader only ever appends (section 5.3, leader append-only), one entry with each input. */
  append(kind: number, data: Uint8Array, version: number): Entry {
    const { log, outbox, membership } = this.#state;
    if (outbox.entries.length > 0) throw new Error("The log has not taken the entry before this one yet.");
    const entry = { index: log.lastIndex + 1, term: this.#term, kind, version, data };
    outbox.entries = [entry];
    if (kind === EntryKind.membership) {
      membership.append(entry);
      this.#reconfigure(entry.index);
    }
    return entry;
  }

  /** The own log is durable up to `state.durableIndex`. */
  persisted(): void {
    this.replication.durableIndex = this.#state.durableIndex;
    this.#commitByCounting();
    this.replication.broadcast();
    this.#goOnAfterCommit();
  }

  acknowledge(response: AppendResponse): void {
    const { log, outbox, nowMs } = this.#state;
    const { from, matchIndex } = response;
    if (matchIndex > log.lastIndex) {
      outbox.violation = `${from} claims entry ${matchIndex}; its leader's log ends at ${log.lastIndex}.`;
      return;
    }
    const hasMore = this.replication.take(response, this.rounds.latest, nowMs);
    if (hasMore && this.#commitByCounting()) this.replication.broadcast();
    this.replication.proceed(from);
    this.#confirmRounds();
    if (hasMore && from === this.transferringTo) this.#handOver();
    this.#goOnAfterCommit();
  }

  acknowledgeSnapshot(response: SnapshotResponse): void {
    const { outbox, commitIndex, nowMs } = this.#state;
    const { from, index, isInstalled } = response;
    if (isInstalled && index > commitIndex) {
      outbox.violation = `${from} claims snapshot ${index}; its leader has committed ${commitIndex}.`;
      return;
    }
    this.replication.takeSnapshotResponse(response, nowMs);
    this.replication.proceed(from);
  }

  /** A heartbeat is due. With check-quorum, a leader that heard no majority for the longest election timeout is none (thesis, 6.2). */
  heartbeat(): void {
    const { checkQuorum, nowMs, options } = this.#state;
    this.#state.wait(options.timing.heartbeatMs);
    if (checkQuorum && nowMs - this.#quorumHeardMs() > options.timing.electionMaxMs) {
      this.#isOver = true;
      return;
    }
    if (this.#transfer !== undefined && nowMs >= this.#transfer.untilMs) this.#transfer = undefined;
    this.rounds.heartbeat(nowMs);
    this.replication.heartbeat();
    this.#confirmRounds();
    this.#handOver();
  }

  /** Thesis, section 6.4: the round that confirms a read asked for now; 0 when the lease does. */
  askRead(): number {
    const { nowMs } = this.#state;
    if (this.rounds.isLeaseHeld(nowMs)) return 0;
    const { round, isBegun } = this.rounds.ask(nowMs);
    if (isBegun) this.#greetVoters();
    this.#confirmRounds();
    return round;
  }

  /** Thesis, section 3.10: `to` is sent what it lacks and then told to campaign. Given up after the longest election timeout. */
  transferTo(to: MemberId): void {
    const { nowMs, options } = this.#state;
    this.#transfer = { to, untilMs: nowMs + options.timing.electionMaxMs };
    this.replication.proceed(to);
    this.#handOver();
  }

  /** A voter is sent everything individually, so that it counts before it is committed. */
  #add(id: MemberId, listens: boolean): void {
    this.replication.add(id, this.firstIndex);
    this.replication.setListens(id, listens && !isVoter(this.#state.configuration, id));
  }

  /** Another configuration holds from the entry at `index` on. */
  #reconfigure(index: number): void {
    const { configuration, connected } = this.#state;
    const listed = membersOf(configuration);
    for (const id of listed) {
      this.replication.add(id, index);
      if (isVoter(configuration, id)) this.replication.setListens(id, false);
    }
    for (const id of this.replication.members.keys()) {
      if (!listed.includes(id) && !connected.has(id)) this.replication.remove(id);
    }
  }

  /** Section 5.4.2: only an entry of the own term is committed by counting; those before it come with it. */
  #commitByCounting(): boolean {
    const { log, commitIndex, follower, membership } = this.#state;
    const index = this.#majorityIndex();
    if (index <= commitIndex || log.termAt(index) !== this.#term) return false;
    follower.commitTo(index);
    membership.commit(index);
    this.replication.commitTo(index);
    return true;
  }

  /** The last index that a majority holds durably, the leader itself counted as far as it is durable here. */
  #majorityIndex(): number {
    const { members, durableIndex } = this.replication;
    return jointCommittedIndex(this.#state.configuration, (voter) =>
      voter === this.#state.id ? durableIndex : members.get(voter)?.matchIndex,
    );
  }

  /** Since when a majority is known to have been there. */
  #quorumHeardMs(): number {
    const { id: self, configuration, nowMs } = this.#state;
    return jointCommittedIndex(configuration, (id) =>
      id === self ? nowMs : (this.replication.members.get(id)?.heardMs ?? this.#sinceMs),
    );
  }

  /**
   * A configuration that is committed has consequences: a joint one is left, by whoever leads then; a leader that is not in it
   * steps down, having told the others of the commit (thesis, sections 4.2.2 and 4.3), once a host knows that it may lead: boards
   * alone would wait for ever.
   */
  #goOnAfterCommit(): void {
    const { id, configuration, membership, commitIndex, log } = this.#state;
    if (membership.index > commitIndex) return;
    if (!isVoter(configuration, id)) {
      this.#isOver = configuration.voters.some((voter) => this.#maySucceed(voter));
    } else if (isJoint(configuration) && configuration.autoLeave && this.#transfer === undefined) {
      if (log.termAt(commitIndex) !== this.#term) return;
      const { version, data } = configurationToEntry(leaveJoint(configuration));
      this.append(EntryKind.membership, data, version);
    }
  }

  #maySucceed(id: MemberId): boolean {
    const matchIndex = this.replication.members.get(id)?.matchIndex ?? 0;
    return this.#state.isHost(id) && matchIndex >= this.#state.membership.index;
  }

  /** Once the member that shall lead has everything, it is told to campaign; again with each heartbeat, as that may be lost. */
  #handOver(): void {
    const { id, log, outbox } = this.#state;
    const to = this.transferringTo;
    if (to === undefined || this.replication.members.get(to)?.matchIndex !== log.lastIndex) return;
    this.rounds.giveUpLease();
    outbox.messages.push({ type: "timeout-now", from: id, to, term: this.#term });
  }

  #confirmRounds(): void {
    if (this.rounds.confirm(this.#state.configuration, this.#state.nowMs)) this.#greetVoters();
  }

  #greetVoters(): void {
    const { voters, outgoing } = this.#state.configuration;
    for (const voter of new Set([...voters, ...outgoing])) this.replication.greet(voter);
  }
}

interface Transfer {
  readonly to: MemberId;
  readonly untilMs: number;
}
