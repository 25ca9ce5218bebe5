/**
 * One member in the shell: the core that ships, a disk in memory, a clock that moves when told. It keeps the order that
 * `protocols/raft/types.ts` demands of a driver.
 */
import { Follower } from "../../protocols/raft/follower.ts";
import { Node } from "../../protocols/raft/node.ts";
import type { Timing } from "../../protocols/raft/node-options.ts";
import type { MemberId, Message, Publication, RaftOutput } from "../../protocols/raft/types.ts";
import type { Creation } from "./creation.ts";
import { MemoryLog, sha256 } from "./memory-log.ts";
import type { Parcel } from "./network.ts";

/** What is around a member. */
export interface Surroundings {
  isHost(id: MemberId): boolean;
  /** Boards that take published entries. */
  listeners(): readonly MemberId[];
  send(message: Message): void;
  publish(publication: Publication): void;
  onViolation(id: MemberId, violation: string): void;
}

interface PendingRead {
  readonly read: number;
  readonly term: number;
  readonly round: number;
  readonly index: number;
}

export class ShellMember {
  readonly id: MemberId;
  /** A board votes and never campaigns: it runs the follower half alone. */
  readonly kind: "host" | "board";
  readonly log: MemoryLog;
  /** Whether every write is synced at once. */
  syncsAtOnce = true;
  readonly #creation: Creation;
  readonly #surroundings: Surroundings;
  #timeoutTicks: number;
  #node: Node | undefined;
  #follower: Follower | undefined;
  #unsynced: RaftOutput[] = [];
  #nowTicks = 0;
  #appliedIndex = 0;
  #reads: PendingRead[] = [];

  constructor(id: MemberId, creation: Creation, surroundings: Surroundings) {
    this.id = id;
    this.kind = creation.boards.includes(id) ? "board" : "host";
    this.#creation = creation;
    this.#surroundings = surroundings;
    this.#timeoutTicks = creation.timeouts.get(id) ?? creation.timing.electionMinMs;
    // What lies before the first index is taken to be committed, in term 1.
    this.log = new MemoryLog({ index: creation.firstIndex - 1, configuration: creation.configuration });
    this.#start(-Infinity);
  }

  /** In ticks. */
  get timing(): Timing {
    return this.#creation.timing;
  }

  get isUp(): boolean {
    return this.core !== undefined;
  }

  /** The host's core; undefined for a board and while down. */
  get node(): Node | undefined {
    return this.#node;
  }

  get core(): Node | Follower | undefined {
    return this.#node ?? this.#follower;
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  /** Holds from when the election timer starts the next time. */
  setTimeout(ticks: number): void {
    this.#timeoutTicks = ticks;
  }

  tick(): void {
    this.#nowTicks++;
    if (this.#node !== undefined) this.perform(this.#node.tick(this.#nowTicks));
  }

  /** Lets a host act at the present time. */
  act(step: (node: Node, nowTicks: number) => RaftOutput): void {
    this.perform(step(this.#node!, this.#nowTicks));
  }

  /** A host is told of a board that listens, whose connection is new. */
  connectListener(id: MemberId): void {
    if (this.#node !== undefined) this.perform(this.#node.addMember(id, { listens: true }));
  }

  receive(parcel: Parcel): void {
    if (parcel.type === "publication") {
      if (this.#follower !== undefined) this.perform(this.#follower.takePublication(parcel));
    } else if (this.core !== undefined) {
      this.perform(this.core.step(parcel, this.#nowTicks));
    }
  }

  perform(output: RaftOutput): void {
    if (output.violation !== undefined) this.#surroundings.onViolation(this.id, output.violation);
    this.log.write(output);
    this.#unsynced.push(output);
    if (this.syncsAtOnce) this.sync();
  }

  /** Everything written becomes durable; then come, in order, applying, sending, and telling the core. */
  sync(): void {
    while (this.#unsynced.length > 0) {
      this.log.sync();
      const index = this.log.lastIndex;
      const term = this.log.termAt(index)!;
      for (const output of this.#unsynced.splice(0)) {
        this.#appliedIndex = Math.max(this.#appliedIndex, output.commitIndex);
        this.core!.setApplied(this.#appliedIndex);
        for (const publication of output.publications) this.#surroundings.publish(publication);
        for (const message of output.messages) this.#surroundings.send(message);
        const isLogChanged = output.entries.length > 0 || output.snapshot?.isLast === true;
        if (this.#node === undefined || !isLogChanged) continue;
        const next = this.#node.persisted(index, term);
        this.log.write(next);
        this.#unsynced.push(next);
      }
    }
  }

  crash(keptWrites: number): void {
    this.#node = undefined;
    this.#follower = undefined;
    this.#unsynced = [];
    this.#reads = [];
    this.log.crash(keptWrites);
  }

  restart(): void {
    this.#start(this.#nowTicks);
  }

  /** A host is asked for a read, by this number. */
  read(number: number): void {
    const { term, round, index, output } = this.#node!.read(this.#nowTicks);
    this.#reads.push({ read: number, term, round, index });
    this.perform(output);
  }

  /** Takes out the reads that are answered, or never will be. */
  takeReads(): { readonly read: number; readonly index: number | undefined }[] {
    const taken: { read: number; index: number | undefined }[] = [];
    this.#reads = this.#reads.filter(({ read, term, round, index }) => {
      const node = this.#node!;
      const isLost = node.role !== "leader" || node.term !== term;
      if (!isLost && (node.confirmedRound < round || this.#appliedIndex < index)) return true;
      taken.push({ read, index: isLost ? undefined : index });
      return false;
    });
    return taken;
  }

  #start(leaderHeardTicks: number): void {
    const { id, log } = this;
    const { timing, checkQuorum } = this.#creation;
    // A snapshot stands for what was committed, and applied.
    const commitIndex = log.snapshot?.index ?? 0;
    this.#appliedIndex = commitIndex;
    const options = { id, log, sha256, commitIndex, hardState: log.hardState };
    if (this.kind === "board") {
      const leaderSilenceMs = checkQuorum ? timing.electionMinMs : 0;
      this.#follower = new Follower({ ...options, leaderHeardMs: leaderHeardTicks, leaderSilenceMs });
      return;
    }
    const { preVote, leaseReads, catchesUp, configuration, flows, uncommittedEntriesMax } = this.#creation;
    const span = timing.electionMaxMs - timing.electionMinMs;
    this.#node = new Node({
      ...options,
      baseConfiguration: configuration,
      timing,
      preVote,
      checkQuorum,
      leaseReads,
      catchesUp,
      isHost: (other) => this.#surroundings.isHost(other),
      flowOf: (other) => (this.#surroundings.isHost(other) ? flows.host : flows.board),
      uncommittedEntriesMax,
      // The draw that makes the core wait for exactly as long; the half keeps rounding out of it.
      random: () => (this.#timeoutTicks - timing.electionMinMs + 0.5) / span,
      nowMs: this.#nowTicks,
      leaderHeardMs: leaderHeardTicks,
    });
    for (const listener of this.#surroundings.listeners()) this.connectListener(listener);
  }
}
