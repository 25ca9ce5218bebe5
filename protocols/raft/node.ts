/**
 * The host's core: a follower that can also campaign and lead.
 *
 * Time comes in as `nowMs`, chance as `random`, durability as `persisted`; what must happen comes out as `RaftOutput`. A
 * leader counts its own log only as far as it is durable and sends nothing that is not, so one fsync serves all that was
 * proposed while the one before it ran: the driver batches, the core need not know.
 */
import { EntryTooLarge, NotLeader, ProposalQueueFull } from "./errors.ts";
import { Follower } from "./follower.ts";
import type { DecodeVoters } from "./membership.ts";
import { Membership, membershipVersion } from "./membership.ts";
import type { Progress } from "./progress.ts";
import { committedIndex, voteResult } from "./quorum.ts";
import { Replication } from "./replication.ts";
import type {
  AppendResponse,
  Entry,
  HardState,
  HostLog,
  MemberId,
  Message,
  RaftOutput,
  VoteResponse,
} from "./types.ts";
import { EntryKind, limits } from "./types.ts";

export type Role = "follower" | "candidate" | "leader";

export interface NodeOptions {
  readonly id: MemberId;
  readonly hardState: HardState;
  /** Durable when handed over; must reflect every earlier output at each call. */
  readonly log: HostLog;
  /** Known to be committed from before; 0 when that was not kept. */
  readonly commitIndex: number;
  readonly decodeVoters: DecodeVoters;
  readonly timing: Timing;
  /** From 0 up to, but not including, 1; spreads the election timeouts (Raft paper, section 5.2). */
  readonly random: () => number;
  readonly nowMs: number;
}

export interface Timing {
  readonly heartbeatMs: number;
  /** A host that hears no leader campaigns after a time between these two, drawn anew each time. */
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
}

/** What `propose` did: the entry's place, if it is committed there in that term. */
export interface Proposal {
  readonly index: number;
  readonly term: number;
  readonly output: RaftOutput;
}

/** Most entries that may wait for a majority. */
export const uncommittedEntriesMax = 1024;

/** Most members that a leader replicates to: a cell of about 250 boards, and room for those that come back under a new id. */
export const membersMax = 512;

export class Node {
  readonly id: MemberId;
  readonly #log: HostLog;
  readonly #timing: Timing;
  readonly #random: () => number;
  readonly #follower: Follower;
  readonly #membership: Membership;
  /** Members with a connection; those that do not vote are the learners. */
  readonly #connected = new Set<MemberId>();
  #role: Role = "follower";
  #durableIndex: number;
  #deadlineMs: number;
  /** Votes of this term, while a candidate. */
  #votes = new Map<MemberId, boolean>();
  #replication: Replication | undefined;
  #hardState: HardState | undefined;
  #entries: Entry[] = [];
  readonly #messages: Message[] = [];
  #violation: string | undefined;

