/**
 * The end that begins: a board, or of two hosts the one that dialled.
 *
 * ```
 * start() ----> message 1 .. message 4 ----> up ----> refresh() ----> up
 *                    ^                                    |
 *                    +------ the other end knows nothing of the session: error
 * ```
 *
 * It refers to its identity first, and gives it by value to whoever does not know it.
 */
import { EdhocError } from "../edhoc/error.ts";
import { Initiator } from "../edhoc/initiator.ts";
import { decodeError, encodeError } from "../edhoc/messages.ts";
import type { Known } from "../identity/roster.ts";
import type { OpenedRecord } from "../record/channel.ts";
import type { EndOptions, Step } from "./end.ts";
import { EndParty } from "./end-party.ts";
import { decodeFrame, encodeFrame, encodeRefresh, FrameKind } from "./frames.ts";
import { refreshTopic, SecureSession } from "./secure-session.ts";

export class SessionInitiator {
  readonly #options: EndOptions;
  #handshake: Initiator | undefined;
  #epoch = 0;
  /** In use; what comes is opened with it. */
  #session: SecureSession | undefined;
  /** After message 3 or a refresh: the other end is to show that it has it. What goes is sealed with it during a refresh. */
  #next: SecureSession | undefined;
  #isByValue: boolean;
  #isUp = false;

  /** @param kept of an earlier connection: may be refreshed. */
  constructor(options: EndOptions, kept?: SecureSession) {
    this.#options = options;
    this.#isByValue = options.isByValue ?? false;
    this.#session = kept;
  }

  /** Whether payloads may be sealed. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** With the peer, or as it was kept; undefined before there is one. */
  get session(): SecureSession | undefined {
    return this.#session;
  }

  /** Whether the other end owes an answer: where none comes in time, the connection is to be ended. */
  get isWaiting(): boolean {
    return this.#handshake !== undefined || this.#next !== undefined;
  }

  /** Begins a handshake in the roster's present epoch, whatever was before: message 1. */
  start(): Uint8Array {
    this.#epoch = this.#options.roster.epoch;
    this.#isUp = false;
    this.#session = undefined;
    this.#next = undefined;
    this.#handshake = new Initiator(new EndParty(this.#options, this.#epoch, this.#isByValue));
    return encodeFrame(FrameKind.message1, this.#handshake.message1);
  }

  /**
   * Asks for new keys of the session that there is, in the roster's present epoch. `number` is higher than any before; where the session outlives its
   * power, `session.kept(number)` must be durable first. undefined where no session can be refreshed: start anew.
   */
  refresh(number = this.#session?.nextRefresh ?? 0): Uint8Array | undefined {
    const session = this.#session;
    if (session === undefined || !belongs(this.#options, session.peer)) return undefined;
    const { epoch } = this.#options.roster;
    const next = session.refreshed(number, epoch);
    if (next === undefined) return undefined;
    this.#next = next;
    return encodeRefresh(number, epoch, next.seal(refreshTopic, "refresh", none));
  }

  /** A frame of the other end. */
  take(bytes: Uint8Array): Step {
    const frame = decodeFrame(bytes);
    if (frame === undefined) return this.refused("a frame of the handshake is garbage");
    try {
      switch (frame.kind) {
        case FrameKind.error:
          return this.onError(frame.body);
        case FrameKind.message2:
          return this.onMessage2(frame.body);
        case FrameKind.message4:
          return this.onMessage4(frame.body);
        case FrameKind.refreshed:
          return this.onRefreshed(frame.body);
        default:
          return this.refused(`frame ${frame.kind} of a handshake is not for the end that began it`);
      }
    } catch (error) {
      if (!(error instanceof EdhocError)) throw error;
      this.#handshake = undefined;
      return { send: encodeFrame(FrameKind.error, encodeError(error)), failure: error.message };
    }
  }

  /** undefined while the session is not up. */
  seal(topic: string, type: string, payload: Uint8Array): Uint8Array | undefined {
    return this.#isUp ? (this.#next ?? this.#session)?.seal(topic, type, payload) : undefined;
  }

  /** undefined while the session is not up. */
  open(topic: string, type: string, record: Uint8Array): OpenedRecord | undefined {
    return this.#isUp ? this.#session?.open(topic, type, record) : undefined;
  }

  private onMessage2(message2: Uint8Array): Step {
    if (this.#handshake === undefined) return ignored;
    return { send: encodeFrame(FrameKind.message3, this.#handshake.takeMessage2(message2)) };
  }

  private onMessage4(message4: Uint8Array): Step {
    if (this.#handshake === undefined) return ignored;
    const { ciphers, own, roster } = this.#options;
    const { session, peerBytes } = this.#handshake.takeMessage4(message4);
    const peer = roster.admit(peerBytes);
    if (peer === undefined) throw new EdhocError("refused", "the responder belongs no more");
    this.#handshake = undefined;
    const ends = { ciphers, own: own.identity.name, peer, isInitiator: true };
    this.#session = new SecureSession(ends, session, this.#epoch);
    this.#isUp = true;
    return { isUp: true };
  }

  private onRefreshed(record: Uint8Array): Step {
    const next = this.#next;
    if (next === undefined || !("payload" in next.open(refreshTopic, "refreshed", record))) return ignored;
    this.#session = next;
    this.#next = undefined;
    this.#isUp = belongs(this.#options, next.peer);
    return this.#isUp ? { isUp: true } : { failure: "the other end belongs no more" };
  }

  /** It is believed only where the other end owes an answer, and costs no more than another handshake. */
  private onError(body: Uint8Array): Step {
    const error = decodeError(body);
    if (this.#next !== undefined) return { send: this.start() };
    if (this.#handshake === undefined) return ignored;
    this.#handshake = undefined;
    if (error?.fault !== "unknown-credential" || this.#isByValue) {
      return { failure: `the other end refused the handshake: ${error?.message ?? "an unreadable error"}` };
    }
    this.#isByValue = true;
    return { send: this.start() };
  }

  /** Ends the connection before the session is up; after, the frame need not be the peer's, whose records go on. */
  private refused(failure: string): Step {
    return this.#isUp ? ignored : { failure };
  }
}

const none = new Uint8Array(0);
const ignored: Step = Object.freeze({ isIgnored: true });

/** Whether a session with this peer may go on: the root has not revoked it, and the connection is for it. */
export function belongs(options: EndOptions, peer: Known): boolean {
  return options.roster.belongs(peer) && options.admits(peer);
}
