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
import { Candidacy } from "./candidacy.ts";
import type { Change, Configuration, Transition } from "./confchange.ts";
import { configurationAfter, isJoint, leaveJoint } from "./confchange.ts";
import { MembershipRefused, NotLeader, TransferRefused } from "./errors.ts";
import { Leadership } from "./leadership.ts";
import type { MemberOptions, NodeOptions, Proposal, Read, Role } from "./node-options.ts";
import { membersMax } from "./node-options.ts";
import { NodeState } from "./node-state.ts";
import type { Progress } from "./progress.ts";
import type { Entry, MemberId, Message, RaftOutput, SnapshotChunk, VoteResponse } from "./types.ts";
import { EntryKind } from "./types.ts";

export class Node {
  readonly #state: NodeState;
  readonly #candidacy: Candidacy;
  /** While it leads. */
  #leadership: Leadership | undefined;

  constructor(options: NodeOptions) {
    this.#state = new NodeState(options);
    this.#candidacy = new Candidacy(this.#state);
  }

  get id(): MemberId {
    return this.#state.id;
  }

  get role(): Role {
    return this.#leadership !== undefined ? "leader" : (this.#candidacy.role ?? "follower");
  }

  get term(): number {
    return this.#state.term;
  }

  get vote(): MemberId | undefined {
    return this.#state.follower.vote;
  }

  get leaderId(): MemberId | undefined {
    return this.#state.follower.leaderId;
  }

  get commitIndex(): number {
    return this.#state.commitIndex;
  }

  get appliedIndex(): number {
    return this.#state.follower.appliedIndex;
  }

  /** The present configuration, committed or not; empty in a group never started. */
  get configuration(): Configuration {
    return this.#state.configuration;
  }

  /** The voters of the present configuration; of a joint one, the incoming. */
  get voters(): readonly MemberId[] {
    return this.configuration.voters;
  }

  /** Whether a leader may change the voters now: the last change is done and committed, and so is an entry of its own term. */
  get isMembershipSettled(): boolean {
    const { membership, commitIndex, log, term, configuration } = this.#state;
    return membership.index <= commitIndex && !isJoint(configuration) && log.termAt(commitIndex) === term;
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
    return this.#candidacy.source;
  }

  /** When `tick` has something to do. Any input may move it, also to an earlier time. */
  get deadlineMs(): number {
    return this.#state.deadlineMs;
  }

  /** What the leader knows of the others; empty on every other host. */
  get members(): ReadonlyMap<MemberId, Readonly<Progress>> {
    return this.#leadership?.replication.members ?? new Map();
  }

  setApplied(index: number): void {
    this.#state.follower.setApplied(index);
  }

