import type { AppendRequest, AppendResponse, RaftLog } from "../../protocols/raft/types.ts";
import type { Random } from "../platform/ports.ts";
import type { Link } from "./link.ts";
import type { MemberEvents } from "./member.ts";

export const refusalLimits = Object.freeze({
  /** A refusal waits for a random part of this, in ms. */
  waitMsMax: 200,
});

/**
 * The refusal of a learner, which waits a little before it is sent: a publication that was lost is missed by many boards at once, and
 * their refusals must not come to the leader all at once (design, point 12). Only the latest waits, and it is not
 * sent when what it lacked has come meanwhile.
 */
export class HeldRefusal {
  readonly #random: Random;
  #response: AppendResponse | undefined;
  #link: Link | undefined;
  /** The place in the log that it lacked. */
  #index = 0;
  #term = 0;
  #dueMs = Infinity;

  constructor(random: Random) {
    this.#random = random;
  }

  /** When it is to be sent; Infinity when none is held. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Holds the refusal of `request`, which came over `link`, in place of an earlier one, until the time that was set for that. */
  hold(request: AppendRequest, response: AppendResponse, link: Link, nowMs: number): void {
    this.#response = response;
    this.#link = link;
    this.#index = request.prevLogIndex;
    this.#term = request.prevLogTerm;
    if (this.#dueMs < Infinity) return;
    const seed = new Uint8Array(1);
    this.#random.fill(seed);
    this.#dueMs = nowMs + Math.floor((seed[0]! * refusalLimits.waitMsMax) / 255);
  }

  drop(): void {
    this.#response = undefined;
    this.#link = undefined;
    this.#dueMs = Infinity;
  }

  /** The log has grown: drops the refusal if it now has what was lacking. */
  onGrowth(log: RaftLog): void {
    if (this.#response !== undefined && log.termAt(this.#index) === this.#term) this.drop();
  }

  /** Answers with it when its time has come. */
  run(nowMs: number, events: Pick<MemberEvents, "onAnswer">): void {
    const response = this.#response;
    const link = this.#link;
    if (nowMs < this.#dueMs || response === undefined || link === undefined) return;
    this.drop();
    events.onAnswer(response, link);
  }
}
