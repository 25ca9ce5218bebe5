/**
 * One host's part in the group, running: the core (`protocols/raft/node.ts`), the log on disk, the clock and the proposals that
 * wait. It owes the core the order that `protocols/raft/types.ts` states: change the log, make it durable, apply, send.
 */
import { performance } from "node:perf_hooks";
import { changesTo, isVoter } from "../../../protocols/raft/confchange.ts";
import { ProposalQueueFull, TransferRefused, TransferUnderWay } from "../../../protocols/raft/errors.ts";
import { Node } from "../../../protocols/raft/node.ts";
import type { Timing } from "../../../protocols/raft/node-options.ts";
import type { Entry, MemberId, Message, RaftOutput } from "../../../protocols/raft/types.ts";
import type { LogFile } from "./log-file.ts";
import { openLog } from "./open-log.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";
import { nameOf, nextVoters } from "./voter-policy.ts";

export interface ReplicaOptions {
  /** Folder of this host; made if need be. */
  readonly directory: string;
  readonly hostName: string;
  /** Names of all hosts of the swarm, this one among them; the first founds the group. */
  readonly hostNames: readonly string[];
  /** Names of the boards that ought to vote. */
  readonly voterNames: readonly string[];
  /** Takes a message on its way; what cannot be delivered is dropped. */
  send(message: Message): void;
  /** Committed entries, in order from the first, each exactly once in the life of this object. Must not throw. */
  onCommitted(entries: readonly Entry[]): void;
  /** Somebody broke a promise of Raft; one sentence. */
  onViolation(violation: string): void;
  /** The disk refused or applying failed: nothing is taken or sent any more; stop the process. */
  onFailure(error: Error): void;
  readonly timing?: Timing;
  /** Milliseconds that never go back. */
  readonly nowMs?: () => number;
  readonly random?: () => number;
}

export interface ReplicaStatus {
  readonly id: MemberId;
  readonly role: "follower" | "candidate" | "leader";
  readonly term: number;
  readonly leaderId: MemberId | undefined;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** While they change, those that will vote alone then. */
  readonly voters: readonly MemberId[];
  /** What a leader knows of the others; empty on every other host. */
  readonly members: readonly MemberStatus[];
}

export interface MemberStatus {
  readonly id: MemberId;
  readonly isVoter: boolean;
  readonly matchIndex: number;
  readonly appliedIndex: number;
  /** Milliseconds since it last answered; undefined for never in this term. */
  readonly silentMs: number | undefined;
}

/** Heartbeat and election timeouts of hosts on a local network. */
export const defaultTiming: Timing = { heartbeatMs: 250, electionMinMs: 1_000, electionMaxMs: 2_000 };

/** Committed entries handed over in one call. */
const appliedTogetherMax = 256;

export class Replica {
  /** Bytes of a torn last write that were cut from the log at the start; worth a line to the operator when not 0. */
  readonly tornBytes: number;
  readonly #options: ReplicaOptions;
  readonly #timing: Timing;
  readonly #nowMs: () => number;
  readonly #log: LogFile;
  readonly #node: Node;
  readonly #proposals = new Proposals();
  readonly #reads = new Reads();
  #appliedIndex = 0;
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;

  /** Opens the log, or founds the group; call `start` next. @throws {LogUnusable} when it can do neither. */
  static async open(options: ReplicaOptions): Promise<Replica> {
    const log = await openLog(options.directory, options.hostName, options.hostNames, new Date());
    return new Replica(options, log);
  }

