import fc from "fast-check";
import { generate, type Packet, parser } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { MqttError } from "../../../protocols/mqtt/error.ts";
import { PacketReader } from "../../../protocols/mqtt/packet-reader.ts";
import {
  PacketWriter,
  publishPayloadStart,
  publishTopic,
  readConnack,
  readSuback,
} from "../../../protocols/mqtt/packets.ts";

const writer = new PacketWriter(100_000);
const topics = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
  .filter((topic) => !/[+#\0]/.test(topic) && topic.isWellFormed());
const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 100, maxLength: 20_000 }),
);

/** What mqtt-packet reads in `bytes`, which must be one packet. */
function libraryParse(bytes: Uint8Array): Packet {
  const packets: Packet[] = [];
  const library = parser({ protocolVersion: 4 });
  library.on("packet", (packet) => packets.push(packet));
  library.on("error", (error) => {
    throw error;
  });
  expect(library.parse(Buffer.from(bytes))).toBe(0);
  expect(packets).toHaveLength(1);
  return packets[0]!;
}

function same(bytes: Uint8Array, packet: Packet): void {
  expect(Buffer.from(bytes).toString("hex")).toBe(generate(packet).toString("hex"));
}

describe("packets are byte for byte those of mqtt-packet", () => {
  test("CONNECT with a will, a user name and a password", () => {
    fc.assert(
      fc.property(
        topics,
        fc.integer({ min: 0, max: 65535 }),
        topics,
        fc.uint8Array({ maxLength: 300 }),
        topics,
        fc.uint8Array({ maxLength: 600 }),
        (clientId, keepaliveSeconds, topic, payload, userName, password) => {
          const will = { topic, payload };
          const bytes = writer.connect({ clientId, keepaliveSeconds, will, userName, password });
          same(bytes, {
            cmd: "connect",
            protocolId: "MQTT",
            protocolVersion: 4,
            clean: true,
            clientId,
            keepalive: keepaliveSeconds,
            will: { topic, payload: Buffer.from(payload), qos: 0, retain: false },
            username: userName,
            password: Buffer.from(password),
          });
          expect(libraryParse(bytes)).toMatchObject({
            clientId,
            keepalive: keepaliveSeconds,
            will: { topic },
            username: userName,
          });
        },
      ),
    );
  });

  test("PUBLISH", () => {
    fc.assert(
      fc.property(topics, payloads, (topic, payload) => {
        const bytes = writer.publish(topic, payload);
        same(bytes, {
          cmd: "publish",
          topic,
          payload: Buffer.from(payload),
          qos: 0,
          dup: false,
          retain: false,
        });
        const read = libraryParse(bytes);
        expect(read).toMatchObject({ cmd: "publish", topic, qos: 0 });
        expect(read.cmd === "publish" && Uint8Array.from(read.payload as Buffer)).toEqual(payload);
      }),
    );
  });

  test("SUBSCRIBE, PINGREQ, DISCONNECT", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65535 }),
        fc.array(topics, { minLength: 1, maxLength: 3 }),
        (messageId, filters) => {
          const bytes = writer.subscribe(messageId, filters);
          const subscriptions = filters.map((topic) => ({ topic, qos: 0 as const }));
          same(bytes, { cmd: "subscribe", messageId, subscriptions });
          expect(libraryParse(bytes)).toMatchObject({ messageId, subscriptions });
        },
      ),
    );
    same(writer.pingreq(), { cmd: "pingreq" });
    same(writer.disconnect(), { cmd: "disconnect" });
  });
});

