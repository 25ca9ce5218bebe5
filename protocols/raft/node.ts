/**
 * The host's core: a follower that can also campaign and lead.
 *
 * Time comes in as `nowMs`, chance as `random`, durability as `persisted`; what must happen comes out as `RaftOutput`. A
 * leader counts its own log only as far as it is durable and sends nothing that is not, so one fsync serves all that was
 * proposed while the one before it ran: the driver batches, the core need not know.
 *
 * A candidate asks first whether it would win (pre-vote), and a leader that no longer hears a majority steps down
 * (check-quorum), so that one member behind a bad link neither unseats a leader nor believes for long that it is one.
 */
import type { Change, Configuration } from "./confchange.ts";
import {
  enterJoint,
  isJoint,
  isVoter,
  leaveJoint,
  membersOf,
  noConfiguration,
  simpleChange,
} from "./confchange.ts";
import {
  EntryTooLarge,
  MembershipRefused,
  NotLeader,
  ProposalQueueFull,
  TransferRefused,
  TransferUnderWay,
} from "./errors.ts";
import { Follower } from "./follower.ts";
import { configurationToEntry, Membership } from "./membership.ts";
import type { NodeFlow, NodeOptions, Proposal, Read, Role, Timing, Transition } from "./node-options.ts";
import { defaultFlow, membersMax } from "./node-options.ts";
import type { Progress } from "./progress.ts";
import { jointCommittedIndex, jointVoteResult } from "./quorum.ts";
import { Replication } from "./replication.ts";
import type {
  AppendResponse,
  Entry,
  HardState,
  HostLog,
  MemberId,
  Message,
  RaftOutput,
  TimeoutNow,
  VotePurpose,
  VoteResponse,
} from "./types.ts";
import { EntryKind, limits } from "./types.ts";

export class Node {
  readonly id: MemberId;
  readonly #log: HostLog;
  readonly #timing: Timing;
  readonly #random: () => number;
  readonly #preVote: boolean;
  readonly #checkQuorum: boolean;
  readonly #flow: NodeFlow;
  readonly #follower: Follower;
  readonly #membership: Membership;
  /** Members with a connection; those that do not vote are the learners. */
  readonly #connected = new Set<MemberId>();
  #role: Role = "follower";
  #durableIndex: number;
  #deadlineMs: number;
  /** As last told. */
  #nowMs: number;
  /** What the present or last campaign asks for, and the answers so far. */
  #purpose: VotePurpose = "election";
  #votes = new Map<MemberId, boolean>();
  #replication: Replication | undefined;
  /** Index of the first entry of the own term, while leading. */
  #termStartIndex = 0;
  #transfer: Transfer | undefined;
  #hardState: HardState | undefined;
  #entries: Entry[] = [];
  readonly #messages: Message[] = [];
  #violation: string | undefined;