  /** Time has passed: heartbeats are due, or somebody was silent for too long. */
  tick(nowMs: number): RaftOutput {
    this.#state.nowMs = nowMs;
    if (nowMs >= this.#state.deadlineMs) {
      if (this.#leadership !== undefined) this.#leadership.heartbeat();
      else if (this.#candidacy.tick()) this.#lead();
    }
    return this.#flush();
  }

  /** Campaigns without waiting: right for a host that knows of no other. A leader, or one that does not vote, stays as it is. */
  campaign(nowMs: number): RaftOutput {
    this.#state.nowMs = nowMs;
    if (this.#leadership === undefined && this.#candidacy.campaign()) this.#lead();
    return this.#flush();
  }

  step(message: Message, nowMs: number): RaftOutput {
    this.#state.nowMs = nowMs;
    if (message.to !== this.id) return this.#flush();
    switch (message.type) {
      case "append-request":
      case "vote-request":
        return this.#asFollower(message);
      case "log-request":
        return this.#state.follower.step(message, nowMs);
      case "snapshot-chunk":
        return this.#takeChunk(message);
      case "log-response":
        if (message.from === this.#candidacy.source && this.#candidacy.takeLog(message)) this.#lead();
        break;
      case "vote-response":
        this.#takeVote(message);
        break;
      default:
        if (message.term > this.term) this.#enterTerm(message.term);
        if (message.term !== this.term) break;
        if (message.type === "append-response") this.#leadership?.acknowledge(message);
        else if (message.type === "snapshot-response") this.#leadership?.acknowledgeSnapshot(message);
        else if (message.from === this.leaderId) this.#takeOver();
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
    return this.#proposed(this.#leader().propose(kind, data, version));
  }

  /**
   * Appends the configuration that the changes make of the present one. `auto` takes one joint step and leaves it by itself where
   * more than one voter comes or goes; `joint` waits for `leaveJoint`. Throws what `propose` does, and `MembershipRefused`.
   */
  change(changes: readonly Change[], transition: Transition = "auto"): Proposal {
    const next = (present: Configuration) => configurationAfter(present, changes, transition);
    return this.#proposed(this.#leader().configure(next));
  }

  /** Appends the second step of a joint change. Throws what `propose` does, and `MembershipRefused`. */
  leaveJoint(): Proposal {
    return this.#proposed(this.#leader().configure(leaveJoint));
  }

  /**
   * Passes leadership to another voter, a host: what it lacks is sent, nothing is proposed meanwhile, and then it is told to
   * campaign (thesis, section 3.10). Given up after the longest election timeout. Throws `NotLeader`, `TransferRefused`.
   */
  transfer(to: MemberId, nowMs: number): RaftOutput {
    this.#state.nowMs = nowMs;
    const leadership = this.#leader();
    if (to === this.id) throw new TransferRefused(`${to} leads already.`);
    if (!this.#state.isHost(to)) {
      throw new TransferRefused(`${to} is a board: boards vote, but only a host can lead.`);
    }
    if (!this.voters.includes(to)) {
      throw new TransferRefused(`${to} does not vote, so it cannot lead: make it a voter first.`);
    }
    leadership.transferTo(to);
    return this.#flush();
  }

  /**
   * Asks that this host's leadership be confirmed, so that what it reads is not older than what others may have been told
   * (thesis, section 6.4). Within its lease it is; else a majority is asked, and reads asked for while a round is under way share
   * the next. Throws `NotLeader`.
   */
  read(nowMs: number): Read {
    this.#state.nowMs = nowMs;
    const leadership = this.#leader();
    const round = leadership.askRead();
    // Until an entry of the own term is committed, the leader does not know how far the log is: its first entry lies beyond.
    const index = Math.max(this.commitIndex, leadership.firstIndex);
    const isConfirmed = round <= this.confirmedRound;
    return { term: this.term, round, index, isConfirmed, output: this.#flush() };
  }

  /**
   * The log is durable up to `index`, whose entry was of `term`; an entry since overwritten is passed over. To be told after
   * entries, and after an installed snapshot.
   */
  persisted(index: number, term: number): RaftOutput {
    if (index > this.#state.durableIndex && this.#state.log.termAt(index) === term) {
      this.#state.durableIndex = index;
      this.#leadership?.persisted();
    }
    if (this.#candidacy.persisted()) this.#lead();
    return this.#flush();
  }

  /**
   * A member has a connection, perhaps a new one: it is replicated to, voter or not, and a voter is asked for its vote when an
   * election is on. Throws `RangeError` beyond `membersMax`.
   */
  addMember(id: MemberId, { listens }: MemberOptions = { listens: false }): RaftOutput {
    const { connected } = this.#state;
    if (!connected.has(id) && connected.size >= membersMax) {
      throw new RangeError(`${membersMax} members are connected, which is the most: ${id} is turned away.`);
    }
    if (id !== this.id) {
      connected.set(id, listens);
      if (this.#leadership !== undefined) this.#leadership.connect(id, listens);
      else this.#candidacy.connect(id);
    }
    return this.#flush();
  }

  /** The connection is gone: a learner is forgotten, a voter's unanswered appends are. */
  removeMember(id: MemberId): void {
    this.#state.connected.delete(id);
    this.#leadership?.disconnect(id);
  }

  #asFollower(message: Message & { type: "append-request" | "vote-request" }): RaftOutput {
    const { follower, nowMs } = this.#state;
    const isAppend = message.type === "append-request";
    const { term } = this;
    // As long as it leads, it hears the leader.
    if (this.#leadership !== undefined) follower.follow(this.id, nowMs);
    const output = follower.step(message, nowMs);
    const gaveVote = output.messages.some((m) => m.type === "vote-response" && m.granted && !m.isPreVote);
    const hearsLeader = isAppend && message.term === term && this.#leadership === undefined;
    // Whoever catches up, to win a later vote, does not stop for one that it refuses.
    const goesOn = this.#candidacy.isCatchingUp && !isAppend && !gaveVote;
    if ((this.term > term && !goesOn) || hearsLeader) this.#becomeFollower();
    this.#state.noteLogChange(output);
    // The timer starts again for the current leader and for a vote given (figure 2, "Rules for Servers"), for nothing else.
    const isFromLeader = isAppend && message.term === this.term && output.violation === undefined;
    if (isFromLeader || gaveVote) this.#state.waitForLeader();
    return output;
  }

  /**
   * From the source, while catching up; else only from the leader already heard in this term, whose appends say so with each heartbeat:
   * a chunk asked for in a catch-up long given up is no word of a leader.
   */
  #takeChunk(chunk: SnapshotChunk): RaftOutput {
    if (chunk.from === this.#candidacy.source) {
      if (this.#candidacy.takeChunk(chunk)) this.#lead();
      return this.#flush();
    }
    if (chunk.term !== this.term || chunk.from !== this.leaderId) return this.#flush();
    const output = this.#state.follower.step(chunk, this.#state.nowMs);
    this.#state.noteLogChange(output);
    this.#state.waitForLeader();
    return output;
  }

  #takeVote(response: VoteResponse): void {
    const { term, granted, isPreVote } = response;
    if (isPreVote && granted) {
      // That a later term would be won is said without entering it.
      if (term === this.term + 1 && this.#candidacy.takeVote(response)) this.#lead();
    } else if (term > this.term) {
      this.#state.enterTerm(term, undefined);
      if (this.#leadership !== undefined) this.#becomeFollower();
      else this.#candidacy.loseTo(response);
    } else if (term === this.term || isPreVote) {
      if (this.#candidacy.takeVote(response)) this.#lead();
    }
  }

  /** The leader wants this host to lead. Its own leader's word is enough: no pre-vote. */
  #takeOver(): void {
    if (this.#leadership === undefined && this.#candidacy.campaign("transfer")) this.#lead();
  }

  #lead(): void {
    this.#candidacy.stop();
    this.#leadership = new Leadership(this.#state);
  }

  #leader(): Leadership {
    if (this.#leadership === undefined) throw new NotLeader(this.leaderId);
    return this.#leadership;
  }

  #enterTerm(term: number): void {
    this.#state.enterTerm(term, undefined);
    this.#becomeFollower();
  }

  #becomeFollower(): void {
    // Only a leader starts its election timer here: a request that wins no vote must not keep a host from campaigning.
    if (this.#leadership !== undefined) this.#state.waitForLeader();
    this.#leadership = undefined;
    this.#candidacy.stop();
  }

  #proposed({ index, term }: Entry): Proposal {
    return { index, term, output: this.#flush() };
  }

  #flush(): RaftOutput {
    if (this.#leadership?.isOver === true) {
      // In the same term: removed, or without a majority.
      this.#becomeFollower();
      this.#state.follower.follow(undefined, -Infinity);
    }
    return this.#state.outbox.flush(this.commitIndex);
  }
}
