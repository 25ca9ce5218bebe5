import { MqttError } from "./error.ts";
import { PacketReader } from "./packet-reader.ts";
import {
  type ConnectOptions,
  PacketType,
  PacketWriter,
  publishPayloadStart,
  publishTopic,
  readConnack,
  readPingresp,
  readSuback,
} from "./packets.ts";

export interface MqttOptions extends ConnectOptions {
  /** The topic filters that are subscribed, all at once; at least one. */
  readonly filters: readonly string[];
  /** Bytes of the largest packet, both ways. */
  readonly packetBytesMax: number;
  /** From CONNECT to SUBACK, in milliseconds; also how long a PINGRESP may take. */
  readonly answerTimeoutMs: number;
}

/** What a session asks of its owner, and tells it. */
export interface MqttEvents {
  /** To the transport, all or nothing; false when it has no room. `bytes` are valid until the call returns. */
  send(bytes: Uint8Array): boolean;
  /** Connected and subscribed. */
  onReady(): void;
  /** `payload` is valid until the call returns. */
  onMessage(topic: string, payload: Uint8Array): void;
  /** The session is over; called at most once. */
  onFailure(error: MqttError): void;
}

const subscribePacketId = 1;
/** Of a CONNACK: table 3.1. */
const serverUnavailable = 3;

/**
 * One MQTT 3.1.1 connection of a client that publishes at QoS 0 and subscribes once. It does no I/O: bytes from
 * the transport go into `receive`, time into `tick`, and what is to be sent comes out of `MqttEvents.send`. It lives as
 * long as one transport connection.
 */
export class MqttSession {
  readonly #options: MqttOptions;
  readonly #events: MqttEvents;
  readonly #reader: PacketReader;
  readonly #writer: PacketWriter;
  #state: "idle" | "connecting" | "subscribing" | "ready" | "closed" = "idle";
  #sentMs = 0;
  #heardMs = 0;
  /** When the server must have answered what it owes us: CONNACK and SUBACK, or a PINGRESP; Infinity for nothing. */
  #answerDueMs = Infinity;

  /** @param writer for packets of `packetBytesMax`; several sessions may have one, because what it wrote is sent before it writes again */
  constructor(
    options: MqttOptions,
    events: MqttEvents,
    writer: PacketWriter = new PacketWriter(options.packetBytesMax),
  ) {
    this.#options = options;
    this.#events = events;
    this.#reader = new PacketReader(options.packetBytesMax, this);
    this.#writer = writer;
  }

  get ready(): boolean {
    return this.#state === "ready";
  }

  /** The server owes no answer: after a `ping`, it has all that was published before. */
  get isAnswered(): boolean {
    return this.#state === "ready" && this.#answerDueMs === Infinity;
  }

