/**
 * A connection to one host: network, TCP, MQTT, a session, in this order, and back to the start with growing pauses whenever one of
 * them ends.
 *
 * ```
 *             network up                  TCP open            SUBACK, session up
 *   offline ------------> connecting --------------> joining --------------> joined
 *      ^                      ^ |                       |                       |
 *      |                pause | | any failure           |                       |
 *      |                over  | v                       |                       |
 *      +---- network down -- waiting <------------------+-----------------------+
 * ```
 *
 * A link that may go to several hosts tries the next one after each failure; once all have refused the board, or it them, the pauses are longer.
 * What arrives waits for the board's turn in its inbox, off the deep stack of the socket, and is opened there.
 */
import { messageLimits, type SealedChannel } from "../../protocols/messages/board-messages.ts";
import type { MqttError } from "../../protocols/mqtt/error.ts";
import { type MqttEvents, MqttSession } from "../../protocols/mqtt/session.ts";
import type { HostAddress, TcpConnection, TcpEvents } from "../platform/ports.ts";
import { Backoff } from "./backoff.ts";
import { type Arrival, takeBytes } from "./inbox.ts";
import type { LinkEvents, LinkParts } from "./link-parts.ts";
import { LinkSession } from "./link-session.ts";

export const linkLimits = Object.freeze({
  /** From the attempt to an open TCP connection. */
  connectMs: 10_000,
  /** For an answer of the broker: to the CONNECT, to a ping. */
  answerMs: 5_000,
  keepaliveSeconds: 15,
  pauseFirstMs: 250,
  pauseMostMs: 8_000,
  /** By how much pauses are longer once all hosts have refused the board in a row. */
  refusedFactor: 4,
  /** Of a voter's links: a host that comes back may need its vote at once. */
  voterPauseMostMs: 2_000,
  /** A link that held this long was good: the next pause is the first again. */
  goodMs: 10_000,
  /** An MQTT packet: a payload and its topic. */
  packetBytesMax: messageLimits.payloadBytesMax + 256,
});

