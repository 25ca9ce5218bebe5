/**
 * A connection to one host: network, TCP, MQTT, in this order, and back to the start with growing pauses whenever one of
 * them ends.
 *
 * ```
 *             network up                  TCP open                 SUBACK
 *   offline ------------> connecting --------------> joining --------------> joined
 *      ^                      ^ |                       |                       |
 *      |                pause | | any failure           |                       |
 *      |                over  | v                       |                       |
 *      +---- network down -- waiting <------------------+-----------------------+
 * ```
 *
 * A link that may go to several hosts tries the next one after each failure.
 */
import { messageLimits, type UpChannel } from "../../protocols/messages/board-messages.ts";
import type { BoardTopics } from "../../protocols/messages/topics.ts";
import type { MqttError } from "../../protocols/mqtt/error.ts";
import { type MqttEvents, type MqttOptions, MqttSession } from "../../protocols/mqtt/session.ts";
import type { Clock, HostAddress, Network, Random, TcpConnection, TcpEvents } from "../platform/ports.ts";
import { Backoff } from "./backoff.ts";
import type { BoardLog } from "./board-log.ts";
import type { Turns } from "./turns.ts";

export const linkLimits = Object.freeze({
  /** From the attempt to an open TCP connection. */
  connectMs: 10_000,
  /** For an answer of the broker: to the CONNECT, to a ping. */
  answerMs: 5_000,
  keepaliveSeconds: 15,
  pauseFirstMs: 250,
  pauseMostMs: 8_000,
  /** Of a voter's links: a host that comes back may need its vote at once. */
  voterPauseMostMs: 2_000,
  /** A link that held this long was good: the next pause is the first again. */
  goodMs: 10_000,
  /** An MQTT packet: a payload and its topic. */
  packetBytesMax: messageLimits.payloadBytesMax + 256,
});

export type LinkState = "offline" | "waiting" | "connecting" | "joining" | "joined";

export interface LinkEvents {
  /** The connection is ready; the hello must be the first that is published. */
  onJoined(link: Link): void;
  /** A publish on one of the board's own channels; `payload` is valid until the call returns. */
  onPayload(link: Link, channel: string, payload: Uint8Array): void;
  /** A publish of Raft's to all members. */
  onPublication(link: Link, payload: Uint8Array): void;
}

/** What all links of a board share. */
export interface LinkParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly log: BoardLog;
  readonly turns: Turns;
  readonly topics: BoardTopics;
  readonly mqttOptions: MqttOptions;
}

export class Link implements TcpEvents, MqttEvents {
  /** Longest pause before it connects again. */
  pauseMostMs: number = linkLimits.pauseMostMs;
  readonly #parts: LinkParts;
  readonly #events: LinkEvents;
  readonly #backoff: Backoff;
  #hosts: readonly HostAddress[];
  /** Place in `#hosts` of the one that is tried, or connected. */
  #at: number;
  #state: LinkState = "offline";
  #connection: TcpConnection | undefined;
  #session: MqttSession | undefined;
  /** Waiting: when to connect. Connecting: when to give up. */
  #dueMs = Infinity;
  #joinedMs = 0;
  #joins = 0;
  #garbage = 0;

