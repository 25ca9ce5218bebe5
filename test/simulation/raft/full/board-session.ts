/**
 * A host's end of one board's connection: MQTT from the broker's end below, messages above, between them a session with whom the board has proved to be.
 * What comes from below may be anything.
 */
import { boardTopics } from "../../../../protocols/messages/topics.ts";
import type { MemberId } from "../../../../protocols/raft/types.ts";
import type { Known } from "../../../../protocols/security/identity/roster.ts";
import { SessionResponder } from "../../../../protocols/security/session/responder.ts";
import type { SecureSession } from "../../../../protocols/security/session/secure-session.ts";
import type { BrokerSession } from "./broker-session.ts";
import type { HostTrust } from "./host-trust.ts";
import { WindowModel } from "./window-model.ts";

export interface BoardSessionEvents {
  /** The session is up, or has new keys. */
  onUp(session: BoardSession): void;
  /** What the board itself has said, on one of its channels. */
  onMessage(session: BoardSession, channel: string, payload: Uint8Array): void;
}

/** Records and frames of a connection that may be of no use; then it is of none itself. */
const faultsMax = 32;

export class BoardSession {
  /** As it said in its hello. */
  member: MemberId | undefined;
  readonly board: string;
  /** Of the board, when it said hello. */
  boots = 0;
  /** Whose identity was shown when the connection was made: no proof of anything. */
  readonly connected: Known;
  readonly #broker: BrokerSession;
  readonly #trust: HostTrust;
  readonly #events: BoardSessionEvents;
  readonly #responder: SessionResponder;
  readonly #topics: { readonly up: string; readonly down: string };
  #window = new WindowModel();
  #faults = 0;

  constructor(
    swarm: string,
    broker: BrokerSession,
    connected: Known,
    trust: HostTrust,
    events: BoardSessionEvents,
  ) {
    this.board = broker.board;
    this.connected = connected;
    this.#broker = broker;
    this.#trust = trust;
    this.#events = events;
    this.#topics = boardTopics(swarm, this.board);
    this.#responder = new SessionResponder(trust.endFor(this.board), trust.kept.get(this.board));
  }

  /** Who has proved to be at the other end; undefined before anybody has. */
  get peer(): Known | undefined {
    return this.#responder.isUp ? this.#responder.session!.peer : undefined;
  }

  /** Of the session's keys. */
  get epoch(): number {
    return this.#responder.session?.epoch ?? -1;
  }

  /** What the broker has of the board, or says it has. */
  receive(channel: string, payload: Uint8Array): void {
    if (channel === "edhoc") this.#takeFrame(payload);
    else if (channel !== "gone" && this.#responder.isUp) this.#takeRecord(channel, payload);
  }

  /** To the board, once the session is up. */
  send(channel: string, payload: Uint8Array): void {
    const topic = this.#topics.down + channel;
    const record = this.#responder.seal(topic, channel, payload);
    if (record !== undefined) this.#broker.publish(topic, record);
  }

  /** What is sealed for all already. */
  publish(topic: string, sealed: Uint8Array): void {
    if (this.#responder.isUp) this.#broker.publish(topic, sealed);
  }

  hangUp(): void {
    this.#broker.hangUp();
  }

  #takeFrame(frame: Uint8Array): void {
    const before = this.#responder.session;
    const { send, isUp, failure, isIgnored } = this.#responder.take(frame);
    if (send !== undefined) this.#broker.publish(`${this.#topics.down}edhoc`, send);
    if (failure !== undefined) this.hangUp();
    else if (isIgnored) this.#onFault();
    const session = this.#responder.session;
    if (!isUp || session === undefined) return;
    if (session !== before) this.#onNewKeys(session);
    this.#events.onUp(this);
  }

  #onNewKeys(session: SecureSession): void {
    this.#window = new WindowModel();
    this.#trust.kept.set(this.board, session);
  }

  #takeRecord(channel: string, record: Uint8Array): void {
    const opened = this.#responder.open(this.#topics.up + channel, channel, record)!;
    if ("payload" in opened) {
      this.#window.onOpened(opened.number);
      this.#events.onMessage(this, channel, opened.payload);
      return;
    }
    if (opened.fault === "replayed") this.#window.onRefused(record);
    this.#onFault();
  }

  #onFault(): void {
    if (++this.#faults > faultsMax) this.hangUp();
  }
}
