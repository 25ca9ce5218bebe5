/** A host's member of the group with real time, real files and promises: what a host's process runs. */
import { performance } from "node:perf_hooks";
import type { Change } from "../../../protocols/raft/confchange.ts";
import type { Timing } from "../../../protocols/raft/node-options.ts";
import type { Entry, MemberId, Message } from "../../../protocols/raft/types.ts";
import { commandIdBytes } from "../../../protocols/state/command.ts";
import type { CommandId } from "./command-id.ts";
import { HostMember } from "./host-member.ts";
import type {
  HostMemberEvents,
  HostMemberStatus,
  ProposeAllRequest,
  ProposeRequest,
  ReadonlyStateMap,
} from "./host-member-types.ts";
import { defaultTiming } from "./host-member-types.ts";
import { NodeDisk } from "./node-disk.ts";
import type { Committed, Done } from "./outcomes.ts";
import { RandomPool } from "./random-pool.ts";
import { sha256 } from "./sha256.ts";

export interface ReplicaOptions extends HostMemberEvents {
  /** Folder of this host's log and snapshots, and of nothing else; made if need be. */
  readonly directory: string;
  readonly hostName: string;
  /** Names of all hosts of the swarm, this one among them. */
  readonly hostNames: readonly string[];
  /** See `HostMemberOptions`. */
  readonly mayFound: boolean;
  readonly timing?: Timing;
  /** Milliseconds that never go back. */
  readonly nowMs?: () => number;
  readonly random?: () => number;
}

export class Replica {
  readonly #member: HostMember;
  readonly #disk: NodeDisk;
  readonly #nowMs: () => number;
  readonly #heartbeatMs: number;
  readonly #random = new RandomPool();
  #timer: NodeJS.Timeout | undefined;
  #wakeMs = Number.POSITIVE_INFINITY;
  #isRunning = false;

  /** Opens the log, or makes the one of a new member; call `start` next. @throws {DamagedLog | NewerLog | ForeignLog} */
  static open(options: ReplicaOptions): Replica {
    const disk = new NodeDisk(options.directory);
    try {
      return new Replica(options, disk);
    } catch (error) {
      disk.close();
      throw error;
    }
  }

  private constructor(options: ReplicaOptions, disk: NodeDisk) {
    const timing = options.timing ?? defaultTiming;
    this.#disk = disk;
    this.#heartbeatMs = timing.heartbeatMs;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#member = HostMember.open({
      hostName: options.hostName,
      hostNames: options.hostNames,
      mayFound: options.mayFound,
      disk,
      sha256,
      random: options.random ?? this.#random.share,
      timing,
      nowMs: this.#nowMs(),
      events: {
        send: options.send,
        publish: options.publish,
        onApplied: options.onApplied,
        onRestored: options.onRestored,
        onViolation: options.onViolation,
        onFailure: (error) => {
          this.#halt();
          options.onFailure(error);
        },
      },
    });
  }

  /** This host's member id. */
  get id(): MemberId {
    return this.#member.id;
  }

  get isLeader(): boolean {
    return this.#member.isLeader;
  }

  get term(): number {
    return this.#member.term;
  }

  /** Whether this host never took part in a group. */
  get isBlank(): boolean {
    return this.#member.isBlank;
  }

  /** The agreed state, as far as this host has applied it. */
  get state(): ReadonlyStateMap {
    return this.#member.state;
  }

  /** An id for a command that nobody has tried before. */
  newCommandId(): CommandId {
    return { after: this.#member.appliedIndex, random: this.#random.bytes(commandIdBytes) };
  }

  /** Bytes of a torn last write that were cut from the log at the start; worth a line to the operator when not 0. */
  get tornBytes(): number {
    return this.#member.tornBytes;
  }

  /** Takes part from now on. The only host of a swarm has nobody to wait for and campaigns at once. */
  start(): void {
    this.#isRunning = true;
    this.#member.start(this.#nowMs());
    this.#setTimer();
  }

  /** Founds the group after all, if this host never took part in one: see `HostMemberOptions.mayFound`. */
  found(): boolean {
    return this.#member.found(this.#nowMs());
  }

  /** See `HostMember.propose`. */
  propose(request: ProposeRequest): Promise<Committed> {
    return promised((done) => this.#member.propose(request, this.#nowMs(), done));
  }

  /** See `HostMember.proposeAll`. */
  proposeAll(request: ProposeAllRequest): Promise<Committed> {
    return promised((done) => this.#member.proposeAll(request, this.#nowMs(), done));
  }

  /** See `HostMember.adopt`. */
  adopt(request: ProposeAllRequest): Promise<Committed> {
    return promised((done) => this.#member.adopt(request, this.#nowMs(), done));
  }

  /** See `HostMember.read`. */
  readIndex(): Promise<number> {
    return promised((done) => this.#member.read(this.#nowMs(), done));
  }

  /** See `HostMember.change`. */
  change(changes: readonly Change[]): Promise<Committed> {
    return promised((done) => this.#member.change(changes, done));
  }

  /** See `HostMember.transfer`. */
  transfer(to: string): void {
    this.#member.transfer(to, this.#nowMs());
  }

  /** Takes a checked message. */
  receive(message: Message): void {
    this.#member.receive(message, this.#nowMs());
    if (this.#member.deadlineMs < this.#wakeMs) this.#setTimer();
  }

  /** A member said hello, perhaps on a new connection. Throws `RangeError` beyond `membersMax`. */
  addMember(id: MemberId): void {
    this.#member.addMember(id);
  }

  /** A member's connection is gone. */
  removeMember(id: MemberId): void {
    this.#member.removeMember(id);
  }

  status(): HostMemberStatus {
    return this.#member.status(this.#nowMs());
  }

  /** At most `limit` entries of the log from index `from` on, committed or not, as far as they are still held. */
  entries(from: number, limit: number): readonly Entry[] {
    return this.#member.entries(from, limit);
  }

  /** Takes no more part; what was proposed and is not committed yet is rejected. Resolves when everything is on disk and closed. */
  async stop(): Promise<void> {
    this.#halt();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#member.close((error) => (error === undefined ? resolve() : reject(error)));
      });
    } finally {
      this.#disk.close();
    }
  }

  #halt(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
  }

  /** For the core's next deadline, and for a look at the voters with each heartbeat. */
  #setTimer(): void {
    clearTimeout(this.#timer);
    if (!this.#isRunning) return;
    const nowMs = this.#nowMs();
    this.#wakeMs = Math.min(this.#member.deadlineMs, nowMs + this.#heartbeatMs);
    this.#timer = setTimeout(
      () => {
        this.#member.tick(this.#nowMs());
        this.#setTimer();
      },
      Math.max(0, Math.ceil(this.#wakeMs - nowMs)),
    );
  }
}

function promised<T>(ask: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome as T)));
  });
}