  constructor(options: NodeOptions) {
    this.id = options.id;
    this.#log = options.log;
    this.#timing = options.timing;
    this.#random = options.random;
    this.#follower = new Follower(options);
    this.#membership = new Membership(options.log, options.decodeVoters);
    this.#membership.commit(options.commitIndex);
    this.#durableIndex = options.log.lastIndex;
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

  /** The present voters, committed or not; empty in a group never started. */
  get voters(): readonly MemberId[] {
    return this.#membership.voters;
  }

  /** Whether a leader may change the voters now: the last change is committed, and so is an entry of its own term. */
  get isMembershipSettled(): boolean {
    return this.#membership.index <= this.commitIndex && this.#log.termAt(this.commitIndex) === this.term;
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
    if (nowMs >= this.#deadlineMs) {
      if (this.#replication !== undefined) {
        this.#replication.heartbeat();
        this.#deadlineMs = nowMs + this.#timing.heartbeatMs;
      } else {
        this.#campaign(nowMs);
      }
    }
    return this.#flush();
  }

  /** Campaigns without waiting: right for a host that knows of no other. A leader, or one that does not vote, stays as it is. */
  campaign(nowMs: number): RaftOutput {
    if (this.#role !== "leader") this.#campaign(nowMs);
    return this.#flush();
  }

  step(message: Message, nowMs: number): RaftOutput {
    if (message.to !== this.id) return this.#flush();
    if (message.type === "append-request" || message.type === "vote-request") {
      return this.#asFollower(message, nowMs);
    }
    if (message.term > this.term) {
      this.#hardState = this.#follower.enterTerm(message.term, undefined);
      this.#becomeFollower(nowMs);
    } else if (message.term === this.term) {
      if (message.type === "vote-response") this.#count(message, nowMs);
      else this.#acknowledge(message, nowMs);
    }
    return this.#flush();
  }

  /**
   * Appends an entry. Throws `NotLeader`, `ProposalQueueFull`, `EntryTooLarge`, or for the voters `MembershipRefused`; then
   * nothing has changed.
   */
  propose(kind: number, data: Uint8Array, version = 1): Proposal {
    if (this.#role !== "leader") throw new NotLeader(this.leaderId);
    if (data.length > limits.entryBytesMax) throw new EntryTooLarge(data.length, limits.entryBytesMax);
    const waiting = this.#log.lastIndex - this.commitIndex;
    if (waiting >= uncommittedEntriesMax) throw new ProposalQueueFull(waiting);
    if (kind === EntryKind.membership && version === membershipVersion) {
      const commitTerm = this.#log.termAt(this.commitIndex);
      this.#membership.check(data, {
        id: this.id,
        term: this.term,
        commitIndex: this.commitIndex,
        commitTerm,
      });
    }
    const index = this.#log.lastIndex + 1;
    this.#appendOwn({ index, term: this.term, kind, version, data });
    return { index, term: this.term, output: this.#flush() };
  }

  /** The log is durable up to `index`, whose entry was of `term`; an entry since overwritten is passed over. */
  persisted(index: number, term: number): RaftOutput {
    if (index > this.#durableIndex && this.#log.termAt(index) === term) {
      this.#durableIndex = index;
      if (this.#replication !== undefined) {
        this.#replication.durableIndex = index;
        this.#commitByCounting();
        this.#replication.broadcast();
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
      } else if (this.#role === "candidate" && this.voters.includes(id)) {
        this.#requestVote(id);
      }
    }
    return this.#flush();
  }

  /** The connection is gone: a learner is forgotten, a voter's unanswered appends are. */
  removeMember(id: MemberId): void {
    this.#connected.delete(id);
    if (this.voters.includes(id)) this.#replication?.reset(id);
    else this.#replication?.remove(id);
  }

  #asFollower(message: Message & { type: "append-request" | "vote-request" }, nowMs: number): RaftOutput {
    const isAppend = message.type === "append-request";
    if (message.term > this.term || (isAppend && message.term === this.term && this.#role === "candidate")) {
      this.#becomeFollower(nowMs);
    }
    const output = this.#follower.step(message);
    if (output.truncateFrom > 0) {
      this.#durableIndex = Math.min(this.#durableIndex, output.truncateFrom - 1);
      this.#membership.truncate(output.truncateFrom);
    }
    for (const entry of output.entries) this.#membership.append(entry);
    this.#membership.commit(output.commitIndex);
    // The timer starts again for the current leader and for a vote given (figure 2, "Rules for Servers"), for nothing else.
    const isFromLeader = isAppend && message.term === this.term && output.violation === undefined;
    const gaveVote = !isAppend && output.messages.some((m) => m.type === "vote-response" && m.granted);
    if (isFromLeader || gaveVote) this.#deadlineMs = nowMs + this.#electionTimeoutMs();
    return output;
  }

  #becomeFollower(nowMs: number): void {
    // Only a leader starts its election timer here: a request that wins no vote must not keep a host from campaigning.
    if (this.#role === "leader") this.#deadlineMs = nowMs + this.#electionTimeoutMs();
    this.#role = "follower";
    this.#replication = undefined;
    this.#votes.clear();
  }

  /** Section 5.2. Only voters campaign: a host not yet added, or removed, waits to be spoken to. */
  #campaign(nowMs: number): void {
    this.#deadlineMs = nowMs + this.#electionTimeoutMs();
    if (!this.voters.includes(this.id)) return;
    this.#role = "candidate";
    this.#hardState = this.#follower.enterTerm(this.term + 1, this.id);
    this.#votes.clear();
    this.#votes.set(this.id, true);
    for (const voter of this.voters) {
      if (voter !== this.id) this.#requestVote(voter);
    }
    this.#becomeLeaderOnMajority(nowMs);
  }

  #requestVote(voter: MemberId): void {
    const lastLogIndex = this.#log.lastIndex;
    const lastLogTerm = this.#log.termAt(lastLogIndex) ?? 0;
    const request = { type: "vote-request", from: this.id, to: voter, term: this.term } as const;
    this.#messages.push({ ...request, lastLogIndex, lastLogTerm });
  }

  #count(response: VoteResponse, nowMs: number): void {
    if (this.#role !== "candidate" || !this.voters.includes(response.from)) return;
    this.#votes.set(response.from, response.granted);
    this.#becomeLeaderOnMajority(nowMs);
  }

  #becomeLeaderOnMajority(nowMs: number): void {
    if (voteResult(this.voters, (voter) => this.#votes.get(voter)) !== "won") return;
    this.#role = "leader";
    this.#follower.follow(this.id);
    this.#deadlineMs = nowMs + this.#timing.heartbeatMs;
    this.#replication = new Replication({
      leaderId: this.id,
      term: this.term,
      log: this.#log,
      outbox: this.#messages,
      commitIndex: this.commitIndex,
      durableIndex: this.#durableIndex,
    });
    const nextIndex = this.#log.lastIndex + 1;
    for (const id of [...this.voters, ...this.#connected]) this.#replication.add(id, nextIndex);
    const noop = { index: nextIndex, term: this.term, kind: EntryKind.noop, version: 1 };
    this.#appendOwn({ ...noop, data: new Uint8Array(0) });
  }

  /** A leader only ever appends (section 5.3, leader append-only). */
  #appendOwn(entry: Entry): void {
    this.#entries.push(entry);
    if (entry.kind !== EntryKind.membership) return;
    this.#membership.append(entry);
    for (const id of this.voters) this.#replication!.add(id, entry.index);
    for (const id of this.members.keys()) {
      if (!this.voters.includes(id) && !this.#connected.has(id)) this.#replication!.remove(id);
    }
  }

  #acknowledge(response: AppendResponse, nowMs: number): void {
    const replication = this.#replication;
    if (replication === undefined) return;
    if (response.matchIndex > this.#log.lastIndex) {
      this.#violation = `${response.from} claims entry ${response.matchIndex}; its leader's log ends at ${this.#log.lastIndex}.`;
      return;
    }
    if (replication.take(response, nowMs) && this.#commitByCounting()) replication.broadcast();
    replication.proceed(response.from);
  }

  /** Section 5.4.2: only an entry of the own term is committed by counting; those before it come with it. */
  #commitByCounting(): boolean {
    const members = this.members;
    const index = committedIndex(this.voters, (voter) =>
      voter === this.id ? this.#durableIndex : members.get(voter)?.matchIndex,
    );
    if (index <= this.commitIndex || this.#log.termAt(index) !== this.term) return false;
    this.#follower.commitTo(index);
    this.#membership.commit(index);
    this.#replication!.commitIndex = index;
    return true;
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
