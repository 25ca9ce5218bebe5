/**
 * The embedded MQTT broker: aedes on a loopback socket, opened only to the boards of one swarm.
 *
 * A client id is a board's name; a board publishes under its own `up/` topics and subscribes under its own `down/` topics, at
 * QoS 0, nothing retained (Raft repeats what is lost, so a broker that stores would only repeat what is stale). Boards never
 * talk to each other through it. Whoever breaks the protocol loses that one connection, and is counted.
 *
 * This decides who may speak on which topic, not who is who: a client id proves nothing (design, point 14).
 */
import { createServer, type Server, type Socket } from "node:net";
import {
  Aedes,
  type AedesPublishPacket,
  type AuthenticateError,
  type Client,
  type Subscription,
} from "aedes";
import {
  channels,
  type DownChannel,
  messageLimits,
  type UpChannel,
} from "../../protocols/messages/board-messages.ts";
import { listen, portOf } from "./listen.ts";
import type { Log } from "./log.ts";
import { FramingError, MeasuredSocket, type Traffic } from "./measured-socket.ts";

/** A board's connection; a new one for each connect. */
export interface BoardLink {
  readonly board: string;
  /**
   * Publishes to `down/<board>/<channel>`. False when it was dropped because the board has not subscribed or has gone; a board that
   * does not read loses its connection.
   */
  send(channel: DownChannel, payload: Uint8Array): boolean;
  /** Ends the connection because of what the board did; counted as garbage or as a refusal by the error's class. */
  close(reason: Error): void;
}

export interface BrokerOptions {
  readonly swarm: string;
  readonly boards: ReadonlySet<string>;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly log: Log;
  /** Throwing `MalformedPayload` or `ProtocolRefused` ends that board's connection. */
  onMessage(link: BoardLink, channel: UpChannel, payload: Uint8Array): void;
  onDisconnect(link: BoardLink): void;
}

export interface Broker {
  readonly port: number;
  readonly counters: Readonly<BrokerCounters>;
  /**
   * Publishes to every board that listens, on `covey/<swarm>/all/raft`: encoded once, written to each one's socket. Gives how many
   * these are.
   */
  publish(payload: Uint8Array): number;
  /** Closes every connection and the port. */
  stop(): Promise<void>;
}

export interface BrokerCounters extends Traffic {
  /** CBOR bytes of the messages, without topics and framing. */
  payloadBytesIn: number;
  payloadBytesOut: number;
  garbage: number;
  /** Publications to all boards that listen; the bytes of each are counted once. */
  publications: number;
  publicationBytes: number;
  /** Publications times the boards that each was written to. */
  publicationWrites: number;
  /** Connections ended for asking what is not theirs: an unknown client id, a foreign topic, QoS above 0. */
  refused: number;
  disconnects: number;
}

export const brokerLimits = {
  /** Beyond the boards of the swarm: connections being replaced, and strangers on their way out. */
  spareConnections: 32,
  /** An MQTT packet's body: a payload and its topic. */
  packetBytesMax: messageLimits.payloadBytesMax + 256,
  /** Unsent bytes for a board that does not read; sixteen full messages. */
  unsentBytesMax: 64 * 1024,
  /** From the TCP connection to a complete CONNECT. */
  connectMs: 5_000,
  /** For a full socket to take bytes again. */
  drainMs: 10_000,
} as const;

/** A payload that does not decode, or says what cannot be. */
export class MalformedPayload extends Error {
  override readonly name = "MalformedPayload";
}

/** Well-formed, but not for this client to do. */
export class ProtocolRefused extends Error {
  override readonly name: string = "ProtocolRefused";
}

/** @throws {PortUnavailable} */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const broker = new EmbeddedBroker(options);
  await broker.start();
  return broker;
}

