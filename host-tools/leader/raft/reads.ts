/** The reads of this host that wait until its leadership is confirmed: at most `readsMax`. */
import { NotLeader } from "../../../protocols/raft/errors.ts";
import type { Node } from "../../../protocols/raft/node.ts";

/** Most reads that may wait at once. */
export const readsMax = 4096;

/** As many reads as may wait do. */
export class TooManyReads extends Error {
  override readonly name = "TooManyReads";

  constructor() {
    super(`${readsMax} reads wait for a majority of the voters: try again when they are answered.`);
  }
}

export interface WaitingRead {
  readonly term: number;
  /** Confirmed once the leader's `confirmedRound` is as high, in the same term. */
  readonly round: number;
  /** Answered once this is applied. */
  readonly index: number;
  readonly resolve: (index: number) => void;
  readonly reject: (error: Error) => void;
}

export class Reads {
  /** In the order asked, so that rounds and indexes rise. */
  #waiting: WaitingRead[] = [];

  /** @throws {TooManyReads} */
  checkRoom(): void {
    if (this.#waiting.length >= readsMax) throw new TooManyReads();
  }

  add(read: WaitingRead): void {
    this.#waiting.push(read);
  }

  /** Answers what can be answered now, and turns away what never will be. */
  settle(node: Node, appliedIndex: number): void {
    if (this.#waiting.length === 0) return;
    const { role, term, confirmedRound, leaderId } = node;
    this.#waiting = this.#waiting.filter((read) => {
      if (role !== "leader" || term !== read.term) {
        read.reject(new NotLeader(leaderId));
        return false;
      }
      if (read.round > confirmedRound || read.index > appliedIndex) return true;
      read.resolve(read.index);
      return false;
    });
  }

  rejectAll(error: Error): void {
    for (const read of this.#waiting) read.reject(error);
    this.#waiting = [];
  }
}