  /** Sends CONNECT, which must be the first packet ([MQTT-3.1.0-1]): call it once the transport is open. */
  open(nowMs: number): void {
    if (this.#state !== "idle") return;
    this.#state = "connecting";
    this.#answerDueMs = nowMs + this.#options.answerTimeoutMs;
    this.#heardMs = nowMs;
    // It is long, because of the password, and comes once: the writer's buffer need not grow for it.
    this.control(new PacketWriter(this.#options.packetBytesMax).connect(this.#options), nowMs);
  }

  /** Bytes from the transport, in any pieces. */
  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.#state === "idle" || this.#state === "closed") return;
    this.#heardMs = nowMs;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      this.fail(error);
    }
  }

  /** Publishes at QoS 0; false when the session is not ready or the transport has no room. */
  publish(topic: string, payload: Uint8Array, nowMs: number): boolean {
    if (this.#state !== "ready") return false;
    const sent = this.#events.send(this.#writer.publish(topic, payload));
    if (sent) this.#sentMs = nowMs;
    return sent;
  }

  /** When `tick` is next needed; Infinity when closed. */
  get dueMs(): number {
    if (this.#state === "idle" || this.#state === "closed") return Infinity;
    return this.#answerDueMs < Infinity ? this.#answerDueMs : this.pingDueMs();
  }

  /** Time has passed: pings a quiet server, gives up a silent one. */
  tick(nowMs: number): void {
    if (nowMs < this.dueMs) return;
    if (this.#answerDueMs < Infinity) {
      this.fail(
        new MqttError("timeout", `the server did not answer within ${this.#options.answerTimeoutMs} ms`),
      );
      return;
    }
    this.ping(nowMs);
  }

  /** Asks for a sign of life, which comes after all that the server had to read before (3.12). */
  ping(nowMs: number): void {
    if (this.#state !== "ready" || !this.isAnswered) return;
    this.#answerDueMs = nowMs + this.#options.answerTimeoutMs;
    this.control(this.#writer.pingreq(), nowMs);
  }

  /** Leaves in good order: the server publishes no will ([MQTT-3.14.4-3]). */
  close(): void {
    if (this.#state === "idle" || this.#state === "closed") return;
    this.end();
    this.#events.send(this.#writer.disconnect());
  }

  /** The transport is gone, or is to be: the session takes and gives nothing any more. */
  abandon(): void {
    this.end();
  }

  /** For the reader, not for owners. */
  onPacket(header: number, body: Uint8Array): void {
    const flags = header & 0x0f;
    switch (header >> 4) {
      case PacketType.connack:
        this.onConnack(flags, body);
        break;
      case PacketType.suback:
        this.onSuback(flags, body);
        break;
      case PacketType.publish:
        this.onPublish(flags, body);
        break;
      case PacketType.pingresp:
        readPingresp(flags, body);
        if (this.#state === "ready") this.#answerDueMs = Infinity;
        break;
      default:
        throw new MqttError("unexpected", `a server does not send packets of type ${header >> 4}`);
    }
  }

  private onConnack(flags: number, body: Uint8Array): void {
    if (this.#state !== "connecting") throw new MqttError("unexpected", "a second CONNACK came");
    const code = readConnack(flags, body);
    if (code !== 0) {
      const fault = code === serverUnavailable ? "unavailable" : "refused";
      throw new MqttError(fault, `the server refused the connection with code ${code}`);
    }
    this.#state = "subscribing";
    this.control(this.#writer.subscribe(subscribePacketId, this.#options.filters), this.#heardMs);
  }

  private onSuback(flags: number, body: Uint8Array): void {
    if (this.#state !== "subscribing") throw new MqttError("unexpected", "a SUBACK came unasked");
    const { filters } = this.#options;
    const refused = readSuback(flags, body, subscribePacketId, filters.length);
    if (refused >= 0) {
      throw new MqttError("refused", `the server refused the subscription to ${filters[refused]}`);
    }
    this.#state = "ready";
    this.#answerDueMs = Infinity;
    this.#events.onReady();
  }

  /** May come before the SUBACK ([MQTT-3.8.4-3] leaves the order to the server), never before the CONNACK ([MQTT-3.2.0-1]). */
  private onPublish(flags: number, body: Uint8Array): void {
    if (this.#state === "connecting") throw new MqttError("unexpected", "a PUBLISH came before the CONNACK");
    const start = publishPayloadStart(flags, body);
    this.#events.onMessage(publishTopic(body, start), body.subarray(start));
  }

  /**
   * Half the keepalive after the last packet in either direction: the client must send something within a keepalive
   * ([MQTT-3.1.2-23]), and wants to notice a dead server though it has itself much to say.
   */
  private pingDueMs(): number {
    const { keepaliveSeconds } = this.#options;
    if (keepaliveSeconds === 0) return Infinity;
    return Math.min(this.#sentMs, this.#heardMs) + keepaliveSeconds * 500;
  }

  private control(packet: Uint8Array, nowMs: number): void {
    this.#sentMs = nowMs;
    if (!this.#events.send(packet)) {
      this.fail(new MqttError("congested", "the connection has no room for a control packet"));
    }
  }

  private fail(error: MqttError): void {
    if (this.#state === "closed") return;
    this.end();
    this.#events.onFailure(error);
  }

  private end(): void {
    this.#state = "closed";
    this.#reader.stop();
  }
}