export type LinkState = "offline" | "waiting" | "connecting" | "joining" | "joined";

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
  #secure: LinkSession | undefined;
  /** Hosts in a row that refused the board, or that it refused. */
  #refusals = 0;
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
    return Math.min(this.#dueMs, this.#session?.dueMs ?? Infinity, this.#secure?.dueMs ?? Infinity);
  }

  /** True once the broker has all that was published before `ping`. */
  get isHeard(): boolean {
    return this.#session?.isAnswered ?? false;
  }

  run(nowMs: number): void {
    if (this.#state === "waiting" && nowMs >= this.#dueMs) this.connect(nowMs);
    else if (this.#state === "connecting" && nowMs >= this.#dueMs) this.lose("the connection took too long");
    else if (nowMs >= (this.#secure?.dueMs ?? Infinity)) this.lose(handshakeSilent);
    else this.#session?.tick(nowMs);
  }

  /** What arrived, and waited in the inbox. */
  read(arrival: Arrival, nowMs: number): void {
    const { channel } = arrival;
    const secure = this.#secure;
    // Of a connection that ended meanwhile.
    if (secure === undefined) return;
    if (channel === undefined) this.readPublication(secure, arrival);
    else if (channel === "edhoc") this.readFrame(secure, takeBytes(arrival), nowMs);
    else this.readRecord(secure, channel, arrival);
    if (secure.isGarbled && secure === this.#secure) this.dropForGarbage("records that do not open");
  }

  /** The board knows a new statement about who belongs. */
  onRoster(nowMs: number): void {
    if (this.#secure?.isOver) this.lose(`${this.host.name} was revoked`);
    else this.renew(nowMs);
  }

  /** Makes new keys. */
  refresh(): void {
    const nowMs = this.nowMs();
    const frame = this.#secure?.refresh(nowMs);
    if (frame !== undefined) this.sendFrame(frame, nowMs);
  }

  /** Counts what the host was not to send. */
  refuse(): void {
    this.#secure?.refuse();
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

  /** Tells the host on one of the board's channels; false when that is not possible now. */
  publish(channel: SealedChannel, payload: Uint8Array): boolean {
    const topic = this.#parts.topics.up + channel;
    const nowMs = this.nowMs();
    this.renew(nowMs);
    const record = this.#secure?.seal(topic, channel, payload);
    return record !== undefined && (this.#session?.publish(topic, record, nowMs) ?? false);
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
    this.#session?.publish(`${this.#parts.topics.up}gone`, gone, this.nowMs());
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
    const isRefused = this.#refusals >= this.#hosts.length;
    const pauseMs = isRefused
      ? linkLimits.refusedFactor * this.#backoff.next()
      : Math.min(this.#backoff.next(), this.pauseMostMs);
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
    const { trust } = this.#parts;
    const nowMs = this.nowMs();
    if (trust.own === undefined) return;
    this.#secure = new LinkSession(trust, trust.own, this.host.name);
    this.sendFrame(this.#secure.begin(nowMs), nowMs);
  }

  onMessage(topic: string, payload: Uint8Array): void {
    const { topics, inbox } = this.#parts;
    if (topic.startsWith(topics.down)) inbox.push(this, topic.slice(topics.down.length), payload);
    else if (topic === topics.all) inbox.push(this, undefined, payload);
    else this.dropForGarbage("a topic that was not subscribed");
  }

  onFailure(error: MqttError): void {
    if (error.garbage) this.dropForGarbage(error.message);
    else if (error.fault === "refused") this.refused(error.message);
    else this.lose(error.message);
  }

  // For the secure session.

  private readFrame(secure: LinkSession, frame: Uint8Array, nowMs: number): void {
    const { send, isUp, failure } = secure.take(frame, nowMs);
    if (send !== undefined) this.sendFrame(send, nowMs);
    if (failure !== undefined) this.refused(failure);
    if (!isUp || secure !== this.#secure) return;
    this.renew(nowMs);
    if (this.#state === "joining") this.join(nowMs);
  }

  private readRecord(secure: LinkSession, channel: string, arrival: Arrival): void {
    const payload = secure.open(this.#parts.topics.down + channel, channel, takeBytes(arrival));
    if (payload === undefined) return;
    if (channel !== "group") this.#events.onPayload(this, channel, payload);
    else if (!this.#parts.trust.takeKey(payload)) this.dropForGarbage("a key of publications that is none");
  }

  private readPublication(secure: LinkSession, arrival: Arrival): void {
    const opened = this.#parts.trust.openPublication(takeBytes(arrival));
    if (opened === "garbage") secure.refuse();
    else if (opened !== undefined) this.#events.onPublication(this, opened);
  }

  private join(nowMs: number): void {
    this.#state = "joined";
    this.#refusals = 0;
    this.#joinedMs = nowMs;
    this.#joins++;
    this.#events.onJoined(this);
  }

  private renew(nowMs: number): void {
    const frame = this.#secure?.renew(nowMs);
    if (frame !== undefined) this.sendFrame(frame, nowMs);
  }

  private sendFrame(frame: Uint8Array, nowMs: number): void {
    const isSent = this.#session?.publish(`${this.#parts.topics.up}edhoc`, frame, nowMs) ?? false;
    if (!isSent) this.lose("the connection has no room for the handshake");
  }

  private refused(reason: string): void {
    this.#refusals++;
    this.lose(reason);
  }

  private connect(nowMs: number): void {
    const { address, port } = this.host;
    this.#state = "connecting";
    this.#dueMs = nowMs + linkLimits.connectMs;
    const { network, authority } = this.#parts;
    const connectSecurely = authority && network.connectSecurely;
    this.#connection =
      connectSecurely === undefined
        ? network.connect(address, port, this)
        : connectSecurely(address, port, { authority: authority! }, this);
  }

  private open(): void {
    if (this.#state !== "connecting") return;
    this.#state = "joining";
    this.#dueMs = Infinity;
    this.#session = new MqttSession(this.#parts.mqttOptions, this, this.#parts.writer);
    this.#session.open(this.nowMs());
  }

  private hangUp(): void {
    const connection = this.#connection;
    const session = this.#session;
    this.#connection = undefined;
    this.#session = undefined;
    this.#secure = undefined;
    session?.abandon();
    connection?.close();
  }

  private nowMs(): number {
    return this.#parts.clock.nowMs();
  }
}

const handshakeSilent = "the host did not answer the handshake in time";
