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
import type { Ciphers } from "../../protocols/security/ciphers.ts";
import type { Known, Roster } from "../../protocols/security/identity/roster.ts";
import type { EndOptions, OwnIdentity, Step } from "../../protocols/security/session/end.ts";
import { SessionInitiator } from "../../protocols/security/session/initiator.ts";
import type { Trust } from "./trust.ts";

export const linkSessionLimits = Object.freeze({
  /** For each answer of the host. */
  answerMs: 5_000,
  /** Records of a connection that do not open. Beyond it somebody plays with what the broker carries, or one side is lost. */
  refusedMax: 32,
});

export class LinkSession implements EndOptions {
  readonly own: OwnIdentity;
  readonly #trust: Trust;
  readonly #host: string;
  readonly #initiator: SessionInitiator;
  /** When the host's answer must be there; Infinity when it owes none. */
  #dueMs = Infinity;
  #refused = 0;
  #objection: string | undefined;
  /** Epoch of the latest refresh that was asked for. */
  #askedEpoch = -1;

  /** With the host of this name. */
  constructor(trust: Trust, own: OwnIdentity, host: string) {
    this.own = own;
    this.#trust = trust;
    this.#host = host;
    this.#initiator = new SessionInitiator(this, trust.sessionWith(host));
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  /** So much that did not open has come that the link is to be dropped. */
  get isGarbled(): boolean {
    return this.#refused > linkSessionLimits.refusedMax;
  }

  /** Whether the host was revoked since. */
  get isOver(): boolean {
    const { session } = this.#initiator;
    return session !== undefined && !this.#trust.roster.belongs(session.peer);
  }

  /** The first frame to send. */
  begin(nowMs: number): Uint8Array {
    return this.refresh(nowMs) ?? this.start(nowMs);
  }

  /** A frame of the host; what comes of it. */
  take(frame: Uint8Array, nowMs: number): Step {
    const step = this.#initiator.take(frame);
    const { session } = this.#initiator;
    if (step.isIgnored) this.refuse();
    if (step.isUp) {
      this.#dueMs = Infinity;
      this.#trust.hold(session!);
    } else if (step.send !== undefined) {
      this.#dueMs = nowMs + linkSessionLimits.answerMs;
      // The host knows nothing of what was to be refreshed.
      if (session === undefined) this.#trust.forget(this.#host);
    }
    if (step.failure === undefined || this.#objection === undefined) return step;
    return { ...step, failure: this.#objection };
  }

  /** A frame that asks for new keys, if they are due and have not been asked for: the roster has a later epoch, or much was sealed. */
  renew(nowMs: number): Uint8Array | undefined {
    const { session, isUp, isWaiting } = this.#initiator;
    if (session === undefined || !isUp) return undefined;
    const isStale = Math.max(session.epoch, this.#askedEpoch) < this.#trust.roster.epoch;
    const isWorn = session.isWorn && !isWaiting;
    return isStale || isWorn ? this.begin(nowMs) : undefined;
  }

  /** A frame that asks for new keys of the session that there is; undefined for none that can be refreshed. */
  refresh(nowMs: number): Uint8Array | undefined {
    const frame = this.#initiator.refresh();
    if (frame === undefined) return undefined;
    this.#askedEpoch = this.#trust.roster.epoch;
    this.#dueMs = nowMs + linkSessionLimits.answerMs;
    return frame;
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

  // For the initiator.

  get ciphers(): Ciphers {
    return this.#trust.ciphers;
  }

  get roster(): Roster {
    return this.#trust.roster;
  }

  admits(peer: Known): boolean {
    this.#objection = this.#trust.objectionTo(peer, this.#host);
    return this.#objection === undefined;
  }

  private start(nowMs: number): Uint8Array {
    this.#dueMs = nowMs + linkSessionLimits.answerMs;
    return this.#initiator.start();
  }
}
