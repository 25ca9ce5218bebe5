/**
 * The host's core: a follower that can also campaign and lead.
 *
 * Time comes in as `nowMs`, chance as `random`, durability as `persisted`; what must happen comes out as `RaftOutput`. A
 * leader counts its own log only as far as it is durable and sends nothing that is not, so one fsync serves all that was
 * proposed while the one before it ran: the driver batches, the core need not know.
 *
 * A candidate asks first whether it would win (pre-vote), and a leader that no longer hears a majority steps down
 * (check-quorum), so that one member behind a bad link neither unseats a leader nor believes for long that it is one. A
 * candidate that is refused for a stale log gets what it lacks and campaigns again (`catch-up.ts`).
 */
import { CatchUp } from "./catch-up.ts";
import type { Change, Configuration } from "./confchange.ts";
import { configurationAfter, isJoint, isVoter, leaveJoint, noConfiguration } from "./confchange.ts";
import type { LogEnd } from "./election.ts";
import { Election, endOf, isBehind } from "./election.ts";
import {
  EntryTooLarge,
  MembershipRefused,
  NotLeader,
  ProposalQueueFull,
  TransferRefused,
  TransferUnderWay,
} from "./errors.ts";
import { Follower } from "./follower.ts";
import { Leadership } from "./leadership.ts";
import { configurationToEntry, Membership } from "./membership.ts";
import type { MemberOptions, NodeOptions, Proposal, Read, Role, Transition } from "./node-options.ts";
import { leaseMsOf, membersMax, uncommittedEntriesMax } from "./node-options.ts";
import { Outbox } from "./outbox.ts";
import type { Progress } from "./progress.ts";
import { boardFlow } from "./progress.ts";
import type {
  AppendResponse,
  Entry,
  LogResponse,
  MemberId,
  Message,
  RaftLog,
  RaftOutput,
  SnapshotChunk,
  SnapshotResponse,
  TimeoutNow,
  VotePurpose,
  VoteResponse,
} from "./types.ts";
import { EntryKind, limits } from "./types.ts";

export class Node {
  readonly id: MemberId;
  readonly #options: NodeOptions;
  readonly #log: RaftLog;
  readonly #checkQuorum: boolean;
  readonly #follower: Follower;
  readonly #membership: Membership;
  /** Members with a connection, and whether each listens; those that do not vote are the learners. */
  readonly #connected = new Map<MemberId, boolean>();
  readonly #outbox = new Outbox();
  #role: Role = "follower";
  #durableIndex: number;
  #deadlineMs: number;
  /** As last told. */
  #nowMs: number;
  /** One of these three, as the role says. */
  #election: Election | undefined;
  #catchUp: CatchUp | undefined;
  #leadership: Leadership | undefined;
  /** Whom else to copy from, while catching up. */
  #otherSources: readonly LogEnd[] = [];

