/**
 * The control packets of MQTT 3.1.1 (OASIS standard, 29 October 2014) that a board sends and reads. Publishing is at
 * QoS 0 both ways: Covey's own protocols repeat what matters.
 */
import { readUtf8, utf8Length, writeUtf8 } from "../text/utf8.ts";
import { MqttError } from "./error.ts";

/** Control packet types, in the upper four bits of the first byte (2.2.1). */
export const PacketType = Object.freeze({
  connect: 1,
  connack: 2,
  publish: 3,
  subscribe: 8,
  suback: 9,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
});

export interface ConnectOptions {
  /** 1 to 23 bytes that every server must accept; more where the server does ([MQTT-3.1.3-5]). */
  readonly clientId: string;
  /** 0 (none) to 65,535. */
  readonly keepaliveSeconds: number;
  /** Published by the server when the connection ends without a DISCONNECT ([MQTT-3.1.2-8]). */
  readonly will: { readonly topic: string; readonly payload: Uint8Array };
  /** At most 65,535 bytes each (3.1.3.4, 3.1.3.5). */
  readonly userName: string;
  readonly password: Uint8Array;
}

/** Writes packets into a buffer that it keeps and that never outgrows `packetBytesMax`; each result is a view of it. */
export class PacketWriter {
  readonly #packetBytesMax: number;
  #bytes = new Uint8Array(64);
  #at = 0;

  constructor(packetBytesMax: number) {
    this.#packetBytesMax = packetBytesMax;
  }

  /** 3.1, with a clean session: a board keeps its own state. */
  connect(options: ConnectOptions): Uint8Array {
    const { will, userName, password } = options;
    const idLength = textLength(options.clientId);
    const willLength = textLength(will.topic);
    const userLength = textLength(userName);
    if (password.length > 0xffff) throw new MqttError("malformed", "a password is longer than 65,535 bytes");
    const length = 20 + idLength + willLength + will.payload.length + userLength + password.length;
    this.begin(PacketType.connect << 4, length);
    this.text("MQTT", 4);
    this.byte(4); // Protocol level 4 is 3.1.1 ([MQTT-3.1.2-2]).
    // User name and password, will flag and clean session; will QoS 0, not retained (3.1.2.3).
    this.byte(0b1100_0110);
    this.uint16(options.keepaliveSeconds);
    this.text(options.clientId, idLength); // The order of the payload: [MQTT-3.1.3-1].
    this.text(will.topic, willLength);
    this.uint16(will.payload.length);
    this.raw(will.payload);
    this.text(userName, userLength);
    this.uint16(password.length);
    this.raw(password);
    return this.end();
  }

  /** 3.3, at QoS 0, so without a packet identifier ([MQTT-2.3.1-5]), and not retained. */
  publish(topic: string, payload: Uint8Array): Uint8Array {
    const topicLength = textLength(topic);
    this.begin(PacketType.publish << 4, 2 + topicLength + payload.length);
    this.text(topic, topicLength);
    this.raw(payload);
    return this.end();
  }

  /** 3.8: topic filters, at least one ([MQTT-3.8.3-3]), each at QoS 0. `packetId` is 1 to 65,535 ([MQTT-2.3.1-1]). */
  subscribe(packetId: number, filters: readonly string[]): Uint8Array {
    let length = 2;
    for (const filter of filters) length += 3 + textLength(filter);
    this.begin((PacketType.subscribe << 4) | 0b0010, length); // Flags 0010: [MQTT-3.8.1-1].
    this.uint16(packetId);
    for (const filter of filters) {
      this.text(filter, textLength(filter));
      this.byte(0);
    }
    return this.end();
  }

  /** 3.12 */
  pingreq(): Uint8Array {
    this.begin(PacketType.pingreq << 4, 0);
    return this.end();
  }

  /** 3.14 */
  disconnect(): Uint8Array {
    this.begin(PacketType.disconnect << 4, 0);
    return this.end();
  }