class EmbeddedBroker implements Broker {
  port = 0;
  readonly counters: BrokerCounters = {
    messagesIn: 0,
    messagesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    payloadBytesIn: 0,
    payloadBytesOut: 0,
    publications: 0,
    publicationBytes: 0,
    publicationWrites: 0,
    garbage: 0,
    refused: 0,
    disconnects: 0,
  };
  readonly #options: BrokerOptions;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #links = new Map<Client, ClientLink>();
  readonly #sockets = new Set<Socket>();

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#aedes = new Aedes({
      connectTimeout: brokerLimits.connectMs,
      drainTimeout: brokerLimits.drainMs,
      authenticate: (client, _user, _password, done) => {
        const refusal = this.#refusalOf(client);
        done(refusal, refusal === null);
      },
      authorizePublish: (client, packet, done) => done(this.#authorize(client, packet)),
      authorizeSubscribe: (client, subscription, done) =>
        done(null, this.#subscribe(client, subscription) ? subscription : null),
      published: (packet, client, done) => done(this.#receive(client, packet)),
    });
    this.#aedes.on("client", (client) => this.#connected(client));
    this.#aedes.on("clientDisconnect", (client) => this.#disconnected(client));
    this.#aedes.on("clientError", (client, error) => this.#failed(client, error));
    this.#aedes.on("connectionError", (client, error) => this.#failed(client, error));
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = options.boards.size + brokerLimits.spareConnections;
  }

