/**
 * Ongaro's election experiment (Raft paper, section 9.3; thesis, chapter 9) on the core that ships: a leader sends a last round of
 * heartbeats and crashes some time before the next; how long is there no leader?
 *
 * The core's clock runs in microseconds here, so that timeouts that differ by a few milliseconds have more than a few
 * values. Nothing is real but the core: message delays are drawn, disks are instantaneous. A trial is a function of its seed.
 */
import type { Message } from "../../../protocols/raft/types.ts";
import { bytesOf, foundingEntry, Member, productCores } from "../../../test/protocols/raft/group/member.ts";
import { Random } from "../../../test/simulation/soak/random.ts";

export interface Elections {
  readonly servers: number;
  /** Election timeouts are drawn uniformly between these. A follower's first begins when the last heartbeat arrives. */
  readonly fromMs: number;
  readonly toMs: number;
  /** What a message takes. `isAnswer`: it follows a write to disk. */
  delayMs(random: () => number, isAnswer: boolean): number;
  /** Each server's log is an entry longer than the one before, so that only some can be elected (the paper's worst case). */
  readonly logsDiffer: boolean;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  /** See `Timing`. */
  readonly askAgainMs: number | undefined;
  /** Whether a refusal says where the voter's log ends, so that a candidate copies what it lacks and campaigns again at once. */
  readonly catchesUp: boolean;
  /** The last heartbeat is on its way when the leader crashes: followers begin to wait as it arrives. False: all at the same time. */
  readonly heartbeatTravels: boolean;
  /** A trial that takes longer is given up and counts as this. */
  readonly limitMs: number;
}

export interface Trial {
  /** From the crash to the moment when a server knows that it was elected; `limitMs` if nobody was. */
  readonly withoutLeaderMs: number;
  /** Whether the first term that anybody entered elected nobody. */
  readonly firstElectionFailed: boolean;
  /** When the first server lost patience, from the last heartbeat. */
  readonly firstTimeoutMs: number;
}

export function runTrials(elections: Elections, trials: number, seed: number): Trial[] {
  return Array.from({ length: trials }, (_, number) => runTrial(elections, seed + number));
}

export function runTrial(elections: Elections, seed: number): Trial {
  const random = new Random(Math.imul(seed + 1, 0x9e3779b1) >>> 0);
  return new Election(elections, () => random.next()).run();
}

const microseconds = 1000;
/** The crashed leader's term. */
const oldTerm = 1;

interface Arrival {
  readonly atUs: number;
  readonly message: Message;
}

class Election {
  readonly #elections: Elections;
  readonly #random: () => number;
  readonly #members: Member[] = [];
  readonly #arrivals: Arrival[] = [];
  #nowUs = 0;

  constructor(elections: Elections, random: () => number) {
    this.#elections = elections;
    this.#random = random;
    const ids = Array.from({ length: elections.servers }, (_, number) => `s${number + 1}`);
    // The last of them led; it has the longest log.
    for (const [number, id] of ids.slice(0, -1).entries()) this.#members.push(this.#member(id, ids, number));
  }

  #member(id: string, ids: readonly string[], number: number): Member {
    const { fromMs, toMs, logsDiffer, preVote, checkQuorum, askAgainMs } = this.#elections;
    const member = new Member({
      id,
      isHost: true,
      cores: productCores,
      timing: {
        heartbeatMs: (fromMs / 2) * microseconds,
        electionMinMs: fromMs * microseconds,
        electionMaxMs: toMs * microseconds,
        ...(askAgainMs === undefined ? {} : { askAgainMs: askAgainMs * microseconds }),
      },
      random: this.#random,
      preVote,
      checkQuorum,
      events: {
        onSend: (message) => this.#send(message),
        onApplied: () => {},
        onViolation: (_, violation) => {
          throw new Error(`${id}: ${violation}`);
        },
      },
    });
    const entries = [foundingEntry(ids)];
    for (let index = 2; logsDiffer && index <= number + 2; index++) {
      entries.push({ index, term: oldTerm, kind: 1, version: 1, data: bytesOf("x") });
    }
    member.disk.write({
      hardState: { term: oldTerm, vote: undefined },
      truncateFrom: 0,
      entries,
      snapshot: undefined,
    });
    member.disk.sync();
    return member;
  }

  run(): Trial {
    const { fromMs, limitMs, heartbeatTravels, delayMs } = this.#elections;
    // Half of the least timeout is a heartbeat interval; the crash falls anywhere in it.
    const crashUs = this.#random() * (fromMs / 2) * microseconds;
    for (const member of this.#members) {
      const heardUs = heartbeatTravels ? Math.round(delayMs(this.#random, false) * microseconds) : 0;
      member.start(heardUs);
    }
    let firstTimeoutUs: number | undefined;
    let failed = false;
    while (this.#nowUs < crashUs + limitMs * microseconds) {
      this.#next();
      const leader = this.#members.find(({ node }) => node!.role === "leader");
      const term = Math.max(...this.#members.map(({ core }) => core!.term));
      if (term > oldTerm) firstTimeoutUs ??= this.#nowUs;
      failed ||= term > oldTerm + 1 || (leader !== undefined && leader.node!.term > oldTerm + 1);
      if (leader !== undefined) return this.#trial(this.#nowUs - crashUs, failed, firstTimeoutUs!);
    }
    return this.#trial(limitMs * microseconds, failed, firstTimeoutUs ?? this.#nowUs);
  }

  #trial(withoutLeaderUs: number, firstElectionFailed: boolean, firstTimeoutUs: number): Trial {
    return {
      withoutLeaderMs: withoutLeaderUs / microseconds,
      firstElectionFailed,
      firstTimeoutMs: firstTimeoutUs / microseconds,
    };
  }

  /** The next message arrives, or the next server loses patience. */
  #next(): void {
    let next: Member | undefined;
    for (const member of this.#members) {
      if (next === undefined || member.node!.deadlineMs < next.node!.deadlineMs) next = member;
    }
    let at = -1;
    for (const [number, { atUs }] of this.#arrivals.entries()) {
      if (at < 0 || atUs < this.#arrivals[at]!.atUs) at = number;
    }
    const deadlineUs = next!.node!.deadlineMs;
    if (at >= 0 && this.#arrivals[at]!.atUs <= deadlineUs) {
      const { atUs, message } = this.#arrivals.splice(at, 1)[0]!;
      this.#nowUs = atUs;
      const member = this.#members.find(({ id }) => id === message.to);
      if (member === undefined) return;
      member.receive(message, atUs);
      settle(member);
    } else {
      this.#nowUs = deadlineUs;
      next!.perform(next!.node!.tick(deadlineUs));
      settle(next!);
    }
  }

  #send(sent: Message): void {
    const message = this.#elections.catchesUp ? sent : asInThePaper(sent);
    const delayMs = this.#elections.delayMs(this.#random, message.type.endsWith("-response"));
    this.#arrivals.push({ atUs: this.#nowUs + Math.round(delayMs * microseconds), message });
  }
}

/** The paper's answer to a vote request has a term and a verdict, and nothing to catch up by. */
function asInThePaper(message: Message): Message {
  return message.type === "vote-response" ? { ...message, lastLogIndex: 0, lastLogTerm: 0 } : message;
}

function settle(member: Member): void {
  while (member.hasUnsynced) member.sync();
}