  private begin(header: number, length: number): void {
    const size = 5 + length;
    if (size > this.#packetBytesMax) {
      throw new MqttError(
        "too-large",
        `a packet of ${length} bytes does not fit the limit of ${this.#packetBytesMax}`,
      );
    }
    if (size > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.min(Math.max(size, 2 * this.#bytes.length), this.#packetBytesMax));
    }
    this.#at = 0;
    this.byte(header);
    let rest = length;
    while (rest > 127) {
      this.byte((rest & 0x7f) | 0x80); // 2.2.3
      rest >>= 7;
    }
    this.byte(rest);
  }

  private end(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  private byte(byte: number): void {
    this.#bytes[this.#at++] = byte;
  }

  private uint16(value: number): void {
    this.byte(value >> 8);
    this.byte(value & 0xff);
  }

  private raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** 1.5.3 */
  private text(text: string, length: number): void {
    this.uint16(length);
    this.#at = writeUtf8(text, this.#bytes, this.#at);
  }
}

/** Return code of a CONNACK: 0 accepted, 1 to 5 why not (table 3.1). */
export function readConnack(flags: number, body: Uint8Array): number {
  expectFlags(flags, PacketType.connack);
  // The session-present flag must be 0 after a clean session ([MQTT-3.2.2-1]); the other bits are reserved.
  if (body.length !== 2 || body[0] !== 0 || body[1]! > 5) {
    throw new MqttError("malformed", "a CONNACK is not as 3.2 of MQTT 3.1.1 says");
  }
  return body[1]!;
}

/** The place of the first of `filters` topic filters, sent with `packetId`, that is not granted at QoS 0 (3.9); -1 when all are. */
export function readSuback(flags: number, body: Uint8Array, packetId: number, filters: number): number {
  expectFlags(flags, PacketType.suback);
  // One code for each filter, in their order: [MQTT-3.8.4-2], [MQTT-3.9.3-1].
  if (body.length !== 2 + filters || (body[0]! << 8) + body[1]! !== packetId) {
    throw new MqttError("malformed", "a SUBACK does not answer the SUBSCRIBE that was sent");
  }
  let refused = -1;
  for (let i = filters - 1; i >= 0; i--) {
    const code = body[2 + i];
    if (code !== 0x00 && code !== 0x80) {
      throw new MqttError("malformed", "a SUBACK grants a QoS that was not asked for"); // [MQTT-3.9.3-2]
    }
    if (code === 0x80) refused = i;
  }
  return refused;
}

/** Where the payload of a PUBLISH begins. Throws unless it is at QoS 0 with a valid topic name. */
export function publishPayloadStart(flags: number, body: Uint8Array): number {
  // A server never sends above the QoS that was subscribed; DUP is 0 at QoS 0 ([MQTT-3.3.1-2]); RETAIN may be set.
  if ((flags & 0b1110) !== 0) throw new MqttError("unexpected", "a PUBLISH came at a QoS above 0");
  const start = 2 + (body[0]! << 8) + body[1]!;
  if (!(start <= body.length) || start === 2) {
    throw new MqttError("malformed", "a PUBLISH has no topic name, or less of it than it says");
  }
  return start;
}

/** The topic name of a PUBLISH whose payload starts at `payloadStart`. */
export function publishTopic(body: Uint8Array, payloadStart: number): string {
  const topic = readUtf8(body, 2, payloadStart);
  if (topic === undefined) throw new MqttError("malformed", "a topic name is not UTF-8"); // [MQTT-1.5.3-1]
  // [MQTT-1.5.3-2], [MQTT-3.3.2-2]
  if (topic.includes("\u0000") || topic.includes("+") || topic.includes("#")) {
    throw new MqttError("malformed", "a topic name has a wildcard or a null character in it");
  }
  return topic;
}

/** 3.13 */
export function readPingresp(flags: number, body: Uint8Array): void {
  expectFlags(flags, PacketType.pingresp);
  if (body.length !== 0) throw new MqttError("malformed", "a PINGRESP has a body");
}

/** [MQTT-2.2.2-2] */
function expectFlags(flags: number, type: number): void {
  if (flags !== 0) throw new MqttError("malformed", `a packet of type ${type} has reserved flags set`);
}

function textLength(text: string): number {
  const length = utf8Length(text);
  if (length < 0 || length > 0xffff) {
    throw new MqttError("malformed", "a text is longer than 65,535 bytes or not Unicode");
  }
  return length;
}
