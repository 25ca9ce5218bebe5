/**
 * A broker that is not to be trusted: it sits between the boards and a host's own broker, reads every MQTT packet both ways, keeps what it has seen, and holds back, changes,
 * repeats or makes up whatever a test wants.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { generate, type Packet, parser } from "mqtt-packet";
import { portOf } from "../../host-tools/leader/listen.ts";

export type Direction = "up" | "down";

/** A publish that came by. */
export interface Seen {
  readonly direction: Direction;
  /** As its client id says. */
  readonly board: string;
  readonly topic: string;
  /** The last part of the topic. */
  readonly channel: string;
  readonly payload: Buffer;
  /** Connections through this broker are counted from 1. */
  readonly connection: number;
}

/** What goes on in place of a publish: itself, others, or none. */
export type Meddle = (seen: Seen) => readonly { topic: string; payload: Uint8Array }[] | undefined;

/** Packets kept of each direction. */
const seenMax = 20_000;

export class HostileBroker {
  readonly seen: Seen[] = [];
  /** undefined lets a publish pass. */
  meddle: Meddle = () => undefined;
  readonly #server: Server;
  readonly #hostPort: number;
  readonly #connections = new Map<number, Connection>();
  #count = 0;
  port = 0;

  /** @param hostPort where the host's own broker listens. */
  constructor(hostPort: number) {
    this.#hostPort = hostPort;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(): Promise<void> {
    await once(this.#server.listen({ host: "127.0.0.1", port: 0 }), "listening");
    this.port = portOf(this.#server);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** The latest connection of a board; undefined while it has none. */
  connectionOf(board: string): number | undefined {
    let latest: number | undefined;
    for (const [number, connection] of this.#connections) if (connection.board === board) latest = number;
    return latest;
  }

  /** Says this to the host (`up`) or to the board, on the board's present connection. */
  inject(direction: Direction, board: string, topic: string, payload: Uint8Array): void {
    const number = this.connectionOf(board);
    if (number === undefined) throw new Error(`${board} is not connected here.`);
    this.#connections.get(number)!.say(direction, topic, payload);
  }

  /** Cuts a board off; it will connect again. */
  cut(board: string): void {
    const number = this.connectionOf(board);
    if (number !== undefined) this.#connections.get(number)!.end();
  }

  of(direction: Direction, board: string, channel: string): Seen[] {
    return this.seen.filter(
      (each) => each.direction === direction && each.board === board && each.channel === channel,
    );
  }

  #accept(socket: Socket): void {
    const number = ++this.#count;
    const upstream = connect({ host: "127.0.0.1", port: this.#hostPort });
    const connection = new Connection(socket, upstream, (direction, board, packet) => {
      const seen = {
        ...{ direction, board, connection: number, topic: packet.topic },
        channel: packet.topic.slice(packet.topic.lastIndexOf("/") + 1),
        payload: Buffer.from(packet.payload),
      };
      if (this.seen.length < seenMax) this.seen.push(seen);
      return this.meddle(seen);
    });
    this.#connections.set(number, connection);
    socket.on("close", () => this.#connections.delete(number));
  }
}

type Published = Extract<Packet, { cmd: "publish" }> & { payload: Buffer };
type OnPublish = (direction: Direction, board: string, packet: Published) => ReturnType<Meddle>;

class Connection {
  board = "";
  readonly #ends: Readonly<Record<Direction, Socket>>;
  readonly #onPublish: OnPublish;

  constructor(board: Socket, host: Socket, onPublish: OnPublish) {
    this.#ends = { up: host, down: board };
    this.#onPublish = onPublish;
    this.#pass(board, "up");
    this.#pass(host, "down");
  }

  say(direction: Direction, topic: string, payload: Uint8Array): void {
    const packet = {
      cmd: "publish",
      topic,
      payload: Buffer.from(payload),
      qos: 0,
      retain: false,
      dup: false,
    };
    this.#ends[direction].write(generate(packet as Packet));
  }

  end(): void {
    this.#ends.up.destroy();
    this.#ends.down.destroy();
  }

  #pass(from: Socket, direction: Direction): void {
    const packets = parser({ protocolVersion: 4 });
    packets.on("packet", (packet: Packet) => this.#take(packet, direction));
    packets.on("error", () => this.end());
    from.on("data", (chunk) => packets.parse(chunk));
    from.on("error", () => {});
    from.on("close", () => this.end());
  }

  #take(packet: Packet, direction: Direction): void {
    if (packet.cmd === "connect") this.board = packet.clientId;
    const meddled =
      packet.cmd === "publish" ? this.#onPublish(direction, this.board, packet as Published) : undefined;
    if (meddled === undefined) {
      this.#ends[direction].write(generate(packet));
      return;
    }
    for (const { topic, payload } of meddled) this.say(direction, topic, payload);
  }
}