  constructor(options: NodeOptions) {
    this.id = options.id;
    this.#log = options.log;
    this.#timing = options.timing;
    this.#random = options.random;
    this.#preVote = options.preVote ?? true;
    this.#checkQuorum = options.checkQuorum ?? true;
    this.#flow = { ...defaultFlow, ...options.flow };
    this.#follower = new Follower({
      id: options.id,
      hardState: options.hardState,
      log: options.log,
      commitIndex: options.commitIndex,
      leaderHeardMs: options.leaderHeardMs ?? options.nowMs,
      leaderSilenceMs: this.#checkQuorum ? options.timing.electionMinMs : 0,
    });
    this.#membership = new Membership(options.log, options.baseConfiguration ?? noConfiguration);
    this.#membership.commit(options.commitIndex);
    this.#durableIndex = options.log.lastIndex;
    this.#nowMs = options.nowMs;
    this.#deadlineMs = options.nowMs + this.#electionTimeoutMs();
  }

  get role(): Role {
    return this.#role;
  }

  get term(): number {
    return this.#follower.term;
  }

  get vote(): MemberId | undefined {
    return this.#follower.vote;
  }

  get leaderId(): MemberId | undefined {
    return this.#follower.leaderId;
  }

  get commitIndex(): number {
    return this.#follower.commitIndex;
  }

  get appliedIndex(): number {
    return this.#follower.appliedIndex;
  }

  /** The present configuration, committed or not; empty in a group never started. */
  get configuration(): Configuration {
    return this.#membership.configuration;
  }

  /** The voters of the present configuration; of a joint one, the incoming. */
  get voters(): readonly MemberId[] {
    return this.configuration.voters;
  }

  /** Whether a leader may change the voters now: the last change is done and committed, and so is an entry of its own term. */
  get isMembershipSettled(): boolean {
    const isCommitted = this.#membership.index <= this.commitIndex;
    return isCommitted && !isJoint(this.configuration) && this.#log.termAt(this.commitIndex) === this.term;
  }

  /** Whom leadership is passing to. */
  get transferringTo(): MemberId | undefined {
    return this.#transfer?.to;
  }

  /** Reads of this term up to this round are confirmed; 0 when not leading. */
  get confirmedRound(): number {
    return this.#replication?.confirmedRound ?? 0;
  }

  /** When `tick` has something to do. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** What the leader knows of the others; empty on every other host. */
  get members(): ReadonlyMap<MemberId, Readonly<Progress>> {
    return this.#replication?.members ?? new Map();
  }

  setApplied(index: number): void {
    this.#follower.setApplied(index);
  }

  /** Time has passed: heartbeats are due, or the leader was silent for too long. */
  tick(nowMs: number): RaftOutput {
    this.#nowMs = nowMs;
    if (nowMs >= this.#deadlineMs) {
      if (this.#replication !== undefined) this.#heartbeat(this.#replication);
      else this.#campaign(this.#preVote ? "pre-vote" : "election");
    }
    return this.#flush();
  }

  /** Campaigns without waiting: right for a host that knows of no other. A leader, or one that does not vote, stays as it is. */
  campaign(nowMs: number): RaftOutput {
    this.#nowMs = nowMs;
    if (this.#role !== "leader") this.#campaign(this.#preVote ? "pre-vote" : "election");
    return this.#flush();
  }

  step(message: Message, nowMs: number): RaftOutput {
    this.#nowMs = nowMs;
    if (message.to !== this.id) return this.#flush();
    if (message.type === "append-request" || message.type === "vote-request") {
      return this.#asFollower(message);
    }
    // That a later term would be won is said without entering it.
    const isForecast = message.type === "vote-response" && message.granted && message.term === this.term + 1;
    if (isForecast && this.#role === "pre-candidate") {
      this.#count(message);
    } else if (message.term > this.term && !(isForecast && message.isPreVote)) {
      this.#hardState = this.#follower.enterTerm(message.term, undefined);
      this.#becomeFollower();
    }
    if (message.term === this.term) {
      if (message.type === "append-response") this.#acknowledge(message);
      else if (message.type === "timeout-now") this.#takeOver(message);
      else if (!message.isPreVote && this.#role === "candidate") this.#count(message);
    }
    return this.#flush();
  }

  /**
   * Appends an entry of any kind but a membership. Throws `NotLeader`, `TransferUnderWay`, `ProposalQueueFull`, `EntryTooLarge`;
   * then nothing has changed.
   */
  propose(kind: number, data: Uint8Array, version = 1): Proposal {
    if (kind === EntryKind.membership) {
      throw new MembershipRefused("Members are changed with `change`, which knows what is safe.");
    }
    return this.#propose(kind, data, version);
  }

  /**
   * Appends the configuration that the changes make of the present one. `auto` takes one joint step and leaves it by itself where
   * more than one voter comes or goes; `joint` waits for `leaveJoint`. Throws what `propose` does, and `MembershipRefused`.
   */
  change(changes: readonly Change[], transition: Transition = "auto"): Proposal {
    return this.#configure(() => {
      if (transition === "simple") return simpleChange(this.configuration, changes);
      if (transition !== "auto") {
        return enterJoint(this.configuration, transition === "joint-auto-leave", changes);
      }
      const to = enterJoint(this.configuration, true, changes);
      const added = to.voters.filter((id) => !to.outgoing.includes(id)).length;
      const removed = to.outgoing.filter((id) => !to.voters.includes(id)).length;
      return added + removed > 1 ? to : simpleChange(this.configuration, changes);
    });
  }

  /** Appends the second step of a joint change. Throws what `propose` does, and `MembershipRefused`. */
  leaveJoint(): Proposal {
    return this.#configure(() => leaveJoint(this.configuration));
  }

  #configure(next: () => Configuration): Proposal {
    if (this.#role !== "leader") throw new NotLeader(this.leaderId);
    const commitTerm = this.#log.termAt(this.commitIndex);
    this.#membership.checkSettled({ term: this.term, commitIndex: this.commitIndex, commitTerm });
    const configuration = next();
    if (configuration.voters.length > limits.votersMax) {
      throw new MembershipRefused(
        `${configuration.voters.length} would vote: at most ${limits.votersMax} may, so remove another first.`,
      );
    }
    const { version, data } = configurationToEntry(configuration);
    return this.#propose(EntryKind.membership, data, version);
  }

  #propose(kind: number, data: Uint8Array, version: number): Proposal {
    if (this.#role !== "leader") throw new NotLeader(this.leaderId);
    if (this.#transfer !== undefined) throw new TransferUnderWay(this.#transfer.to);
    if (data.length > limits.entryBytesMax) throw new EntryTooLarge(data.length, limits.entryBytesMax);
    const waiting = this.#log.lastIndex - this.commitIndex;
    if (waiting >= this.#flow.uncommittedEntriesMax) throw new ProposalQueueFull(waiting);
    const index = this.#log.lastIndex + 1;
    this.#appendOwn({ index, term: this.term, kind, version, data });
    return { index, term: this.term, output: this.#flush() };
  }

  /**
   * Passes leadership to another voter, a host: what it lacks is sent, nothing is proposed meanwhile, and then it is told to
   * campaign (thesis, section 3.10). Given up after the longest election timeout. Throws `NotLeader`, `TransferRefused`.
   */
  transfer(to: MemberId, nowMs: number): RaftOutput {
    this.#nowMs = nowMs;
    if (this.#role !== "leader") throw new NotLeader(this.leaderId);
    if (to === this.id) throw new TransferRefused(`${to} leads already.`);
    if (!this.voters.includes(to)) {
      throw new TransferRefused(`${to} does not vote, so it cannot lead: make it a voter first.`);
    }
    this.#transfer = { to, untilMs: nowMs + this.#timing.electionMaxMs };
    this.#replication!.proceed(to);
    this.#handOver();
    return this.#flush();
  }

  /**
   * Asks that this host's leadership be confirmed, so that what it reads is not older than what others may have been told
   * (thesis, section 6.4). Reads asked for while a round is under way share the next. Throws `NotLeader`.
   */
  read(): Read {
    if (this.#replication === undefined) throw new NotLeader(this.leaderId);
    const round = this.#replication.askRound(this.configuration);
    this.#replication.confirmRounds(this.configuration);
    // Until an entry of the own term is committed, the leader does not know how far the log is: its first entry lies beyond.
    const index = Math.max(this.commitIndex, this.#termStartIndex);
    return { term: this.term, round, index, output: this.#flush() };
  }

  /** The log is durable up to `index`, whose entry was of `term`; an entry since overwritten is passed over. */
  persisted(index: number, term: number): RaftOutput {
    if (index > this.#durableIndex && this.#log.termAt(index) === term) {
      this.#durableIndex = index;
      if (this.#replication !== undefined) {
        this.#replication.durableIndex = index;
        this.#commitByCounting();
        this.#replication.broadcast();
        this.#goOnAfterCommit();
      }
    }
    return this.#flush();
  }

  /**
   * A member has a connection, perhaps a new one: it is replicated to, voter or not, and a voter is asked for its vote when an
   * election is on. Throws `RangeError` beyond `membersMax`.
   */
  addMember(id: MemberId): RaftOutput {
    if (!this.#connected.has(id) && this.#connected.size >= membersMax) {
      throw new RangeError(`${membersMax} members are connected, which is the most: ${id} is turned away.`);
    }
    if (id !== this.id) {
      this.#connected.add(id);
      if (this.#replication !== undefined) {
        this.#replication.add(id, this.#log.lastIndex + 1);
        this.#replication.reset(id);
        this.#replication.greet(id);
      } else if (this.#isCampaigning && isVoter(this.configuration, id)) {
        this.#requestVote(id);
      }
    }
    return this.#flush();
  }

  /** The connection is gone: a learner is forgotten, a voter's unanswered appends are. */
  removeMember(id: MemberId): void {
    this.#connected.delete(id);
    if (membersOf(this.configuration).includes(id)) this.#replication?.reset(id);
    else this.#replication?.remove(id);
  }

  #asFollower(message: Message & { type: "append-request" | "vote-request" }): RaftOutput {
    const isAppend = message.type === "append-request";
    const { term } = this;
    // As long as it leads, it hears the leader.
    if (this.#role === "leader") this.#follower.follow(this.id, this.#nowMs);
    const output = this.#follower.step(message, this.#nowMs);
    if (this.term > term || (isAppend && message.term === term && this.#isCampaigning))
      this.#becomeFollower();
    if (output.truncateFrom > 0) {
      this.#durableIndex = Math.min(this.#durableIndex, output.truncateFrom - 1);
      this.#membership.truncate(output.truncateFrom);
    }
    for (const entry of output.entries) this.#membership.append(entry);
    this.#membership.commit(output.commitIndex);
    // The timer starts again for the current leader and for a vote given (figure 2, "Rules for Servers"), for nothing else.
    const isFromLeader = isAppend && message.term === this.term && output.violation === undefined;
    const gaveVote =
      !isAppend && output.messages.some((m) => m.type === "vote-response" && m.granted && !m.isPreVote);
    if (isFromLeader || gaveVote) this.#waitForLeader();
    return output;
  }

  #waitForLeader(): void {
    this.#deadlineMs = this.#nowMs + this.#electionTimeoutMs();
  }

  #becomeFollower(): void {
    // Only a leader starts its election timer here: a request that wins no vote must not keep a host from campaigning.
    if (this.#role === "leader") this.#waitForLeader();
    this.#role = "follower";
    this.#replication = undefined;
    this.#transfer = undefined;
    this.#votes.clear();
  }

  /** Leads no more, in the same term: removed, or without a majority. */
  #stepDown(): void {
    this.#becomeFollower();
    this.#follower.follow(undefined, -Infinity);
  }

  #heartbeat(replication: Replication): void {
    this.#deadlineMs = this.#nowMs + this.#timing.heartbeatMs;
    const heardMs = replication.quorumHeardMs(this.configuration, this.#nowMs);
    if (this.#checkQuorum && this.#nowMs - heardMs > this.#timing.electionMaxMs) {
      this.#stepDown();
      return;
    }
    if (this.#transfer !== undefined && this.#nowMs >= this.#transfer.untilMs) this.#transfer = undefined;
    replication.heartbeat();
    this.#handOver();
  }

  get #isCampaigning(): boolean {
    return this.#role === "candidate" || this.#role === "pre-candidate";
  }

  /** Section 5.2. Only voters campaign: a host not yet added, or removed, waits to be spoken to. */
  #campaign(purpose: VotePurpose): void {
    this.#waitForLeader();
    if (!isVoter(this.configuration, this.id)) return;
    this.#purpose = purpose;
    if (purpose === "pre-vote") {
      this.#role = "pre-candidate";
    } else {
      this.#role = "candidate";
      this.#hardState = this.#follower.enterTerm(this.term + 1, this.id);
    }
    this.#votes.clear();
    this.#votes.set(this.id, true);
    // Alone, it has won and asks nobody.
    if (this.#goOnWhenWon()) return;
    for (const voter of membersOf(this.configuration)) {
      if (voter !== this.id && isVoter(this.configuration, voter)) this.#requestVote(voter);
    }
  }

  #requestVote(voter: MemberId): void {
    const lastLogIndex = this.#log.lastIndex;
    const lastLogTerm = this.#log.termAt(lastLogIndex) ?? 0;
    const purpose = this.#purpose;
    const term = purpose === "pre-vote" ? this.term + 1 : this.term;
    const request = { type: "vote-request", from: this.id, to: voter, term } as const;
    this.#messages.push({ ...request, lastLogIndex, lastLogTerm, purpose });
  }

  #count(response: VoteResponse): void {
    if (!isVoter(this.configuration, response.from)) return;
    this.#votes.set(response.from, response.granted);
    this.#goOnWhenWon();
  }

  #goOnWhenWon(): boolean {
    if (jointVoteResult(this.configuration, (voter) => this.#votes.get(voter)) !== "won") return false;
    if (this.#role === "pre-candidate") this.#campaign("election");
    else this.#becomeLeader();
    return true;
  }

  #becomeLeader(): void {
    this.#role = "leader";
    this.#follower.follow(this.id, this.#nowMs);
    this.#deadlineMs = this.#nowMs + this.#timing.heartbeatMs;
    this.#replication = new Replication({
      leaderId: this.id,
      term: this.term,
      log: this.#log,
      outbox: this.#messages,
      commitIndex: this.commitIndex,
      durableIndex: this.#durableIndex,
      flow: this.#flow,
      sinceMs: this.#nowMs,
    });
    const nextIndex = this.#log.lastIndex + 1;
    this.#termStartIndex = nextIndex;
    for (const id of [...membersOf(this.configuration), ...this.#connected]) {
      this.#replication.add(id, nextIndex);
    }
    const noop = { index: nextIndex, term: this.term, kind: EntryKind.noop, version: 1 };
    this.#appendOwn({ ...noop, data: new Uint8Array(0) });
  }

  /** A leader only ever appends (section 5.3, leader append-only). */
  #appendOwn(entry: Entry): void {
    this.#entries.push(entry);
    if (entry.kind !== EntryKind.membership) return;
    this.#membership.append(entry);
    const listed = membersOf(this.configuration);
    for (const id of listed) this.#replication!.add(id, entry.index);
    for (const id of this.members.keys()) {
      if (!listed.includes(id) && !this.#connected.has(id)) this.#replication!.remove(id);
    }
  }

  /** Once the member that shall lead has everything, it is told to campaign; again with each heartbeat, as that may be lost. */
  #handOver(): void {
    const to = this.#transfer?.to;
    if (to === undefined || this.members.get(to)?.matchIndex !== this.#log.lastIndex) return;
    this.#messages.push({ type: "timeout-now", from: this.id, to, term: this.term });
  }

  /** The leader wants this host to lead. Its own leader's word is enough: no pre-vote. */
  #takeOver(message: TimeoutNow): void {
    if (this.#role !== "leader" && message.from === this.leaderId) this.#campaign("transfer");
  }

  #acknowledge(response: AppendResponse): void {
    const replication = this.#replication;
    if (replication === undefined) return;
    if (response.matchIndex > this.#log.lastIndex) {
      this.#violation = `${response.from} claims entry ${response.matchIndex}; its leader's log ends at ${this.#log.lastIndex}.`;
      return;
    }
    const hasMore = replication.take(response, this.#nowMs);
    if (hasMore && this.#commitByCounting()) replication.broadcast();
    replication.proceed(response.from);
    replication.confirmRounds(this.configuration);
    if (hasMore && response.from === this.#transfer?.to) this.#handOver();
    this.#goOnAfterCommit();
  }

  /** Section 5.4.2: only an entry of the own term is committed by counting; those before it come with it. */
  #commitByCounting(): boolean {
    const members = this.members;
    const index = jointCommittedIndex(this.configuration, (voter) =>
      voter === this.id ? this.#durableIndex : members.get(voter)?.matchIndex,
    );
    if (index <= this.commitIndex || this.#log.termAt(index) !== this.term) return false;
    this.#follower.commitTo(index);
    this.#membership.commit(index);
    this.#replication!.commitIndex = index;
    return true;
  }

  /**
   * A configuration that is committed has consequences: a joint one is left, by whoever leads then; a leader that is not in it
   * steps down, having told the others of the commit (thesis, sections 4.2.2 and 4.3).
   */
  #goOnAfterCommit(): void {
    const { configuration } = this;
    if (this.#membership.index > this.commitIndex) return;
    if (!isVoter(configuration, this.id)) {
      this.#stepDown();
    } else if (isJoint(configuration) && configuration.autoLeave && this.#transfer === undefined) {
      if (this.#log.termAt(this.commitIndex) !== this.term) return;
      const { version, data } = configurationToEntry(leaveJoint(configuration));
      const index = this.#log.lastIndex + 1;
      this.#appendOwn({ index, term: this.term, kind: EntryKind.membership, version, data });
    }
  }

  #electionTimeoutMs(): number {
    const { electionMinMs, electionMaxMs } = this.#timing;
    return electionMinMs + Math.floor(this.#random() * (electionMaxMs - electionMinMs));
  }

  /** What the core's own doing asks for; only a follower truncates. */
  #flush(): RaftOutput {
    const output: RaftOutput = {
      hardState: this.#hardState,
      truncateFrom: 0,
      entries: this.#entries,
      messages: this.#messages.splice(0),
      commitIndex: this.commitIndex,
      violation: this.#violation,
    };
    this.#hardState = undefined;
    this.#violation = undefined;
    this.#entries = [];
    return output;
  }
}

interface Transfer {
  readonly to: MemberId;
  readonly untilMs: number;
}