  private constructor(options: ReplicaOptions, log: LogFile) {
    this.#options = options;
    this.#timing = options.timing ?? defaultTiming;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#log = log;
    this.tornBytes = log.tornBytes;
    this.#node = new Node({
      id: log.memberId,
      hardState: log.hardState,
      log,
      commitIndex: 0,
      timing: this.#timing,
      random: options.random ?? Math.random,
      nowMs: this.#nowMs(),
    });
  }

  /** This host's member id. */
  get id(): MemberId {
    return this.#node.id;
  }

  get isLeader(): boolean {
    return this.#node.role === "leader";
  }

  /** Takes part from now on. The only host of a swarm has nobody to wait for and campaigns at once. */
  start(): void {
    this.#isRunning = true;
    if (this.#options.hostNames.length <= 1) this.#perform(this.#node.campaign(this.#nowMs()));
    this.#setTimer();
  }

  /**
   * Resolves when the entry is committed and applied here. Rejects with `NotLeader`, `TransferUnderWay`, `ProposalQueueFull`, `EntryTooLarge`; with
   * `Superseded` when another leader's entry took its place; with `ReplicaStopped`. A leader that hears no majority steps down
   * within `electionMaxMs` and a heartbeat; then, as when another leads, what waits is rejected with `OutcomeUnknown`.
   */
  propose(kind: number, data: Uint8Array, version = 1): Promise<{ index: number; term: number }> {
    return new Promise((resolve, reject) => {
      if (!this.#isRunning) return reject(this.#proposals.stopped());
      // The core throws before it changes anything; inside a promise that is a rejection.
      const { index, term, output } = this.#node.propose(kind, data, version);
      this.#proposals.add(index, term, resolve, reject);
      this.#perform(output);
    });
  }

  /**
   * Resolves with an index once this host has applied all that anybody was told is committed, up to it: what is read from the
   * applied state then is linearizable (Ongaro's thesis, section 6.4). Rejects with `NotLeader`, `TooManyReads`, `ReplicaStopped`. Needs an
   * answer from a majority of the voters, boards of the first firmware version not counted: they do not say what they answer.
   */
  readIndex(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (!this.#isRunning) return reject(this.#proposals.stopped());
      this.#reads.checkRoom();
      const { term, round, index, output } = this.#node.read();
      this.#reads.add({ term, round, index, resolve, reject });
      this.#perform(output);
    });
  }

  /**
   * Starts to pass leadership to another host of the swarm; that it happened is seen in `status`. Proposals are refused with
   * `TransferUnderWay` until it did, or for `electionMaxMs`. Throws `NotLeader`, `TransferRefused`.
   */
  transfer(to: MemberId): void {
    if (!this.#options.hostNames.includes(nameOf(to))) {
      throw new TransferRefused(`${to} is no host of this swarm: boards vote, but do not lead.`);
    }
    if (this.#isRunning) this.#perform(this.#node.transfer(to, this.#nowMs()));
  }

  /** Takes a checked message. */
  receive(message: Message): void {
    if (!this.#isRunning) return;
    this.#perform(this.#node.step(message, this.#nowMs()));
    this.#setTimer();
  }

  /** A member said hello, perhaps on a new connection. Throws `RangeError` beyond `membersMax`. */
  addMember(id: MemberId): void {
    if (this.#isRunning) this.#perform(this.#node.addMember(id));
  }

  /** A member's connection is gone. */
  removeMember(id: MemberId): void {
    this.#node.removeMember(id);
  }

  status(): ReplicaStatus {
    const { id, term, leaderId, commitIndex, voters, configuration } = this.#node;
    const role = this.#node.role === "pre-candidate" ? "candidate" : this.#node.role;
    const nowMs = this.#nowMs();
    const members = Array.from(this.#node.members, ([memberId, progress]) => ({
      id: memberId,
      isVoter: isVoter(configuration, memberId),
      matchIndex: progress.matchIndex,
      appliedIndex: progress.appliedIndex,
      silentMs: progress.heardMs === undefined ? undefined : nowMs - progress.heardMs,
    }));
    const { lastIndex } = this.#log;
    return {
      id,
      role,
      term,
      leaderId,
      lastIndex,
      commitIndex,
      appliedIndex: this.#appliedIndex,
      voters,
      members,
    };
  }

  /** At most `limit` entries of the log from index `from` (1 or more) on, committed or not. */
  entries(from: number, limit: number): readonly Entry[] {
    return this.#log.entries(from, limit);
  }

  /** Takes no more part; what was proposed and is not committed yet is rejected. Resolves when everything is on disk and closed. */
  async stop(): Promise<void> {
    this.#halt();
    await this.#log.close();
  }

  #halt(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#proposals.stop();
    this.#reads.rejectAll(this.#proposals.stopped());
  }

  #perform(output: RaftOutput): void {
    if (output.violation !== undefined) this.#options.onViolation(output.violation);
    if (output.truncateFrom > 0) this.#proposals.supersede(output.truncateFrom);
    this.#log.append(output);
    // Even what changes nothing waits for all before it: a message may speak of a term or entry that is still being written.
    this.#log.flush().then(
      () => this.#performDurable(output),
      (error: Error) => this.#fail(error),
    );
  }

  #performDurable(output: RaftOutput): void {
    if (!this.#isRunning) return;
    try {
      this.#apply(output.commitIndex);
      if (!this.isLeader) this.#proposals.leaveOpen();
      this.#reads.settle(this.#node, this.#appliedIndex);
      for (const message of output.messages) this.#options.send(message);
      if (output.entries.length > 0) {
        // Perhaps more than this output's: then one append carries what one fsync made durable.
        const { index, term } = this.#log.durableEnd;
        this.#perform(this.#node.persisted(index, term));
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #apply(commitIndex: number): void {
    while (this.#appliedIndex < commitIndex) {
      const count = Math.min(commitIndex - this.#appliedIndex, appliedTogetherMax);
      const entries = this.#log.entries(this.#appliedIndex + 1, count);
      this.#appliedIndex += entries.length;
      this.#options.onCommitted(entries);
      this.#node.setApplied(this.#appliedIndex);
      for (const entry of entries) this.#proposals.settle(entry.index, entry.term);
    }
  }

  #fail(error: Error): void {
    if (!this.#isRunning) return;
    this.#halt();
    this.#options.onFailure(error);
  }

  /** One timer for the core's next deadline; after a heartbeat the voters are looked at too. */
  #setTimer(): void {
    clearTimeout(this.#timer);
    const delayMs = Math.max(0, Math.ceil(this.#node.deadlineMs - this.#nowMs()));
    this.#timer = setTimeout(() => {
      this.#perform(this.#node.tick(this.#nowMs()));
      this.#improveVoters();
      this.#setTimer();
    }, delayMs);
  }

  #improveVoters(): void {
    if (!this.isLeader || !this.#node.isMembershipSettled) return;
    const voters = nextVoters({
      self: this.id,
      voters: this.#node.voters,
      members: this.#node.members,
      commitIndex: this.#node.commitIndex,
      hostNames: this.#options.hostNames,
      voterNames: this.#options.voterNames,
      nowMs: this.#nowMs(),
      aliveMs: this.#timing.electionMaxMs,
    });
    if (voters === undefined) return;
    try {
      this.#perform(this.#node.change(changesTo(voters, this.#node.configuration)).output);
    } catch (error) {
      // The next heartbeat tries again.
      if (!(error instanceof ProposalQueueFull || error instanceof TransferUnderWay)) throw error;
    }
  }
}