  /** Goes to any of `hosts`, the one at place `first` before the others. */
  constructor(parts: LinkParts, events: LinkEvents, hosts: readonly HostAddress[], first: number) {
    this.#parts = parts;
    this.#events = events;
    this.#hosts = hosts;
    this.#at = first;
    this.#backoff = new Backoff(linkLimits.pauseFirstMs, linkLimits.pauseMostMs, parts.random);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Where it is connected, or will be next. */
  get host(): HostAddress {
    return this.#hosts[this.#at]!;
  }

  /** When the link joined, on the board's clock; without meaning unless it is joined. */
  get joinedMs(): number {
    return this.#joinedMs;
  }

  /** How often the link has joined again after its first time. */
  get reconnects(): number {
    return Math.max(0, this.#joins - 1);
  }

  /** Connections that were dropped because of what the other side sent. */
  get garbage(): number {
    return this.#garbage;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    return Math.min(this.#dueMs, this.#session?.dueMs ?? Infinity);
  }

  /** True once the broker has all that was published before `ping`. */
  get isHeard(): boolean {
    return this.#session?.isAnswered ?? false;
  }

  run(nowMs: number): void {
    if (this.#state === "waiting" && nowMs >= this.#dueMs) this.connect(nowMs);
    else if (this.#state === "connecting" && nowMs >= this.#dueMs) this.lose("the connection took too long");
    else this.#session?.tick(nowMs);
  }

  /** Stays as it is, and may go to these from now on, of which its present host is one. */
  goTo(hosts: readonly HostAddress[]): void {
    const { name } = this.host;
    this.#at = Math.max(
      0,
      hosts.findIndex((host) => host.name === name),
    );
    this.#hosts = hosts;
  }

  /** Publishes on one of the board's channels; false when that is not possible now. */
  publish(channel: UpChannel, payload: Uint8Array): boolean {
    const { topics } = this.#parts;
    return this.#session?.publish(topics.up + channel, payload, this.nowMs()) ?? false;
  }

  /** Asks the broker whether it has all that was published: see `isHeard`. */
  ping(): void {
    this.#session?.ping(this.nowMs());
  }

  /** The host sent what no host sends: counts it and starts over. */
  dropForGarbage(what: string): void {
    this.#garbage++;
    this.lose(`garbage: ${what}`);
  }

  onNetworkChange(up: boolean): void {
    if (!up) this.end();
    else if (this.#state === "offline") this.connect(this.nowMs());
  }

  /** Ends the connection without a farewell, so that the broker publishes the board's last will; the link is offline then. */
  end(): void {
    this.hangUp();
    this.#state = "offline";
    this.#dueMs = Infinity;
  }

  /** Says that the board is gone, and ends the connection in good order. */
  leave(gone: Uint8Array): void {
    this.publish("gone", gone);
    this.#session?.close();
    this.end();
  }

  /** Starts over after a pause, at the next host. */
  lose(reason: string): void {
    if (this.#state === "offline" || this.#state === "waiting") return;
    const nowMs = this.nowMs();
    const { name } = this.host;
    if (this.#state === "joined" && nowMs - this.#joinedMs >= linkLimits.goodMs) this.#backoff.reset();
    this.hangUp();
    const pauseMs = Math.min(this.#backoff.next(), this.pauseMostMs);
    this.#state = "waiting";
    this.#dueMs = nowMs + pauseMs;
    this.#at = (this.#at + 1) % this.#hosts.length;
    this.#parts.log.write("warn", "link-lost", "host", name, "reason", reason, "pauseMs", pauseMs);
  }

  // For the socket; each is a turn.

  onOpen(): void {
    const { turns } = this.#parts;
    if (!turns.begin()) return;
    try {
      this.open();
    } catch (error) {
      turns.fail(error);
    }
    turns.end();
  }

  onData(bytes: Uint8Array): void {
    const { turns } = this.#parts;
    if (!turns.begin()) return;
    try {
      this.#session?.receive(bytes, this.nowMs());
    } catch (error) {
      turns.fail(error);
    }
    turns.end();
  }

  onClose(reason: string): void {
    const { turns } = this.#parts;
    if (!turns.begin()) return;
    try {
      this.#connection = undefined;
      this.lose(reason);
    } catch (error) {
      turns.fail(error);
    }
    turns.end();
  }

  // For the session.

  send(bytes: Uint8Array): boolean {
    return this.#connection?.write(bytes) ?? false;
  }

  onReady(): void {
    this.#state = "joined";
    this.#joinedMs = this.nowMs();
    this.#joins++;
    this.#events.onJoined(this);
  }

  onMessage(topic: string, payload: Uint8Array): void {
    const { down, all } = this.#parts.topics;
    if (topic.startsWith(down)) this.#events.onPayload(this, topic.slice(down.length), payload);
    else if (topic === all) this.#events.onPublication(this, payload);
    else this.dropForGarbage("a topic that was not subscribed");
  }

  onFailure(error: MqttError): void {
    if (error.garbage) this.dropForGarbage(error.message);
    else this.lose(error.message);
  }

  private connect(nowMs: number): void {
    const { address, port } = this.host;
    this.#state = "connecting";
    this.#dueMs = nowMs + linkLimits.connectMs;
    this.#connection = this.#parts.network.connect(address, port, this);
  }

  private open(): void {
    if (this.#state !== "connecting") return;
    this.#state = "joining";
    this.#dueMs = Infinity;
    this.#session = new MqttSession(this.#parts.mqttOptions, this);
    this.#session.open(this.nowMs());
  }

  private hangUp(): void {
    const connection = this.#connection;
    const session = this.#session;
    this.#connection = undefined;
    this.#session = undefined;
    session?.abandon();
    connection?.close();
  }

  private nowMs(): number {
    return this.#parts.clock.nowMs();
  }
}
