/**
 * One term as leader: it replicates, counts what a majority holds, confirms reads and hands over. What it decides is carried out by
 * `node.ts`, which owns the log, the commit index and the configuration.
 */
import type { Configuration } from "./confchange.ts";
import { isVoter, membersOf } from "./confchange.ts";
import type { Timing } from "./node-options.ts";
import type { Outbox } from "./outbox.ts";
import type { Flow } from "./progress.ts";
import { jointCommittedIndex } from "./quorum.ts";
import { ReadRounds } from "./read-rounds.ts";
import { Replication } from "./replication.ts";
import type { AppendResponse, MemberId, RaftLog, SnapshotResponse } from "./types.ts";

export interface LeadershipOptions {
  readonly id: MemberId;
  readonly term: number;
  readonly log: RaftLog;
  readonly outbox: Outbox;
  readonly commitIndex: number;
  /** The last index that is durable here. */
  readonly durableIndex: number;
  readonly configuration: Configuration;
  /** Members with a connection, and whether each listens. */
  readonly connected: ReadonlyMap<MemberId, boolean>;
  readonly timing: Timing;
  /** How long a confirmed round holds; 0 for no lease. */
  readonly leaseMs: number;
  readonly flowOf: (id: MemberId) => Flow;
  readonly nowMs: number;
}

export class Leadership {
  readonly replication: Replication;
  readonly rounds: ReadRounds;
  /** Index of the first entry of this term. */
  readonly firstIndex: number;
  readonly #options: LeadershipOptions;
  #configuration: Configuration;
  #transfer: Transfer | undefined;

  constructor(options: LeadershipOptions) {
    const { id, term, log, outbox, commitIndex, durableIndex, flowOf } = options;
    this.#options = options;
    this.#configuration = options.configuration;
    this.firstIndex = log.lastIndex + 1;
    const readRound = () => this.rounds.toConfirm;
    const replicated = { leaderId: id, term, log, outbox, commitIndex, durableIndex, flowOf, readRound };
    this.replication = new Replication(replicated);
    this.rounds = new ReadRounds(id, this.replication.members, options.leaseMs);
    for (const member of membersOf(options.configuration)) this.replication.add(member, this.firstIndex);
    for (const [member, listens] of options.connected) this.connect(member, listens);
  }

  /** Whom leadership is passing to. */
  get transferringTo(): MemberId | undefined {
    return this.#transfer?.to;
  }

  /** A member has a connection. A voter is sent everything individually, so that it counts before it is committed. */
  connect(id: MemberId, listens: boolean): void {
    this.replication.add(id, this.firstIndex);
    this.replication.setListens(id, listens && !isVoter(this.#configuration, id));
  }

  /** The connection is gone: who is not listed is forgotten, of the others what was on the way. */
  disconnect(id: MemberId): void {
    if (!membersOf(this.#configuration).includes(id)) {
      this.replication.remove(id);
      return;
    }
    this.replication.setListens(id, false);
    this.replication.reset(id);
  }

  /** Another configuration holds from the entry at `index` on. */
  reconfigure(configuration: Configuration, index: number): void {
    this.#configuration = configuration;
    const listed = membersOf(configuration);
    for (const id of listed) {
      this.replication.add(id, index);
      if (isVoter(configuration, id)) this.replication.setListens(id, false);
    }
    for (const id of this.replication.members.keys()) {
      if (!listed.includes(id) && !this.#options.connected.has(id)) this.replication.remove(id);
    }
  }

  /** Returns false when no majority was heard for the longest election timeout: then it leads no more (thesis, section 6.2). */
  hearsMajority(nowMs: number): boolean {
    const { id: self, nowMs: sinceMs, timing } = this.#options;
    const heardMs = jointCommittedIndex(this.#configuration, (id) =>
      id === self ? nowMs : (this.replication.members.get(id)?.heardMs ?? sinceMs),
    );
    return nowMs - heardMs <= timing.electionMaxMs;
  }

  heartbeat(nowMs: number): void {
    if (this.#transfer !== undefined && nowMs >= this.#transfer.untilMs) this.#transfer = undefined;
    this.rounds.heartbeat(nowMs);
    this.replication.heartbeat();
    this.rounds.confirm(this.#configuration, nowMs);
    this.#handOver();
  }

  /** Returns whether a member's match index rose. */
  take(response: AppendResponse, nowMs: number): boolean {
    return this.replication.take(response, this.rounds.latest, nowMs);
  }

  takeSnapshotResponse(response: SnapshotResponse, nowMs: number): void {
    this.replication.takeSnapshotResponse(response, nowMs);
  }

  /** Goes on with the member whose answer was taken. */
  proceed(id: MemberId, nowMs: number): void {
    this.replication.proceed(id);
    this.#confirmRounds(nowMs);
    if (id === this.#transfer?.to) this.#handOver();
  }

  /** Section 5.3: the last index that a majority holds durably, the leader itself counted as far as it is durable here. */
  get majorityIndex(): number {
    const { members, durableIndex } = this.replication;
    return jointCommittedIndex(this.#configuration, (voter) =>
      voter === this.#options.id ? durableIndex : members.get(voter)?.matchIndex,
    );
  }

  /** Thesis, section 6.4: the round that confirms a read asked for now; 0 when the lease does. */
  askRead(nowMs: number): number {
    if (this.rounds.isLeaseHeld(nowMs)) return 0;
    const { round, isBegun } = this.rounds.ask(nowMs);
    if (isBegun) this.#greetVoters();
    this.#confirmRounds(nowMs);
    return round;
  }

  /** Thesis, section 3.10: `to` is sent what it lacks and then told to campaign. Given up after the longest election timeout. */
  transferTo(to: MemberId, nowMs: number): void {
    this.#transfer = { to, untilMs: nowMs + this.#options.timing.electionMaxMs };
    this.replication.proceed(to);
    this.#handOver();
  }

  /** Once the member that shall lead has everything, it is told to campaign; again with each heartbeat, as that may be lost. */
  #handOver(): void {
    const { id, term, log, outbox } = this.#options;
    const to = this.#transfer?.to;
    if (to === undefined || this.replication.members.get(to)?.matchIndex !== log.lastIndex) return;
    this.rounds.giveUpLease();
    outbox.messages.push({ type: "timeout-now", from: id, to, term });
  }

  #confirmRounds(nowMs: number): void {
    if (this.rounds.confirm(this.#configuration, nowMs)) this.#greetVoters();
  }

  #greetVoters(): void {
    const { voters, outgoing } = this.#configuration;
    for (const voter of new Set([...voters, ...outgoing])) this.replication.greet(voter);
  }
}

interface Transfer {
  readonly to: MemberId;
  readonly untilMs: number;
}
