/** A client of the broker, as whoever serves it has it. */
import type { Client } from "aedes";
import type { DownChannel } from "../../../protocols/messages/board-messages.ts";
import { ProtocolRefused } from "./broker-refusals.ts";
import { type BoardConnection, type BrokerCounters, brokerLimits } from "./broker-types.ts";
import type { MeasuredSocket } from "./measured-socket.ts";

export class ClientLink implements BoardConnection {
  /** To its own topics. */
  subscribed = false;
  /** To what is published to all. */
  listens = false;
  isProved = false;
  readonly board: string;
  readonly client: Client;
  readonly #topicPrefix: string;
  readonly #counters: BrokerCounters;
  readonly #onProved: () => void;

  constructor(client: Client, board: string, swarm: string, counters: BrokerCounters, onProved: () => void) {
    this.client = client;
    this.board = board;
    this.#topicPrefix = `covey/${swarm}/down/${board}/`;
    this.#counters = counters;
    this.#onProved = onProved;
  }

  /** What is published to all. */
  get hears(): boolean {
    return this.listens && this.isProved;
  }

  get address(): string {
    return connectionOf(this.client).address;
  }

  prove(): void {
    if (this.isProved) return;
    this.isProved = true;
    this.#onProved();
  }

  send(channel: DownChannel, payload: Uint8Array): boolean {
    return this.#publish(channel, payload, noop);
  }

  closeAfter(channel: DownChannel, payload: Uint8Array, reason: Error): void {
    if (!this.#publish(channel, payload, () => this.close(reason))) this.close(reason);
  }

  #publish(channel: DownChannel, payload: Uint8Array, done: () => void): boolean {
    if (!this.subscribed || this.client.closed || this.isStuck()) return false;
    this.#counters.messagesOut++;
    this.#counters.payloadBytesOut += payload.byteLength;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const topic = this.#topicPrefix + channel;
    this.client.publish({ cmd: "publish", topic, payload: bytes, qos: 0, retain: false, dup: false }, done);
    return true;
  }

  /** Whether it does not read; then its connection is ended. */
  isStuck(): boolean {
    if (connectionOf(this.client).unsentBytes <= brokerLimits.unsentBytesMax) return false;
    this.close(new ProtocolRefused(`more than ${brokerLimits.unsentBytesMax} bytes wait unread`));
    return true;
  }

  close(reason: Error): void {
    if (!this.client.closed) this.client.emit("error", reason);
  }
}

/** aedes got it from the broker. */
export function connectionOf(client: Client): MeasuredSocket {
  return client.conn as MeasuredSocket;
}

function noop(): void {}
