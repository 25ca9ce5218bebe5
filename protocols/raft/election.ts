/** One campaign of a host: whom it asks, who answered, and who refused it for a stale log. */
import type { Configuration } from "./confchange.ts";
import { isVoter, membersOf } from "./confchange.ts";
import type { VoteResult } from "./quorum.ts";
import { jointVoteResult } from "./quorum.ts";
import type { MemberId, Message, RaftLog, VotePurpose, VoteResponse } from "./types.ts";

/** A member, and where its log ends. */
export interface LogEnd {
  readonly id: MemberId;
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
}

export interface ElectionOptions {
  readonly id: MemberId;
  readonly purpose: VotePurpose;
  /** The term to be led. */
  readonly term: number;
  readonly log: RaftLog;
  readonly outbox: { readonly messages: Message[] };
}

export class Election {
  readonly purpose: VotePurpose;
  readonly #options: ElectionOptions;
  /** As voters answered; the candidate votes for itself. */
  readonly #votes = new Map<MemberId, boolean>();
  readonly #ahead = new Map<MemberId, LogEnd>();

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.purpose = options.purpose;
    this.#votes.set(options.id, true);
  }

  /** Section 5.2: asks all other voters. */
  askAll(configuration: Configuration): void {
    for (const id of membersOf(configuration)) {
      if (id !== this.#options.id && isVoter(configuration, id)) this.ask(id);
    }
  }

  ask(voter: MemberId): void {
    const { id: from, purpose, term, log, outbox } = this.#options;
    const { lastLogIndex, lastLogTerm } = endOf(log);
    const request = { type: "vote-request", from, to: voter, term } as const;
    outbox.messages.push({ ...request, lastLogIndex, lastLogTerm, purpose });
  }

  /** Takes a voter's answer. */
  count({ from, granted, lastLogIndex, lastLogTerm }: VoteResponse): void {
    this.#votes.set(from, granted);
    const end = { id: from, lastLogIndex, lastLogTerm };
    if (!granted && isBehind(endOf(this.#options.log), end)) this.#ahead.set(from, end);
  }

  result(configuration: Configuration): VoteResult {
    return jointVoteResult(configuration, (voter) => this.#votes.get(voter));
  }

  /** Voters that refused and have a log more up to date (5.4.1), the most up to date first. */
  get ahead(): readonly LogEnd[] {
    return [...this.#ahead.values()].sort(
      (a, b) => b.lastLogTerm - a.lastLogTerm || b.lastLogIndex - a.lastLogIndex,
    );
  }
}

/** Section 5.4.1: whether a log that ends so is less up to date than the other. */
export function isBehind(end: Omit<LogEnd, "id">, other: Omit<LogEnd, "id">): boolean {
  if (other.lastLogTerm !== end.lastLogTerm) return other.lastLogTerm > end.lastLogTerm;
  return other.lastLogIndex > end.lastLogIndex;
}

export function endOf(log: RaftLog): Omit<LogEnd, "id"> {
  return { lastLogIndex: log.lastIndex, lastLogTerm: log.termAt(log.lastIndex)! };
}
