/**
 * The handshakes of a board with other boards, over datagrams that get lost, come twice and out of order: one that it has begun at a time, and one that it answers.
 *
 * ```
 * who begins      message 1 ... repeated ... <- 2      message 3 ... repeated ... <- 4      up
 * who answers               1 -> message 2, the same for each copy       3 -> up, message 4, the same for each copy
 * ```
 *
 * A session that there is goes on until the new one is up. Errors are neither sent nor believed. What strangers can make the board do is bounded: see
 * `handshakeLimits`.
 */
import { DatagramKind, encodeFirst, encodeTagged, type FirstMessage } from "../../protocols/lan/datagrams.ts";
import type { OwnIdentity, Step } from "../../protocols/security/session/end.ts";
import { FrameKind } from "../../protocols/security/session/frames.ts";
import { SessionInitiator } from "../../protocols/security/session/initiator.ts";
import { SessionResponder } from "../../protocols/security/session/responder.ts";
import type { SecureSession } from "../../protocols/security/session/secure-session.ts";
import type { Trust } from "../board/trust.ts";
import { draw32 } from "../platform/draw.ts";
import type { Random } from "../platform/ports.ts";
import { LanEnd } from "./lan-end.ts";
import { handshakeLimits } from "./lan-limits.ts";
import type { LanPeer } from "./lan-peer.ts";
import { LanSession } from "./lan-session.ts";

export interface HandshakeParts {
  readonly trust: Trust;
  readonly random: Random;
  readonly own: OwnIdentity;
  readonly swarm: string;
}

export interface HandshakeEvents {
  /** @param address undefined for all boards around */
  sendTo(address: string | undefined, datagram: Uint8Array): void;
  /** The peer has proved itself, from this address. */
  onSession(peer: LanPeer, session: LanSession, address: string): void;
  /** What this board had begun came to nothing. */
  onFailure(peer: LanPeer, reason: string): void;
}

interface Begun {
  readonly peer: LanPeer;
  readonly tag: number;
  readonly initiator: SessionInitiator;
  /** Of the peer, as it is thought to be; from message 2 on, where that came from. */
  address: string | undefined;
  /** Sent last; the frame that is to come. */
  datagram: Uint8Array;
  awaits: number;
  sends: number;
  dueMs: number;
}

interface Answered {
  readonly peer: LanPeer;
  readonly tag: number;
  readonly responder: SessionResponder;
  /** Message 2. */
  readonly datagram: Uint8Array;
  readonly sinceMs: number;
}

/** From where a handshake was begun, and when. */
interface Origin {
  readonly address: string;
  readonly sinceMs: number;
}

export class LanHandshakes {
  readonly #parts: HandshakeParts;
  readonly #events: HandshakeEvents;
  #begun: Begun | undefined;
  #answered: Answered | undefined;
  /** Handshakes of others that may begin now, and since when that is so. */
  #begins: number = handshakeLimits.beginsMax;
  #beginsMs = -Infinity;
  #origins: readonly Origin[] = none;

