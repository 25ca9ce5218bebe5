/**
 * The session of one connection: made anew, or refreshed where there is one from before, once the broker carries what is sent; then all that
 * goes over the link is sealed by it. It begins and the host answers.
 *
 * ```
 *   begin ----> an answer is owed ----> up <----> an answer is owed (new keys: a new epoch, or many records)
 *                       |                                |
 *                       +---- none in time, refused -----+----> the link is lost
 * ```
 */
import type { OwnIdentity, Step } from "../../protocols/security/session/end.ts";
import { SessionInitiator } from "../../protocols/security/session/initiator.ts";
import type { Trust } from "./trust.ts";

export const sessionLimits = Object.freeze({
  /** Records of a connection that do not open. Beyond it somebody plays with what the broker carries, or one side is lost. */
  refusedMax: 32,
});

export class LinkSession {
  readonly #trust: Trust;
  readonly #host: string;
  readonly #initiator: SessionInitiator;
  readonly #answerMs: number;
  /** When the host's answer must be there; Infinity when it owes none. */
  #dueMs = Infinity;
  #refused = 0;
  #objection: string | undefined;
  /** Epoch of the latest refresh that was asked for. */
  #askedEpoch = -1;

  /** With `host`, which has `answerMs` for each answer. */
  constructor(trust: Trust, own: OwnIdentity, host: string, answerMs: number) {
    this.#trust = trust;
    this.#host = host;
    this.#answerMs = answerMs;
    const options = trust.endOptions(own, (peer) => {
      this.#objection = trust.objectionTo(peer, host);
      return this.#objection === undefined;
    });
    this.#initiator = new SessionInitiator(options, trust.sessionWith(host));
  }

  get isUp(): boolean {
    return this.#initiator.isUp;
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  /** So much that did not open has come that the link is to be dropped. */
  get isGarbled(): boolean {
    return this.#refused > sessionLimits.refusedMax;
  }

  /** The first frame to send. */
  begin(nowMs: number): Uint8Array {
    this.#dueMs = nowMs + this.#answerMs;
    return this.refresh() ?? this.#initiator.start();
  }

  /** A frame of the host; what comes of it. */
  take(frame: Uint8Array, nowMs: number): Step {
    const step = this.#initiator.take(frame);
    const { session } = this.#initiator;
    if (step.isUp) {
      this.#dueMs = Infinity;
      this.#trust.hold(this.#host, session!);
    } else if (step.send !== undefined) {
      this.#dueMs = nowMs + this.#answerMs;
      // The host knows nothing of what was to be refreshed.
      if (session === undefined) this.#trust.forget(this.#host);
    }
    if (step.failure === undefined || this.#objection === undefined) return step;
    return { ...step, failure: this.#objection };
  }

  /** Whether the peer was revoked since. */
  get isOver(): boolean {
    const { session } = this.#initiator;
    return session !== undefined && !this.#trust.belongs(session.peer);
  }

  /** A frame that asks for new keys, if they are due and have not been asked for: the roster has a later epoch, or much was sealed. */
  renew(nowMs: number): Uint8Array | undefined {
    const { session } = this.#initiator;
    if (!this.isUp || session === undefined) return undefined;
    const isStale = Math.max(session.epoch, this.#askedEpoch) < this.#trust.epoch;
    const isWorn = session.isWorn && this.#dueMs === Infinity;
    if (!isStale && !isWorn) return undefined;
    this.#dueMs = nowMs + this.#answerMs;
    return this.refresh() ?? this.#initiator.start();
  }

  /** undefined while the session is not up. */
  seal(topic: string, channel: string, payload: Uint8Array): Uint8Array | undefined {
    return this.#initiator.seal(topic, channel, payload);
  }

  /** What the host sealed for this topic; undefined, and counted, for anything else. */
  open(topic: string, channel: string, record: Uint8Array): Uint8Array | undefined {
    const opened = this.#initiator.open(topic, channel, record);
    if (opened !== undefined && "payload" in opened) return opened.payload;
    this.refuse();
    return undefined;
  }

  /** Counts what the host, or the broker in its place, should not have sent. */
  refuse(): void {
    this.#refused++;
    this.#trust.countRefused();
  }

  private refresh(): Uint8Array | undefined {
    const number = this.#trust.nextRefresh(this.#host);
    if (number === 0) return undefined;
    this.#askedEpoch = this.#trust.epoch;
    return this.#initiator.refresh(number);
  }
}