  constructor(options: NodeOptions) {
    const { id, log, timing, nowMs } = options;
    this.id = id;
    this.#options = options;
    this.#log = log;
    this.#checkQuorum = options.checkQuorum ?? true;
    const commitIndex = Math.max(options.commitIndex, log.snapshot?.index ?? 0);
    this.#follower = new Follower({
      id,
      hardState: options.hardState,
      log,
      sha256: options.sha256,
      commitIndex,
      leaderHeardMs: options.leaderHeardMs ?? nowMs,
      leaderSilenceMs: this.#checkQuorum ? timing.electionMinMs : 0,
    });
    this.#membership = new Membership(log, id, options.baseConfiguration ?? noConfiguration);
    this.#membership.commit(commitIndex);
    this.#durableIndex = log.lastIndex;
    this.#nowMs = nowMs;
    this.#deadlineMs = nowMs + this.#electionTimeoutMs();
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
    return this.#leadership?.transferringTo;
  }

  /** Reads of this term up to this round are confirmed; 0 when not leading. */
  get confirmedRound(): number {
    return this.#leadership?.rounds.confirmed ?? 0;
  }

  /** Whose log is being copied, while catching up. */
  get catchingUpFrom(): MemberId | undefined {
    return this.#catchUp?.source;
  }

  /** When `tick` has something to do. Any input may move it, also to an earlier time. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** What the leader knows of the others; empty on every other host. */
  get members(): ReadonlyMap<MemberId, Readonly<Progress>> {
    return this.#leadership?.replication.members ?? new Map();
  }

  setApplied(index: number): void {
    this.#follower.setApplied(index);
  }

  /** Time has passed: heartbeats are due, or somebody was silent for too long. */
  tick(nowMs: number): RaftOutput {
    this.#nowMs = nowMs;
    if (nowMs >= this.#deadlineMs) {
      if (this.#leadership !== undefined) this.#heartbeat(this.#leadership);
      else if (this.#catchUp !== undefined) this.#goOnCatchingUp(this.#catchUp);
      else if (!this.#startCatchUp(this.#election?.ahead ?? [])) this.#campaign();
    }
    return this.#flush();
  }

  /** Campaigns without waiting: right for a host that knows of no other. A leader, or one that does not vote, stays as it is. */
  campaign(nowMs: number): RaftOutput {
    this.#nowMs = nowMs;
    if (this.#role !== "leader") this.#campaign();
    return this.#flush();
  }

  step(message: Message, nowMs: number): RaftOutput {
    this.#nowMs = nowMs;
    if (message.to !== this.id) return this.#flush();
    switch (message.type) {
      case "append-request":
      case "vote-request":
        return this.#asFollower(message);
      case "log-request":
        return this.#follower.step(message, nowMs);
      case "snapshot-chunk":
        return this.#takeChunk(message);
      case "log-response":
        if (message.from === this.#catchUp?.source) this.#copy(this.#catchUp, message);
        break;
      case "vote-response":
        this.#takeVote(message);
        break;
      default:
        if (message.term > this.term) this.#enterTerm(message.term);
        if (message.term !== this.term) break;
        if (message.type === "append-response") this.#acknowledge(message);
        else if (message.type === "snapshot-response") this.#acknowledgeSnapshot(message);
        else this.#takeOver(message);
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
    return this.#configure(() => configurationAfter(this.configuration, changes, transition));
  }

  /** Appends the second step of a joint change. Throws what `propose` does, and `MembershipRefused`. */
  leaveJoint(): Proposal {
    return this.#configure(() => leaveJoint(this.configuration));
  }

  /**
   * Passes leadership to another voter, a host: what it lacks is sent, nothing is proposed meanwhile, and then it is told to
   * campaign (thesis, section 3.10). Given up after the longest election timeout. Throws `NotLeader`, `TransferRefused`.
   */
  transfer(to: MemberId, nowMs: number): RaftOutput {
    this.#nowMs = nowMs;
    if (this.#leadership === undefined) throw new NotLeader(this.leaderId);
    if (to === this.id) throw new TransferRefused(`${to} leads already.`);
    if (!this.#isHost(to)) {
      throw new TransferRefused(`${to} is a board: boards vote, but only a host can lead.`);
    }
    if (!this.voters.includes(to)) {
      throw new TransferRefused(`${to} does not vote, so it cannot lead: make it a voter first.`);
    }
    this.#leadership.transferTo(to, nowMs);
    return this.#flush();
  }

  /**
   * Asks that this host's leadership be confirmed, so that what it reads is not older than what others may have been told
   * (thesis, section 6.4). Within its lease it is; else a majority is asked, and reads asked for while a round is under way share
   * the next. Throws `NotLeader`.
   */
  read(nowMs: number): Read {
    this.#nowMs = nowMs;
    if (this.#leadership === undefined) throw new NotLeader(this.leaderId);
    const round = this.#leadership.askRead(nowMs);
    // Until an entry of the own term is committed, the leader does not know how far the log is: its first entry lies beyond.
    const index = Math.max(this.commitIndex, this.#leadership.firstIndex);
    const isConfirmed = round <= this.confirmedRound;
    return { term: this.term, round, index, isConfirmed, output: this.#flush() };
  }

  /**
   * The log is durable up to `index`, whose entry was of `term`; an entry since overwritten is passed over. To be told after
   * entries, and after an installed snapshot.
   */
  persisted(index: number, term: number): RaftOutput {
    if (index > this.#durableIndex && this.#log.termAt(index) === term) {
      this.#durableIndex = index;
      if (this.#leadership !== undefined) {
        this.#leadership.replication.durableIndex = index;
        this.#commitByCounting(this.#leadership);
        this.#leadership.replication.broadcast();
        this.#goOnAfterCommit();
      }
    }
    if (this.#catchUp?.isDone) this.#campaign();
    return this.#flush();
  }

  /**
   * A member has a connection, perhaps a new one: it is replicated to, voter or not, and a voter is asked for its vote when an
   * election is on. Throws `RangeError` beyond `membersMax`.
   */
  addMember(id: MemberId, { listens }: MemberOptions = { listens: false }): RaftOutput {
    if (!this.#connected.has(id) && this.#connected.size >= membersMax) {
      throw new RangeError(`${membersMax} members are connected, which is the most: ${id} is turned away.`);
    }
    if (id !== this.id) {
      this.#connected.set(id, listens);
      if (this.#leadership !== undefined) {
        this.#leadership.connect(id, listens);
        this.#leadership.replication.reset(id);
        this.#leadership.replication.greet(id);
      } else if (isVoter(this.configuration, id)) {
        this.#election?.ask(id);
      }
    }
    return this.#flush();
  }

  /** The connection is gone: a learner is forgotten, a voter's unanswered appends are. */
  removeMember(id: MemberId): void {
    this.#connected.delete(id);
    this.#leadership?.disconnect(id);
  }

  // As a follower.

  #asFollower(message: Message & { type: "append-request" | "vote-request" }): RaftOutput {
    const isAppend = message.type === "append-request";
    const { term } = this;
    // As long as it leads, it hears the leader.
    if (this.#role === "leader") this.#follower.follow(this.id, this.#nowMs);
    const output = this.#follower.step(message, this.#nowMs);
    const gaveVote = output.messages.some((m) => m.type === "vote-response" && m.granted && !m.isPreVote);
    // Whoever catches up only to win a later vote does not stop for one that it refuses.
    const goesOn = this.#catchUp !== undefined && !isAppend && !gaveVote;
    const hearsLeader = isAppend && message.term === term && this.#role !== "leader";
    if ((this.term > term && !goesOn) || hearsLeader) this.#becomeFollower();
    this.#noteLogChange(output);
    // The timer starts again for the current leader and for a vote given (figure 2, "Rules for Servers"), for nothing else.
    const isFromLeader = isAppend && message.term === this.term && output.violation === undefined;
    if (isFromLeader || gaveVote) this.#waitForLeader();
    return output;
  }

  /**
   * From the source, while catching up; else only from the leader already heard in this term, whose appends say so with each heartbeat:
   * a chunk asked for in a catch-up long given up is no word of a leader.
   */
  #takeChunk(chunk: SnapshotChunk): RaftOutput {
    if (chunk.from === this.#catchUp?.source) {
      this.#copyChunk(this.#catchUp, chunk);
      return this.#flush();
    }
    if (chunk.term !== this.term || chunk.from !== this.leaderId) return this.#flush();
    const output = this.#follower.step(chunk, this.#nowMs);
    this.#noteLogChange(output);
    this.#waitForLeader();
    return output;
  }

  /** What is to be done to the log has consequences for what is durable, and for who votes. */
  #noteLogChange({
    truncateFrom,
    entries,
    snapshot,
  }: Pick<RaftOutput, "truncateFrom" | "entries" | "snapshot">): void {
    if (snapshot?.isLast === true) {
      // All that it covers is committed, so that it counts as held does no harm.
      this.#durableIndex = snapshot.index;
      this.#membership.restart();
      return;
    }
    if (truncateFrom > 0) {
      this.#durableIndex = Math.min(this.#durableIndex, truncateFrom - 1);
      this.#membership.truncate(truncateFrom);
    }
    for (const entry of entries) this.#membership.append(entry);
    this.#membership.commit(this.commitIndex);
  }

  #waitForLeader(): void {
    this.#deadlineMs = this.#nowMs + this.#electionTimeoutMs();
  }

  #enterTerm(term: number): void {
    this.#outbox.hardState = this.#follower.enterTerm(term, undefined);
    this.#becomeFollower();
  }

  #becomeFollower(): void {
    // Only a leader starts its election timer here: a request that wins no vote must not keep a host from campaigning.
    if (this.#role === "leader") this.#waitForLeader();
    this.#become("follower");
  }

  #become(role: Role): void {
    this.#role = role;
    this.#election = undefined;
    this.#catchUp = undefined;
    this.#leadership = undefined;
  }

  /** Leads no more, in the same term: removed, or without a majority. */
  #stepDown(): void {
    this.#becomeFollower();
    this.#follower.follow(undefined, -Infinity);
  }

  // As a candidate.

  /** Section 5.2. A host not yet added, or removed, waits to be spoken to. */
  #campaign(purpose: VotePurpose = (this.#options.preVote ?? true) ? "pre-vote" : "election"): void {
    this.#waitForLeader();
    if (!this.#membership.mayLead(this.id)) {
      this.#become("follower");
      return;
    }
    this.#become(purpose === "pre-vote" ? "pre-candidate" : "candidate");
    const term = this.term + 1;
    if (purpose !== "pre-vote") this.#outbox.hardState = this.#follower.enterTerm(term, this.id);
    const { id, configuration } = this;
    this.#election = new Election({ id, purpose, term, log: this.#log, outbox: this.#outbox });
    // Alone, it has won and asks nobody.
    if (!this.#goOnWhenWon()) this.#election.askAll(configuration);
  }

  #takeVote(response: VoteResponse): void {
    const { from, term, granted, isPreVote } = response;
    // That a later term would be won is said without entering it.
    if (isPreVote && granted && (this.#role !== "pre-candidate" || term !== this.term + 1)) return;
    const election = isVoter(this.configuration, from) ? this.#election : undefined;
    const isAnswer = isPreVote
      ? this.#role === "pre-candidate"
      : term >= this.term && this.#role === "candidate";
    if (isAnswer) election?.count(response);
    if (term > this.term && !(isPreVote && granted)) {
      this.#enterTerm(term);
      this.#startCatchUp(election?.ahead ?? []);
    } else if (isAnswer && election !== undefined && !this.#goOnWhenWon()) {
      this.#goOnWhenRefused(election);
    }
  }

  #goOnWhenWon(): boolean {
    if (this.#election?.result(this.configuration) !== "won") return false;
    if (this.#role === "pre-candidate") this.#campaign("election");
    else this.#becomeLeader();
    return true;
  }

  /** Design, point 8: who lost for a stale log gets what it lacks; while others may still elect it, it waits for them a little. */
  #goOnWhenRefused(election: Election): void {
    const { ahead } = election;
    if (ahead.length === 0 || this.#options.catchesUp === false) return;
    if (election.result(this.configuration) === "lost") this.#startCatchUp(ahead);
    else this.#deadlineMs = Math.min(this.#deadlineMs, this.#nowMs + this.#options.timing.heartbeatMs);
  }

  /** Copies the log of the first of `sources` that still has more. Returns false when none has. */
  #startCatchUp(sources: readonly LogEnd[]): boolean {
    const { index, term } = endOf(this.#log);
    const [source, ...others] = sources.filter((s) => isBehind(term, index, s.lastLogTerm, s.lastLogIndex));
    if (source === undefined || this.#options.catchesUp === false) return false;
    this.#become("catching-up");
    this.#otherSources = others;
    const parts = { id: this.id, log: this.#log, follower: this.#follower, outbox: this.#outbox };
    this.#catchUp = new CatchUp({ ...parts, source, nowMs: this.#nowMs });
    this.#deadlineMs = this.#nowMs + this.#options.timing.heartbeatMs;
    return true;
  }

  #copy(catchUp: CatchUp, response: LogResponse): void {
    this.#adoptTerm(Math.max(response.term, response.entries.at(-1)?.term ?? 0));
    catchUp.take(response, this.#nowMs);
    this.#noteLogChange(this.#outbox);
    this.#goOnAfterCopying(catchUp);
  }

  #copyChunk(catchUp: CatchUp, chunk: SnapshotChunk): void {
    this.#adoptTerm(Math.max(chunk.term, chunk.indexTerm));
    catchUp.takeChunk(chunk, this.#nowMs);
    this.#noteLogChange(this.#outbox);
    this.#goOnAfterCopying(catchUp);
  }

  /** Whoever holds an entry is in its term, or a later one. */
  #adoptTerm(term: number): void {
    if (term > this.term) this.#outbox.hardState = this.#follower.enterTerm(term, undefined);
  }

  #goOnAfterCopying(catchUp: CatchUp): void {
    if (catchUp.hasFailed) this.#tryNextSource();
    // What completes it is in the log only at the next input: `persisted`, or a tick that is due now.
    else if (catchUp.isComplete) this.#deadlineMs = this.#nowMs;
    else this.#deadlineMs = this.#nowMs + this.#options.timing.heartbeatMs;
  }

  #goOnCatchingUp(catchUp: CatchUp): void {
    const { electionMinMs, heartbeatMs } = this.#options.timing;
    if (catchUp.isDone) {
      this.#campaign();
    } else if (this.#nowMs - catchUp.heardMs >= electionMinMs) {
      this.#tryNextSource();
    } else {
      catchUp.ask();
      this.#deadlineMs = this.#nowMs + heartbeatMs;
    }
  }

  #tryNextSource(): void {
    if (!this.#startCatchUp(this.#otherSources)) this.#campaign();
  }

  /** The leader wants this host to lead. Its own leader's word is enough: no pre-vote. */
  #takeOver(message: TimeoutNow): void {
    if (this.#role !== "leader" && message.from === this.leaderId) this.#campaign("transfer");
  }

  // As the leader.

  #becomeLeader(): void {
    const { id, term, commitIndex, configuration } = this;
    const { timing, leaseReads = true, flowOf = () => boardFlow } = this.#options;
    this.#become("leader");
    this.#follower.follow(id, this.#nowMs);
    this.#deadlineMs = this.#nowMs + timing.heartbeatMs;
    this.#leadership = new Leadership({
      id,
      term,
      log: this.#log,
      outbox: this.#outbox,
      commitIndex,
      durableIndex: this.#durableIndex,
      configuration,
      connected: this.#connected,
      timing,
      leaseMs: this.#checkQuorum && leaseReads ? leaseMsOf(timing) : 0,
      flowOf,
      nowMs: this.#nowMs,
    });
    this.#appendOwn(EntryKind.noop, new Uint8Array(0), 1);
  }

  #heartbeat(leadership: Leadership): void {
    this.#deadlineMs = this.#nowMs + this.#options.timing.heartbeatMs;
    if (this.#checkQuorum && !leadership.hearsMajority(this.#nowMs)) this.#stepDown();
    else leadership.heartbeat(this.#nowMs);
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
    if (!configuration.voters.some((id) => this.#isHost(id))) {
      throw new MembershipRefused("No host would vote any more, and boards cannot lead: keep one host.");
    }
    const { version, data } = configurationToEntry(configuration);
    return this.#propose(EntryKind.membership, data, version);
  }

  #propose(kind: number, data: Uint8Array, version: number): Proposal {
    if (this.#role !== "leader") throw new NotLeader(this.leaderId);
    if (this.transferringTo !== undefined) throw new TransferUnderWay(this.transferringTo);
    if (data.length > limits.entryBytesMax) throw new EntryTooLarge(data.length, limits.entryBytesMax);
    const waiting = this.#log.lastIndex - this.commitIndex;
    if (waiting >= (this.#options.uncommittedEntriesMax ?? uncommittedEntriesMax))
      throw new ProposalQueueFull(waiting);
    const { index, term } = this.#appendOwn(kind, data, version);
    return { index, term, output: this.#flush() };
  }

  /** A leader only ever appends (section 5.3, leader append-only), one entry with each input. */
  #appendOwn(kind: number, data: Uint8Array, version: number): Entry {
    if (this.#outbox.entries.length > 0) throw new Error("The log has not taken the entry before yet.");
    const entry = { index: this.#log.lastIndex + 1, term: this.term, kind, version, data };
    this.#outbox.entries = [entry];
    if (kind === EntryKind.membership) {
      this.#membership.append(entry);
      this.#leadership!.reconfigure(this.configuration, entry.index);
    }
    return entry;
  }

  #acknowledge(response: AppendResponse): void {
    const leadership = this.#leadership;
    if (leadership === undefined) return;
    if (response.matchIndex > this.#log.lastIndex) {
      this.#outbox.violation = `${response.from} claims entry ${response.matchIndex}; its leader's log ends at ${this.#log.lastIndex}.`;
      return;
    }
    const hasMore = leadership.take(response, this.#nowMs);
    if (hasMore && this.#commitByCounting(leadership)) leadership.replication.broadcast();
    leadership.proceed(response.from, this.#nowMs);
    this.#goOnAfterCommit();
  }

  #acknowledgeSnapshot(response: SnapshotResponse): void {
    const { from, index, isInstalled } = response;
    if (isInstalled && index > this.commitIndex) {
      this.#outbox.violation = `${from} claims snapshot ${index}; its leader has committed ${this.commitIndex}.`;
      return;
    }
    this.#leadership?.takeSnapshotResponse(response, this.#nowMs);
    this.#leadership?.proceed(from, this.#nowMs);
  }

  /** Section 5.4.2: only an entry of the own term is committed by counting; those before it come with it. */
  #commitByCounting(leadership: Leadership): boolean {
    const index = leadership.majorityIndex;
    if (index <= this.commitIndex || this.#log.termAt(index) !== this.term) return false;
    this.#follower.commitTo(index);
    this.#membership.commit(index);
    leadership.replication.commitTo(index);
    return true;
  }

  /**
   * A configuration that is committed has consequences: a joint one is left, by whoever leads then; a leader that is not in it
   * steps down, having told the others of the commit (thesis, sections 4.2.2 and 4.3), once a host knows that it may lead: boards
   * alone would wait for ever.
   */
  #goOnAfterCommit(): void {
    const { configuration } = this;
    if (this.#membership.index > this.commitIndex) return;
    if (!isVoter(configuration, this.id)) {
      if (this.#hasSuccessor()) this.#stepDown();
    } else if (isJoint(configuration) && configuration.autoLeave && this.transferringTo === undefined) {
      if (this.#log.termAt(this.commitIndex) !== this.term) return;
      const { version, data } = configurationToEntry(leaveJoint(configuration));
      this.#appendOwn(EntryKind.membership, data, version);
    }
  }

  #hasSuccessor(): boolean {
    const { index } = this.#membership;
    return this.voters.some((id) => this.#isHost(id) && (this.members.get(id)?.matchIndex ?? 0) >= index);
  }

  #isHost(id: MemberId): boolean {
    return this.#options.isHost?.(id) ?? true;
  }

  #electionTimeoutMs(): number {
    const { electionMinMs, electionMaxMs } = this.#options.timing;
    return electionMinMs + Math.floor(this.#options.random() * (electionMaxMs - electionMinMs));
  }

  #flush(): RaftOutput {
    return this.#outbox.flush(this.commitIndex);
  }
}