describe("the reader", () => {
  const serverPackets: fc.Arbitrary<Packet> = fc.oneof(
    fc
      .integer({ min: 0, max: 5 })
      .map((returnCode): Packet => ({ cmd: "connack", returnCode, sessionPresent: false })),
    fc.tuple(topics, payloads, fc.boolean()).map(
      ([topic, payload, retain]): Packet => ({
        cmd: "publish",
        topic,
        payload: Buffer.from(payload),
        qos: 0,
        dup: false,
        retain,
      }),
    ),
    fc
      .tuple(
        fc.integer({ min: 1, max: 65535 }),
        fc.array(fc.constantFrom(0, 0x80), { minLength: 1, maxLength: 3 }),
      )
      .map(([messageId, granted]): Packet => ({ cmd: "suback", messageId, granted })),
    fc.constant<Packet>({ cmd: "pingresp" }),
  );

  test("reads what mqtt-packet writes, in pieces of any size", () => {
    fc.assert(
      fc.property(
        fc.array(serverPackets, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 40 }),
        (packets, pieces) => {
          const read: unknown[] = [];
          const reader = new PacketReader(100_000, {
            onPacket(header, body) {
              read.push(understood(header, body, packets[read.length]!));
            },
          });
          const stream = Buffer.concat(packets.map((packet) => generate(packet)));
          for (let at = 0, i = 0; at < stream.length; i++) {
            const piece = pieces[i % pieces.length]!;
            reader.push(Uint8Array.from(stream.subarray(at, at + piece)));
            at += piece;
          }
          expect(read).toEqual(packets.map(expected));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("reads a stream that comes byte by byte", () => {
    const bodies: number[] = [];
    const reader = new PacketReader(1000, { onPacket: (_, body) => bodies.push(body.length) });
    for (const byte of [...writer.publish("a", new Uint8Array(200)), ...writer.pingreq()]) {
      reader.push(Uint8Array.of(byte));
    }
    expect(bodies).toEqual([203, 0]);
  });

  test("refuses a packet beyond its limit before it has arrived", () => {
    const reader = new PacketReader(1000, { onPacket() {} });
    expect(() => reader.push(Uint8Array.of(0x30, 0xe9, 0x07))).toThrow(MqttError);
  });

  test("refuses a remaining length of five bytes", () => {
    const reader = new PacketReader(0xfff_ffff, { onPacket() {} });
    expect(() => reader.push(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01))).toThrow(/four bytes/);
  });

  function expected(packet: Packet): unknown {
    switch (packet.cmd) {
      case "connack":
        return packet.returnCode;
      case "suback":
        return packet.granted.indexOf(0x80);
      case "publish":
        return [packet.topic, Uint8Array.from(packet.payload as Buffer)];
      default:
        return packet.cmd;
    }
  }

  function understood(header: number, body: Uint8Array, packet: Packet): unknown {
    switch (header >> 4) {
      case 2:
        return readConnack(header & 15, body);
      case 9:
        return readSuback(
          header & 15,
          body,
          packet.messageId!,
          packet.cmd === "suback" ? packet.granted.length : 0,
        );
      case 3: {
        const start = publishPayloadStart(header & 15, body);
        return [publishTopic(body, start), body.slice(start)];
      }
      default:
        return header === 0xd0 && body.length === 0 ? "pingresp" : header;
    }
  }
});

describe("packets of the server are refused", () => {
  test.each<[string, () => unknown]>([
    ["[MQTT-2.2.2-2] reserved flags", () => readConnack(1, Uint8Array.of(0, 0))],
    ["[MQTT-3.2.2-1] a session that was not asked for", () => readConnack(0, Uint8Array.of(1, 0))],
    ["a CONNACK too long", () => readConnack(0, Uint8Array.of(0, 0, 0))],
    ["[MQTT-3.8.4-2] a SUBACK for another packet", () => readSuback(0, Uint8Array.of(0, 2, 0), 1, 1)],
    ["[MQTT-3.9.3-2] a SUBACK with a reserved code", () => readSuback(0, Uint8Array.of(0, 1, 3), 1, 1)],
    ["[MQTT-3.9.3-1] a SUBACK with too few codes", () => readSuback(0, Uint8Array.of(0, 1, 0), 1, 2)],
    ["[MQTT-3.9.3-1] a SUBACK with too many codes", () => readSuback(0, Uint8Array.of(0, 1, 0, 0), 1, 1)],
    ["[MQTT-3.3.1-2] a duplicate at QoS 0", () => publishPayloadStart(8, Uint8Array.of(0, 1, 97))],
    ["a PUBLISH at QoS 1", () => publishPayloadStart(2, Uint8Array.of(0, 1, 97, 0, 1))],
    ["a PUBLISH with no body", () => publishPayloadStart(0, Uint8Array.of())],
    ["a PUBLISH with less topic than it says", () => publishPayloadStart(0, Uint8Array.of(0, 2, 97))],
    ["[MQTT-3.3.2-2] a wildcard in a topic name", () => publishTopic(Uint8Array.of(0, 1, 0x23), 3)],
    ["[MQTT-1.5.3-2] a null character", () => publishTopic(Uint8Array.of(0, 1, 0), 3)],
    ["[MQTT-1.5.3-1] a topic that is not UTF-8", () => publishTopic(Uint8Array.of(0, 1, 0xff), 3)],
  ])("%s", (_, read) => {
    expect(read).toThrow(MqttError);
  });
});
