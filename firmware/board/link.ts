/**
 * The board's one connection to its leader: network, TCP, MQTT, in this order, and back to the start with growing pauses
 * whenever one of them ends.
 *
 * ```
 *             network up                  TCP open                 SUBACK
 *   offline ------------> connecting --------------> joining --------------> joined
 *      ^                      ^ |                       |                       |
 *      |                pause | | any failure           |                       |
 *      |                over  | v                       |                       |
 *      +---- network down -- waiting <------------------+-----------------------+
 * ```
 */
import { messageLimits, type UpChannel } from "../../protocols/messages/board-messages.ts";
import type { MqttError } from "../../protocols/mqtt/error.ts";
import { type MqttEvents, type MqttOptions, MqttSession } from "../../protocols/mqtt/session.ts";
import type { BoardConfig, Clock, Network, Random, TcpConnection, TcpEvents } from "../platform/ports.ts";
import { Backoff } from "./backoff.ts";
import type { BoardLog } from "./board-log.ts";

export const linkLimits = Object.freeze({
  /** From the attempt to an open TCP connection. */
  connectMs: 10_000,
  /** For an answer of the broker: to the CONNECT, to a ping. */
  answerMs: 5_000,
  keepaliveSeconds: 15,
  pauseFirstMs: 250,
  pauseMostMs: 8_000,
  /** A link that held this long was good: the next pause is the first again. */
  goodMs: 10_000,
  /** An MQTT packet: a payload and its topic. */
  packetBytesMax: messageLimits.payloadBytesMax + 256,
});

export type LinkState = "offline" | "waiting" | "connecting" | "joining" | "joined";

export interface LinkEvents {
  /** The connection is ready; the hello must be the first that is published. */
  onJoined(): void;
  /** A publish of the leader; `payload` is valid until the call returns. */
  onPayload(channel: string, payload: Uint8Array): void;
}

export interface LinkParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly config: BoardConfig;
  readonly log: BoardLog;
  /** Who is told what happens on the socket: the board, which passes it on to this link within its own turns. */
  readonly tcpEvents: TcpEvents;
  /** Payload of the last will. */
  readonly gone: Uint8Array;
}

export class Link implements TcpEvents, MqttEvents {
  readonly #parts: LinkParts;
  readonly #events: LinkEvents;
  readonly #backoff: Backoff;
  readonly #upPrefix: string;
  readonly #downPrefix: string;
  readonly #mqttOptions: MqttOptions;
  #state: LinkState = "offline";
  #connection: TcpConnection | undefined;
  #session: MqttSession | undefined;
  /** Waiting: when to connect. Connecting: when to give up. */
  #dueMs = Infinity;
  #joinedMs = 0;
  #joins = 0;
  #garbage = 0;

  constructor(parts: LinkParts, events: LinkEvents) {
    const { swarm, board } = parts.config;
    this.#parts = parts;
    this.#events = events;
    this.#backoff = new Backoff(linkLimits.pauseFirstMs, linkLimits.pauseMostMs, parts.random);
    this.#upPrefix = `covey/${swarm}/up/${board}/`;
    this.#downPrefix = `covey/${swarm}/down/${board}/`;
    this.#mqttOptions = {
      clientId: board,
      keepaliveSeconds: linkLimits.keepaliveSeconds,
      will: { topic: `${this.#upPrefix}gone`, payload: parts.gone },
      filters: [`${this.#downPrefix}#`],
      packetBytesMax: linkLimits.packetBytesMax,
      answerTimeoutMs: linkLimits.answerMs,
    };
  }

  get state(): LinkState {
    return this.#state;
  }

  /** How often the board has joined again after its first time. */
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

  run(nowMs: number): void {
    if (this.#state === "waiting" && nowMs >= this.#dueMs) this.#connect(nowMs);
    else if (this.#state === "connecting" && nowMs >= this.#dueMs) this.#lose("the connection took too long");
    else this.#session?.tick(nowMs);
  }

  /** Publishes on one of the board's channels; false when that is not possible now. */
  publish(channel: UpChannel, payload: Uint8Array): boolean {
    return this.#session?.publish(this.#upPrefix + channel, payload, this.#nowMs()) ?? false;
  }

  /** The leader sent what no leader sends: counts it and starts over. */
  dropForGarbage(what: string): void {
    this.#garbage++;
    this.#lose(`garbage: ${what}`);
  }

  onNetworkChange(up: boolean): void {
    this.#parts.log.write("info", up ? "network-up" : "network-down");
    if (!up) {
      this.#hangUp();
      this.#state = "offline";
      this.#dueMs = Infinity;
    } else if (this.#state === "offline") {
      this.#connect(this.#nowMs());
    }
  }

  onOpen(): void {
    if (this.#state !== "connecting") return;
    this.#state = "joining";
    this.#dueMs = Infinity;
    this.#session = new MqttSession(this.#mqttOptions, this);
    this.#session.open(this.#nowMs());
  }

  onData(bytes: Uint8Array): void {
    this.#session?.receive(bytes, this.#nowMs());
  }

  onClose(reason: string): void {
    this.#connection = undefined;
    this.#lose(reason);
  }

  /** For the session. */
  send(bytes: Uint8Array): boolean {
    return this.#connection?.write(bytes) ?? false;
  }

  /** For the session. */
  onReady(): void {
    this.#state = "joined";
    this.#joinedMs = this.#nowMs();
    this.#joins++;
    this.#events.onJoined();
  }

  /** For the session. */
  onMessage(topic: string, payload: Uint8Array): void {
    if (topic.startsWith(this.#downPrefix)) {
      this.#events.onPayload(topic.slice(this.#downPrefix.length), payload);
    } else {
      this.dropForGarbage("a topic that was not subscribed");
    }
  }

  /** For the session. */
  onFailure(error: MqttError): void {
    if (error.garbage) this.dropForGarbage(error.message);
    else this.#lose(error.message);
  }

  #connect(nowMs: number): void {
    const { address, port } = this.#parts.config.hosts[0]!;
    this.#state = "connecting";
    this.#dueMs = nowMs + linkLimits.connectMs;
    this.#connection = this.#parts.network.connect(address, port, this.#parts.tcpEvents);
  }

  #lose(reason: string): void {
    if (this.#state === "offline" || this.#state === "waiting") return;
    const nowMs = this.#nowMs();
    if (this.#state === "joined" && nowMs - this.#joinedMs >= linkLimits.goodMs) this.#backoff.reset();
    this.#hangUp();
    const pauseMs = this.#backoff.next();
    this.#state = "waiting";
    this.#dueMs = nowMs + pauseMs;
    this.#parts.log.write("warn", "link-lost", "reason", reason, "pauseMs", pauseMs);
  }

  /** Ends the connection without a farewell, so that the broker publishes the board's last will. */
  #hangUp(): void {
    const connection = this.#connection;
    const session = this.#session;
    this.#connection = undefined;
    this.#session = undefined;
    session?.abandon();
    connection?.close();
  }

  #nowMs(): number {
    return this.#parts.clock.nowMs();
  }
}
