/** What a host's core knows in every role: `node.ts` changes it as a follower, `candidacy.ts` and `leadership.ts` as the others. */
import type { Configuration } from "./confchange.ts";
import { noConfiguration } from "./confchange.ts";
import { Follower } from "./follower.ts";
import { Membership } from "./membership.ts";
import type { NodeOptions } from "./node-options.ts";
import { Outbox } from "./outbox.ts";
import type { MemberId, RaftLog, RaftOutput } from "./types.ts";

export class NodeState {
  readonly id: MemberId;
  readonly options: NodeOptions;
  readonly log: RaftLog;
  /** Keeps term, vote, leader and commit index. */
  readonly follower: Follower;
  readonly membership: Membership;
  /** Members with a connection, and whether each listens; those that do not vote are the learners. */
  readonly connected = new Map<MemberId, boolean>();
  readonly outbox = new Outbox();
  readonly checkQuorum: boolean;
  /** How far the log is durable here. */
  durableIndex: number;
  /** As last told. */
  nowMs: number;
  /** When `Node.tick` has something to do. */
  deadlineMs: number;

  constructor(options: NodeOptions) {
    const { id, log, timing, nowMs } = options;
    this.id = id;
    this.options = options;
    this.log = log;
    this.checkQuorum = options.checkQuorum ?? true;
    const commitIndex = Math.max(options.commitIndex, log.snapshot?.index ?? 0);
    this.follower = new Follower({
      id,
      hardState: options.hardState,
      log,
      sha256: options.sha256,
      commitIndex,
      leaderHeardMs: options.leaderHeardMs ?? nowMs,
      leaderSilenceMs: this.checkQuorum ? timing.electionMinMs : 0,
    });
    this.membership = new Membership(log, id, options.baseConfiguration ?? noConfiguration);
    this.membership.commit(commitIndex);
    this.durableIndex = log.lastIndex;
    this.nowMs = nowMs;
    this.deadlineMs = nowMs;
    this.waitForLeader();
  }

  get term(): number {
    return this.follower.term;
  }

  get commitIndex(): number {
    return this.follower.commitIndex;
  }

  /** The present one, committed or not. */
  get configuration(): Configuration {
    return this.membership.configuration;
  }

  isHost(id: MemberId): boolean {
    return this.options.isHost?.(id) ?? true;
  }

  /** Section 5.2: starts the election timer, with a new draw. */
  waitForLeader(): void {
    const { electionMinMs, electionMaxMs } = this.options.timing;
    const drawnMs = Math.floor(this.options.random() * (electionMaxMs - electionMinMs));
    this.deadlineMs = this.nowMs + electionMinMs + drawnMs;
  }

  /** `tick` has something to do after so long. */
  wait(ms: number): void {
    this.deadlineMs = this.nowMs + ms;
  }

  enterTerm(term: number, vote: MemberId | undefined): void {
    this.outbox.hardState = this.follower.enterTerm(term, vote);
  }

  /** What is to be done to the log has consequences for what is durable, and for who votes. */
  noteLogChange(change: Pick<RaftOutput, "truncateFrom" | "entries" | "snapshot">): void {
    const { truncateFrom, entries, snapshot } = change;
    if (snapshot?.isLast === true) {
      // All that it covers is committed, so that it counts as durable does no harm.
      this.durableIndex = snapshot.index;
      this.membership.restart();
      return;
    }
    if (truncateFrom > 0) {
      this.durableIndex = Math.min(this.durableIndex, truncateFrom - 1);
      this.membership.truncate(truncateFrom);
    }
    for (const entry of entries) this.membership.append(entry);
    this.membership.commit(this.commitIndex);
  }
}
