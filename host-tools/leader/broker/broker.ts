/**
 * The embedded MQTT broker: aedes on a socket of its own, opened only to the boards of one swarm.
 *
 * A client id is a board's name; a board publishes under its own `up/` topics and subscribes under its own `down/` topics, at
 * QoS 0, nothing retained (Raft repeats what is lost, so a broker that stores would only repeat what is stale). Boards never
 * talk to each other through it. Whoever breaks the protocol loses that one connection, and is counted.
 *
 * This decides who may speak on which topic, not who is who: a client id proves nothing (design, point 14). So a second connection of the same client id
 * ends the first one not at once, as MQTT has it [MQTT-3.1.4-2], but when it has proved to be that board: otherwise anybody could keep it out.
 */
import { createServer, type Server, type Socket } from "node:net";
import {
  Aedes,
  type AedesPublishPacket,
  type AuthenticateError,
  type Client,
  type Subscription,
} from "aedes";
import { channels, type UpChannel } from "../../../protocols/messages/board-messages.ts";
import { publicationTopic } from "../../../protocols/messages/topics.ts";
import { tlsAcceptor } from "../access/tls.ts";
import { listen, portOf } from "../listen.ts";
import { WaitingRoom } from "../trust/waiting-room.ts";
import {
  ClientRefused,
  ConnectionReplaced,
  kindOf,
  MalformedPayload,
  ProtocolRefused,
} from "./broker-refusals.ts";
import { type Broker, type BrokerCounters, type BrokerOptions, brokerLimits } from "./broker-types.ts";
import { ClientLink, connectionOf } from "./client-link.ts";
import { MeasuredSocket } from "./measured-socket.ts";

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
    turnedAway: 0,
  };
  readonly #options: BrokerOptions;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #links = new Map<Client, ClientLink>();
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new WaitingRoom();
  readonly #socketsMax: number;
  #connects = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#aedes = new Aedes({
      connectTimeout: brokerLimits.connectMs,
      drainTimeout: brokerLimits.drainMs,
      authenticate: (client, userName, password, done) => {
        const refusal = this.#refusalOf(client, userName, password);
        done(refusal, refusal === null);
      },
      authorizePublish: (client, packet, done) => done(this.#authorize(client, packet)),
      authorizeSubscribe: (client, subscription, done) =>
        done(null, this.#subscribe(client, subscription) ? subscription : null),
      authorizeForward: (client, packet) => (this.#mayHear(client, packet.topic) ? packet : null),
      published: (packet, client, done) => done(this.#receive(client, packet)),
    });
    this.#aedes.on("client", (client) => this.#connected(client));
    this.#aedes.on("clientDisconnect", (client) => this.#disconnected(client));
    this.#aedes.on("clientError", (client, error) => this.#failed(client, error));
    this.#aedes.on("connectionError", (client, error) => this.#failed(client, error));
    const overTls = options.tls === undefined ? undefined : tlsAcceptor(options.tls);
    this.#server = createServer((socket) => this.#accept(overTls?.(socket) ?? socket));
    this.#socketsMax = options.clients.boardsMax + brokerLimits.spareConnections;
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
    const listening = [...this.#links.values()].filter((link) => link.hears && !link.isStuck());
    if (listening.length === 0) return 0;
    this.counters.publications++;
    this.counters.publicationBytes += payload.byteLength;
    this.counters.publicationWrites += listening.length;
    this.counters.messagesOut += listening.length;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const topic = publicationTopic(this.#options.swarm);
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
    if (this.#sockets.size >= this.#socketsMax) {
      this.counters.turnedAway++;
      // All that are there have proved to be boards: then it is the newcomer.
      const surplus = this.#waiting.surplus ?? socket;
      this.#leave(surplus);
      surplus.destroy();
      if (surplus === socket) return;
    }
    this.#sockets.add(socket);
    this.#waiting.enter(socket);
    socket.once("close", () => this.#leave(socket));
    socket.setNoDelay(true);
    this.#aedes.handle(new MeasuredSocket(socket, this.counters, brokerLimits.packetBytesMax));
  }

  #leave(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#waiting.leave(socket);
  }

  #refusalOf(
    client: Client,
    userName: string | undefined,
    password: Uint8Array | undefined,
  ): AuthenticateError | null {
    const { address } = connectionOf(client);
    try {
      this.#options.clients.admit({ clientId: client.id, userName, password, address });
    } catch (error) {
      if (error instanceof ClientRefused) return error;
      throw error;
    }
    // To aedes each connection is a client of its own: it would end the former one now.
    client.id = `${client.id} ${++this.#connects}`;
    return null;
  }

  #connected(client: Client): void {
    const board = client.id.slice(0, client.id.indexOf(" "));
    const link = new ClientLink(client, board, this.#options.swarm, this.counters, () => this.#proved(link));
    this.#links.set(client, link);
    this.#options.clients.connected(link);
  }

  #proved(link: ClientLink): void {
    this.#waiting.leave(connectionOf(link.client).socket);
    for (const other of [...this.#links.values()]) {
      if (other !== link && other.board === link.board && other.isProved) {
        other.close(new ConnectionReplaced("the board has a newer connection"));
      }
    }
  }

  #disconnected(client: Client): void {
    const link = this.#links.get(client);
    if (link === undefined) return;
    this.#links.delete(client);
    this.counters.disconnects++;
    this.#options.clients.disconnected(link);
  }

  #authorize(client: Client | null, packet: { topic: string; qos: number; retain: boolean }): Error | null {
    if (client === null) return new ProtocolRefused("a message from nobody");
    if (packet.qos > 0 || packet.retain) return new ProtocolRefused("QoS above 0, or a retained message");
    const board = this.#links.get(client)?.board ?? "";
    if (channelOf(packet.topic, this.#options.swarm, board) !== undefined) return null;
    return new ProtocolRefused(`topic ${packet.topic} is not ${board}'s to publish on`);
  }

  #subscribe(client: Client, subscription: Subscription): boolean {
    const link = this.#links.get(client);
    const own = `covey/${this.#options.swarm}/down/${link?.board}/#`;
    const isShared = subscription.topic === publicationTopic(this.#options.swarm);
    if (link === undefined || !(isShared || subscription.topic === own)) {
      this.#options.log.warn("subscription-refused", { board: link?.board, topic: subscription.topic });
      return false;
    }
    subscription.qos = 0;
    if (isShared) link.listens = true;
    else link.subscribed = true;
    return true;
  }

  /** What is published to all goes to boards that have proved to be some. */
  #mayHear(client: Client, topic: string): boolean {
    return topic !== publicationTopic(this.#options.swarm) || this.#links.get(client)?.hears === true;
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
      this.#options.clients.receive(link, channel, payload);
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
    const name = this.#links.get(client)?.board ?? client.id ?? undefined;
    const facts = { client: name, reason: error.message };
    if (kind === "lost") this.#options.log.debug("connection-lost", facts);
    else this.#options.log.warn(`connection-${kind}`, facts);
  }
}

/** The channel of `covey/<swarm>/up/<board>/<channel>`, when it is one and the board's own. */
function channelOf(topic: string, swarm: string, board: string): UpChannel | undefined {
  const prefix = `covey/${swarm}/up/${board}/`;
  if (!topic.startsWith(prefix)) return undefined;
  const channel = topic.slice(prefix.length);
  return Object.hasOwn(channels, channel) ? (channel as UpChannel) : undefined;
}

function noop(): void {}