  constructor(parts: HandshakeParts, events: HandshakeEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  get dueMs(): number {
    const endMs =
      this.#answered === undefined ? Infinity : this.#answered.sinceMs + handshakeLimits.halfOpenMs;
    return Math.min(this.#begun?.dueMs ?? Infinity, endMs);
  }

  /** Whether one may be begun. */
  get isFree(): boolean {
    return this.#begun === undefined;
  }

  /** Whether a datagram of this tag may be of use. */
  knows(tag: number): boolean {
    return this.#begun?.tag === tag || this.#answered?.tag === tag;
  }

  /** Begins one with `peer`, in place of whatever was begun. */
  begin(peer: LanPeer, nowMs: number): void {
    const { trust, random, own, swarm } = this.#parts;
    const tag = draw32(random);
    const initiator = new SessionInitiator(new LanEnd(trust, own, peer.name));
    const frame = initiator.start();
    const datagram = encodeFirst({ tag, swarm, from: own.identity.name, to: peer.name, frame });
    const address = peer.saidAddress ?? peer.address;
    const begun = { peer, tag, initiator, address, datagram, awaits: FrameKind.message2, sends: 0, dueMs: 0 };
    this.#begun = begun;
    this.send(begun, nowMs);
  }

  /** Message 1 of a peer that begins sessions with this board. */
  takeFirst({ tag, frame }: FirstMessage, peer: LanPeer, address: string, nowMs: number): void {
    const before = this.#answered;
    if (frame[0] !== FrameKind.message1) return;
    if (before !== undefined) {
      if (before.tag === tag && before.peer === peer) this.#events.sendTo(address, before.datagram);
      if (before.tag === tag || nowMs < before.sinceMs + handshakeLimits.halfOpenLeastMs) return;
    }
    if (this.hasBegun(address, nowMs) || !this.mayBegin(nowMs)) return;
    this.#answered = undefined;
    this.noteBegin(address, nowMs);
    const { trust, own } = this.#parts;
    const responder = new SessionResponder(new LanEnd(trust, own, peer.name));
    const { send, failure } = responder.take(frame);
    if (send === undefined || failure !== undefined) return;
    const datagram = encodeTagged(DatagramKind.handshake, tag, send);
    this.#answered = { peer, tag, responder, datagram, sinceMs: nowMs };
    this.#events.sendTo(address, datagram);
  }

  /** Any other frame of a handshake. */
  take(tag: number, frame: Uint8Array, address: string, nowMs: number): void {
    if (this.#begun?.tag === tag) this.takeAnswer(this.#begun, frame, address, nowMs);
    else if (this.#answered?.tag === tag) this.takeMessage3(this.#answered, frame, address);
  }

  run(nowMs: number): void {
    const begun = this.#begun;
    if (begun !== undefined && nowMs >= begun.dueMs) {
      if (begun.sends < handshakeLimits.sendsMax) this.send(begun, nowMs);
      else this.fail(begun, "no answer");
    }
    const answered = this.#answered;
    if (answered !== undefined && nowMs >= answered.sinceMs + handshakeLimits.halfOpenMs)
      this.#answered = undefined;
  }

  /** Forgets those with whoever is not in `peers` any more. */
  keep(peers: readonly LanPeer[]): void {
    if (this.#begun !== undefined && !peers.includes(this.#begun.peer)) this.#begun = undefined;
    if (this.#answered !== undefined && !peers.includes(this.#answered.peer)) this.#answered = undefined;
  }

  /** Every second copy of message 1 goes to all: where the peer is, nobody vouches for yet. */
  private send(begun: Begun, nowMs: number): void {
    const { address, awaits, sends, datagram } = begun;
    const isToAll = awaits === FrameKind.message2 && sends % 2 === 1;
    this.#events.sendTo(isToAll ? undefined : address, datagram);
    const { repeatFirstMs, repeatMostMs } = handshakeLimits;
    begun.dueMs = nowMs + Math.min(repeatFirstMs * 2 ** sends, repeatMostMs);
    begun.sends = sends + 1;
  }

  /** A frame that is not awaited is a copy of one from before, or nobody's. */
  private takeAnswer(begun: Begun, frame: Uint8Array, address: string, nowMs: number): void {
    if (frame[0] !== begun.awaits) return;
    const { peer, tag, initiator } = begun;
    const { send, isUp, failure } = initiator.take(frame);
    if (isUp) {
      this.#begun = undefined;
      this.#events.onSession(peer, this.sessionOf(tag, initiator.session!, true), address);
    } else if (send === undefined || failure !== undefined) {
      this.fail(begun, failure ?? "no message 3");
    } else {
      begun.datagram = encodeTagged(DatagramKind.handshake, tag, send);
      begun.awaits = FrameKind.message4;
      begun.sends = 0;
      begun.address = address;
      this.send(begun, nowMs);
    }
  }

  private takeMessage3(answered: Answered, frame: Uint8Array, address: string): void {
    if (frame[0] !== FrameKind.message3) return;
    const { peer, tag, responder } = answered;
    const { send, isUp }: Step = responder.take(frame);
    this.#answered = undefined;
    if (!isUp) return;
    peer.answer = encodeTagged(DatagramKind.handshake, tag, send!);
    this.#events.onSession(peer, this.sessionOf(tag, responder.session!, false), address);
    this.#events.sendTo(address, peer.answer);
  }

  /** Nothing else is kept of the handshake: whom the roster remembers are the hosts. */
  private sessionOf(tag: number, session: SecureSession, isInitiator: boolean): LanSession {
    this.#parts.trust.roster.forget(session.peer.kid);
    return new LanSession(tag, session, isInitiator);
  }

  private fail(begun: Begun, reason: string): void {
    this.#begun = undefined;
    this.#events.onFailure(begun.peer, reason);
  }

  private mayBegin(nowMs: number): boolean {
    const { beginsMax, beginEveryMs } = handshakeLimits;
    if (this.#begins === beginsMax) this.#beginsMs = nowMs;
    const more = Math.floor((nowMs - this.#beginsMs) / beginEveryMs);
    this.#begins = Math.min(beginsMax, this.#begins + more);
    this.#beginsMs += more * beginEveryMs;
    if (this.#begins === 0) return false;
    this.#begins -= 1;
    return true;
  }

  private hasBegun(address: string, nowMs: number): boolean {
    return this.#origins.some((each) => each.address === address && isRecent(each, nowMs));
  }

  private noteBegin(address: string, nowMs: number): void {
    const recent = this.#origins.filter((each) => isRecent(each, nowMs));
    this.#origins = [...recent.slice(1 - handshakeLimits.addressesMax), { address, sinceMs: nowMs }];
  }
}

function isRecent({ sinceMs }: Origin, nowMs: number): boolean {
  return nowMs < sinceMs + handshakeLimits.addressEveryMs;
}

const none: readonly Origin[] = Object.freeze([]);
