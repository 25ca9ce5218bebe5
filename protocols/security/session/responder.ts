/**
 * The end that answers: a host. It gives its identity by value, because it can't know what the other end remembers. A session of an
 * earlier connection with the same peer may be refreshed; a handshake replaces the session once the peer has proved itself, and not before.
 *
 * Of handshakes that were begun it keeps the latest only, so that whoever begins thousands on one connection holds no more than one half-open.
 */
import { EdhocError } from "../edhoc/error.ts";
import { encodeError } from "../edhoc/messages.ts";
import { Responder } from "../edhoc/responder.ts";
import type { OpenedRecord } from "../record/channel.ts";
import type { EndOptions, Step } from "./end.ts";
import { EndParty } from "./end-party.ts";
import { decodeFrame, encodeFrame, epochOfId, type Frame, FrameKind } from "./frames.ts";
import { belongs } from "./initiator.ts";
import { refreshTopic, SecureSession } from "./secure-session.ts";

export class SessionResponder {
  readonly #options: EndOptions;
  #handshake: Responder | undefined;
  #epoch = 0;
  #session: SecureSession | undefined;
  #isUp = false;

  /** @param kept of an earlier connection of whom this one is said to be: may be refreshed. */
  constructor(options: EndOptions, kept?: SecureSession) {
    this.#options = options;
    this.#session = kept;
  }

  /** Whether the peer has proved itself on this connection, so that payloads may be sealed. */
  get isUp(): boolean {
    return this.#isUp;
  }

  get session(): SecureSession | undefined {
    return this.#session;
  }

  /** A frame of the other end. */
  take(bytes: Uint8Array): Step {
    const frame = decodeFrame(bytes);
    if (frame === undefined) return this.refused("a frame of the handshake is garbage");
    try {
      switch (frame.kind) {
        case FrameKind.error:
          return this.onError();
        case FrameKind.message1:
          return this.onMessage1(frame.body);
        case FrameKind.message3:
          return this.onMessage3(frame.body);
        case FrameKind.refresh:
          return this.onRefresh(frame);
        default:
          return this.refused(`frame ${frame.kind} of a handshake is not for the end that answers`);
      }
    } catch (error) {
      if (!(error instanceof EdhocError)) throw error;
      this.#handshake = undefined;
      const send = encodeFrame(FrameKind.error, encodeError(error));
      // Whoever was referred to in vain may come by value.
      return error.fault === "unknown-credential" ? { send } : { send, ...this.refused(error.message) };
    }
  }

  /** undefined while the session is not up. */
  seal(topic: string, type: string, payload: Uint8Array): Uint8Array | undefined {
    return this.#isUp ? this.#session?.seal(topic, type, payload) : undefined;
  }

  /** undefined while the session is not up. */
  open(topic: string, type: string, record: Uint8Array): OpenedRecord | undefined {
    return this.#isUp ? this.#session?.open(topic, type, record) : undefined;
  }

  private onMessage1(message1: Uint8Array): Step {
    const handshake = new Responder(new EndParty(this.#options, 0, true));
    const message2 = handshake.takeMessage1(message1);
    const epoch = epochOfId(handshake.initiatorId);
    if (epoch === undefined) throw new EdhocError("malformed", "message 1 names no epoch");
    this.#handshake = handshake;
    this.#epoch = epoch;
    return { send: encodeFrame(FrameKind.message2, message2) };
  }

  private onMessage3(message3: Uint8Array): Step {
    if (this.#handshake === undefined) return this.refused("message 3 came without message 1");
    const { ciphers, own, roster } = this.#options;
    const { message4, session, peerBytes } = this.#handshake.takeMessage3(message3);
    this.#handshake = undefined;
    const peer = roster.admit(peerBytes);
    if (peer === undefined) throw new EdhocError("refused", "the initiator belongs no more");
    const ends = { ciphers, own: own.identity.name, peer, isInitiator: false };
    this.#session = new SecureSession(ends, session, this.#epoch);
    this.#isUp = true;
    return { send: encodeFrame(FrameKind.message4, message4), isUp: true };
  }

  private onRefresh({ number, epoch, body }: Frame): Step {
    const before = this.#session;
    const mayGoOn = before !== undefined && belongs(this.#options, before.peer);
    const next = mayGoOn ? before.followed(number, epoch, body) : undefined;
    if (next === undefined) {
      const error = new EdhocError("refused", "no such session is known here");
      return { send: encodeFrame(FrameKind.error, encodeError(error)), isIgnored: true };
    }
    this.#handshake = undefined;
    this.#session = next;
    this.#isUp = true;
    const send = encodeFrame(FrameKind.refreshed, next.seal(refreshTopic, "refreshed", none));
    return { send, isUp: true };
  }

  private onError(): Step {
    this.#handshake = undefined;
    return this.refused("the other end refused the handshake");
  }

  /** Ends the connection before the session is up; after, the frame need not be the peer's, whose records go on. */
  private refused(failure: string): Step {
    return this.#isUp ? { isIgnored: true } : { failure };
  }
}

const none = new Uint8Array(0);