  async start(): Promise<void> {
    await this.#aedes.listen();
    try {
      await listen(this.#server, { host: this.#options.host, port: this.#options.port, purpose: "MQTT" });
    } catch (error) {
      await this.#closeAedes();
      throw error;
    }
    this.port = portOf(this.#server);
  }

  publish(payload: Uint8Array): number {
    const listening = [...this.#links.values()].filter((link) => link.listens && !link.isStuck());
    if (listening.length === 0) return 0;
    this.counters.publications++;
    this.counters.publicationBytes += payload.byteLength;
    this.counters.publicationWrites += listening.length;
    this.counters.messagesOut += listening.length;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const topic = sharedTopic(this.#options.swarm);
    this.#aedes.publish({ cmd: "publish", topic, payload: bytes, qos: 0, retain: false, dup: false }, noop);
    return listening.length;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#closeAedes();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #closeAedes(): Promise<void> {
    return new Promise((resolve) => this.#aedes.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.setNoDelay(true);
    this.#aedes.handle(new MeasuredSocket(socket, this.counters, brokerLimits.packetBytesMax));
  }

  #refusalOf(client: Client): AuthenticateError | null {
    if (this.#options.boards.has(client.id)) return null;
    return new UnknownClient(client.id);
  }

  #connected(client: Client): void {
    const link = new ClientLink(client, this.#options.swarm, this.counters);
    this.#links.set(client, link);
  }

  #disconnected(client: Client): void {
    const link = this.#links.get(client);
    if (link === undefined) return;
    this.#links.delete(client);
    this.counters.disconnects++;
    this.#options.onDisconnect(link);
  }

  #authorize(client: Client | null, packet: { topic: string; qos: number; retain: boolean }): Error | null {
    if (client === null) return new ProtocolRefused("a message from nobody");
    if (packet.qos > 0 || packet.retain) return new ProtocolRefused("QoS above 0, or a retained message");
    if (channelOf(packet.topic, this.#options.swarm, client.id) !== undefined) return null;
    return new ProtocolRefused(`topic ${packet.topic} is not ${client.id}'s to publish on`);
  }

  #subscribe(client: Client, subscription: Subscription): boolean {
    const link = this.#links.get(client);
    const own = `covey/${this.#options.swarm}/down/${client.id}/`;
    const isShared = subscription.topic === sharedTopic(this.#options.swarm);
    if (link === undefined || !(isShared || subscription.topic.startsWith(own))) {
      this.#options.log.warn("subscription-refused", { board: client.id, topic: subscription.topic });
      return false;
    }
    subscription.qos = 0;
    if (isShared) link.listens = true;
    else link.subscribed = true;
    return true;
  }

  /** aedes calls this for its own `$SYS` messages too, with no client. */
  #receive(client: Client | null, packet: AedesPublishPacket): Error | null {
    const link = client === null ? undefined : this.#links.get(client);
    if (link === undefined) return null;
    const channel = channelOf(packet.topic, this.#options.swarm, link.board);
    if (channel === undefined) return null;
    const payload = packet.payload as Buffer;
    this.counters.payloadBytesIn += payload.length;
    try {
      this.#options.onMessage(link, channel, payload);
      return null;
    } catch (error) {
      if (error instanceof MalformedPayload || error instanceof ProtocolRefused) return error;
      // A fault of ours that one board's message brought to light must not cost the others their leader.
      this.#options.log.error("message-failed", {
        board: link.board,
        channel,
        reason: (error as Error).stack,
      });
      return new ProtocolRefused(`its ${channel} message could not be handled`);
    }
  }

  #failed(client: Client, error: Error): void {
    const kind = kindOf(error);
    if (kind === "garbage") this.counters.garbage++;
    if (kind === "refused") this.counters.refused++;
    const facts = { client: client.id ?? undefined, reason: error.message };
    if (kind === "lost") this.#options.log.debug("connection-lost", facts);
    else this.#options.log.warn(`connection-${kind}`, facts);
  }
}

class ClientLink implements BoardLink {
  /** To its own topics. */
  subscribed = false;
  /** To what is published to all. */
  listens = false;
  readonly board: string;
  readonly #client: Client;
  readonly #topicPrefix: string;
  readonly #counters: BrokerCounters;

  constructor(client: Client, swarm: string, counters: BrokerCounters) {
    this.#client = client;
    this.board = client.id;
    this.#topicPrefix = `covey/${swarm}/down/${client.id}/`;
    this.#counters = counters;
  }

  send(channel: DownChannel, payload: Uint8Array): boolean {
    if (!this.subscribed || this.#client.closed || this.isStuck()) return false;
    this.#counters.messagesOut++;
    this.#counters.payloadBytesOut += payload.byteLength;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const topic = this.#topicPrefix + channel;
    this.#client.publish({ cmd: "publish", topic, payload: bytes, qos: 0, retain: false, dup: false }, noop);
    return true;
  }

  /** Whether it does not read; then its connection is ended. */
  isStuck(): boolean {
    if ((this.#client.conn as MeasuredSocket).unsentBytes <= brokerLimits.unsentBytesMax) return false;
    this.close(new ProtocolRefused(`more than ${brokerLimits.unsentBytesMax} bytes wait unread`));
    return true;
  }

  close(reason: Error): void {
    this.#client.emit("error", reason);
  }
}

class UnknownClient extends ProtocolRefused implements AuthenticateError {
  override readonly name = "UnknownClient";
  /** CONNACK code 2, identifier rejected (MQTT 3.1.1, table 3.1). */
  readonly returnCode = 2;

  constructor(clientId: string) {
    super(`no board named ${clientId} in this swarm`);
  }
}

/** Where committed entries are published to all boards of a swarm that listen; only hosts publish there. */
function sharedTopic(swarm: string): string {
  return `covey/${swarm}/all/raft`;
}

/** The channel of `covey/<swarm>/up/<board>/<channel>`, when it is one and the board's own. */
function channelOf(topic: string, swarm: string, board: string): UpChannel | undefined {
  const prefix = `covey/${swarm}/up/${board}/`;
  if (!topic.startsWith(prefix)) return undefined;
  const channel = topic.slice(prefix.length);
  return Object.hasOwn(channels, channel) ? (channel as UpChannel) : undefined;
}

/** aedes tells these apart only by their text. */
const lossMessages = new Set([
  "keep alive timeout",
  "connect did not arrive in time",
  "drain timeout",
  "connection closed",
]);

function kindOf(error: Error & { code?: string }): "garbage" | "refused" | "lost" {
  if (error instanceof FramingError || error instanceof MalformedPayload) return "garbage";
  if (error instanceof ProtocolRefused || error.message === "unacceptable protocol version") return "refused";
  // A code marks an error of the operating system or of a stream, such as ECONNRESET: nobody's wrong-doing.
  return error.code !== undefined || lossMessages.has(error.message) ? "lost" : "garbage";
}

function noop(): void {}
