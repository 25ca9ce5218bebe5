/** One campaign of a host: whom it asks, who answered, and who refused it for a stale log. */
import type { Configuration } from "./confchange.ts";
import { isVoter, membersOf } from "./confchange.ts";
import type { VoteResult } from "./quorum.ts";
import { jointVoteResult } from "./quorum.ts";
import type { MemberId, Message, RaftLog, VotePurpose, VoteResponse } from "./types.ts";

/** A voter, and where its log ends. */
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
  readonly #options: ElectionOptions;
  /** As voters answered; the candidate votes for itself. */
  readonly #votes = new Map<MemberId, boolean>();
  readonly #ahead = new Map<MemberId, LogEnd>();

  constructor(options: ElectionOptions) {
    this.#options = options;
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
    const { index: lastLogIndex, term: lastLogTerm } = endOf(log);
    const request = { type: "vote-request", from, to: voter, term } as const;
    outbox.messages.push({ ...request, lastLogIndex, lastLogTerm, purpose });
  }

  /** Takes a voter's answer. */
  count({ from, granted, lastLogIndex, lastLogTerm }: VoteResponse): void {
    this.#votes.set(from, granted);
    const end = endOf(this.#options.log);
    const isAhead = isBehind(end.term, end.index, lastLogTerm, lastLogIndex);
    if (!granted && isAhead) this.#ahead.set(from, { id: from, lastLogIndex, lastLogTerm });
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

/** Section 5.4.1: whether a log that ends with `term` at `index` is less up to date than the other. */
export function isBehind(term: number, index: number, otherTerm: number, otherIndex: number): boolean {
  return otherTerm > term || (otherTerm === term && otherIndex > index);
}

export function endOf(log: RaftLog): { readonly index: number; readonly term: number } {
  return { index: log.lastIndex, term: log.termAt(log.lastIndex)! };
}
