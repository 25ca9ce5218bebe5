/** The reads of this host that wait until its leadership is confirmed: at most `readsMax`. */
import { NotLeader } from "../../../protocols/raft/errors.ts";
import type { Node } from "../../../protocols/raft/node.ts";
import type { Done } from "./outcomes.ts";

/** Most reads that may wait at once. */
export const readsMax = 4096;

export interface WaitingRead {
  readonly term: number;
  /** Confirmed once the leader's `confirmedRound` is as high, in the same term. */
  readonly round: number;
  /** Answered once this is applied. */
  readonly index: number;
  readonly done: Done<number>;
}

export class Reads {
  /** In the order asked, so that rounds and indexes rise. */
  #waiting: WaitingRead[] = [];

  get isFull(): boolean {
    return this.#waiting.length >= readsMax;
  }

  add(read: WaitingRead): void {
    this.#waiting.push(read);
  }

  /** Answers what can be answered now, and turns away what never will be. */
  settle(node: Node, appliedIndex: number): void {
    if (this.#waiting.length === 0) return;
    const { role, term, confirmedRound, leaderId } = node;
    const waiting = this.#waiting;
    this.#waiting = [];
    const left = waiting.filter((read) => {
      if (role !== "leader" || term !== read.term) {
        read.done(new NotLeader(leaderId));
        return false;
      }
      if (read.round > confirmedRound || read.index > appliedIndex) return true;
      read.done(read.index);
      return false;
    });
    // Whoever was answered may have asked again.
    this.#waiting = left.length === 0 ? this.#waiting : [...left, ...this.#waiting];
  }

  rejectAll(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { done } of waiting) done(error);
  }
}
