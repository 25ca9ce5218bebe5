/**
 * The end that answers: a host. It gives its identity by value, because it can't know what the other end remembers. A session of an
 * earlier connection with the same peer may be refreshed; a handshake replaces the session once the peer has proved itself, and not before.
 */
import { EdhocError } from "../edhoc/error.ts";
import { encodeError } from "../edhoc/messages.ts";
import { Responder } from "../edhoc/responder.ts";
import type { OpenedRecord } from "../record/channel.ts";
import type { EndOptions, Step } from "./end.ts";
import { decodeFrame, encodeFrame, type Frame, FrameKind } from "./frames.ts";
import { findPeer, ownCredential, refreshTopic } from "./initiator.ts";
import { SecureSession } from "./secure-session.ts";

export class SessionResponder {
  readonly #options: EndOptions;
  #handshake: Responder | undefined;
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
    if (frame === undefined) return { failure: "a frame of the handshake is garbage" };
    try {
      switch (frame.kind) {
        case FrameKind.error:
          return { failure: "the other end refused the handshake" };
        case FrameKind.message1:
          return this.onMessage1(frame.body);
        case FrameKind.message3:
          return this.onMessage3(frame);
        case FrameKind.refresh:
          return this.onRefresh(frame);
        default:
          return { failure: `frame ${frame.kind} of a handshake is not for the end that answers` };
      }
    } catch (error) {
      if (!(error instanceof EdhocError)) throw error;
      this.#handshake = undefined;
      const send = encodeFrame(FrameKind.error, encodeError(error));
      // Whoever was referred to in vain may come by value.
      return error.fault === "unknown-credential" ? { send } : { send, failure: error.message };
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
    const { ciphers, own } = this.#options;
    this.#handshake = new Responder({
      ciphers,
      credential: ownCredential(ciphers, own, true),
      privateKey: own.privateKey,
      find: (id) => findPeer(this.#options, id),
      connectionId: Uint8Array.of(0),
    });
    return { send: encodeFrame(FrameKind.message2, this.#handshake.takeMessage1(message1)) };
  }

  private onMessage3({ epoch, body }: Frame): Step {
    const handshake = this.#handshake;
    if (handshake === undefined) return { failure: "message 3 came without message 1" };
    const { ciphers, own, roster } = this.#options;
    const { message4, session } = handshake.takeMessage3(body);
    this.#handshake = undefined;
    const peer = roster.admit(session.peer.bytes);
    if (peer === undefined) return { failure: "the other end was revoked during the handshake" };
    this.#session = new SecureSession(ciphers, session, own.identity.name, peer, false, epoch);
    this.#isUp = true;
    return { send: encodeFrame(FrameKind.message4, message4), isUp: true };
  }

  /** Whoever can seal under the keys to come is the peer: nobody else has the key that they come from. */
  private onRefresh({ number, epoch, body }: Frame): Step {
    const { roster } = this.#options;
    const before = this.#session;
    const next =
      before !== undefined && roster.belongs(before.peer) ? before.refreshed(number, epoch) : undefined;
    if (next === undefined || !("payload" in next.open(refreshTopic, "refresh", body))) {
      const error = new EdhocError("refused", "no such session is known here");
      return { send: encodeFrame(FrameKind.error, encodeError(error)) };
    }
    this.#session = next;
    this.#isUp = true;
    const send = encodeFrame(FrameKind.refreshed, next.seal(refreshTopic, "refreshed", none));
    return { send, isUp: true };
  }
}

const none = new Uint8Array(0);
