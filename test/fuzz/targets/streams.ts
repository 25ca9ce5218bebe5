/** What comes as a stream or a packet: MQTT at a board, frames between hosts, SNTP. */
import { FrameReader, FrameTooLong, frameOf } from "../../../host-tools/leader/hosts/frame-reader.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { decodeMdnsAnswer, MdnsError } from "../../../protocols/mdns/message.ts";
import { coveyService, hostsInAnswer } from "../../../protocols/mdns/service.ts";
import { MqttError } from "../../../protocols/mqtt/error.ts";
import { PacketReader } from "../../../protocols/mqtt/packet-reader.ts";
import {
  publishPayloadStart,
  publishTopic,
  readConnack,
  readPingresp,
  readSuback,
} from "../../../protocols/mqtt/packets.ts";
import { MqttSession } from "../../../protocols/mqtt/session.ts";
import { decodeSntpAnswer, SntpError } from "../../../protocols/time/sntp.ts";
import { hostRecords, writeAnswer } from "../../protocols/mdns/dns-writer.ts";
import type { Target } from "../target.ts";

const publish = Uint8Array.of(0x30, 0x07, 0x00, 0x03, 0x61, 0x2f, 0x62, 0x01, 0x02);
const connack = Uint8Array.of(0x20, 0x02, 0x00, 0x00);
const suback = Uint8Array.of(0x90, 0x03, 0x00, 0x01, 0x00);
const pingresp = Uint8Array.of(0xd0, 0x00);
const long = Uint8Array.of(0x30, 0x80, 0x02, 0x00, 0x01, 0x61, ...new Uint8Array(253));

const packets = "protocols/mqtt/packets.ts";
const cookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const hostFrameBytesMax = 65_536;

export const streamTargets: readonly Target[] = [
  {
    name: "MQTT packets in pieces",
    covers: [
      "protocols/mqtt/packet-reader.ts PacketReader",
      ...["readConnack", "readSuback", "readPingresp", "publishPayloadStart", "publishTopic"].map(
        (name) => `${packets} ${name}`,
      ),
    ],
    seeds: [connack, suback, pingresp, publish, long, new Uint8Array([...connack, ...suback, ...publish])],
    errors: [MqttError],
    decode: (bytes) => {
      const seen: unknown[] = [];
      const reader = new PacketReader(4096, {
        onPacket: (header, body) => void seen.push(readPacket(header, body)),
      });
      inPieces(bytes, (piece) => reader.push(piece));
      return seen;
    },
  },
  {
    name: "MQTT session of a board",
    covers: [],
    seeds: [connack, publish, new Uint8Array([...connack, ...suback, ...publish, ...pingresp])],
    errors: [],
    decode: (bytes) => {
      const seen: unknown[] = [];
      const session = new MqttSession(
        {
          clientId: "north-1",
          keepaliveSeconds: 15,
          will: { topic: "t/gone", payload: new Uint8Array(3) },
          userName: "north-1",
          password: new Uint8Array(250),
          filters: ["t/down/north-1/#"],
          packetBytesMax: 4096,
          answerTimeoutMs: 5000,
        },
        {
          send: () => true,
          onReady: () => void seen.push("ready"),
          onMessage: (topic, payload) => void seen.push([topic, payload.length]),
          onFailure: (error) => void seen.push(error.fault),
        },
      );
      session.open(0);
      inPieces(bytes, (piece) => session.receive(piece, 1));
      session.tick(20_000);
      return seen;
    },
  },
  {
    name: "frames between hosts",
    covers: ["host-tools/leader/hosts/frame-reader.ts FrameReader"],
    seeds: [frameOf(encodeCbor([0, 1])), new Uint8Array([...frameOf(new Uint8Array(5)), 0, 0, 0])],
    errors: [FrameTooLong],
    decode: (bytes) => {
      const seen: unknown[] = [];
      const reader = new FrameReader(hostFrameBytesMax, (payload) => void seen.push(payload));
      inPieces(bytes, (piece) => reader.push(Buffer.from(piece)));
      return seen;
    },
  },
  {
    name: "SNTP answer",
    covers: ["protocols/time/sntp.ts decodeSntpAnswer"],
    seeds: [sntpAnswer()],
    errors: [SntpError],
    decode: (bytes) => decodeSntpAnswer(bytes, cookie),
  },
  {
    name: "mDNS answer",
    covers: ["protocols/mdns/message.ts decodeMdnsAnswer", "protocols/mdns/service.ts hostsInAnswer"],
    seeds: [false, true].map((isCompressed) => {
      const records = hostRecords("greenhouse", "main", [192, 0, 2, 7], 7883);
      return writeAnswer(7, coveyService, records, isCompressed);
    }),
    errors: [MdnsError],
    decode: (bytes) => {
      const answer = decodeMdnsAnswer(bytes);
      return [answer, hostsInAnswer(answer, "greenhouse")];
    },
  },
];

/** As a board's session reads them. */
function readPacket(header: number, body: Uint8Array): unknown {
  const flags = header & 0x0f;
  switch (header >> 4) {
    case 2:
      return readConnack(flags, body);
    case 9:
      return readSuback(flags, body, 1, 1);
    case 13:
      return readPingresp(flags, body);
    case 3: {
      const start = publishPayloadStart(flags, body);
      return [publishTopic(body, start), body.subarray(start)];
    }
    default:
      return undefined;
  }
}

/** Of lengths that follow from the bytes themselves, so that an input says all of a run. */
function inPieces(bytes: Uint8Array, push: (piece: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + ((bytes[at]! * 7 + at) % 23);
    push(bytes.slice(at, at + length));
    at += length;
  }
}

function sntpAnswer(): Uint8Array {
  const packet = new Uint8Array(48);
  packet[0] = 0x24;
  packet[1] = 2;
  packet.set(cookie, 24);
  packet.set([0xea, 0, 0, 0, 0, 0, 0, 1], 32);
  packet.set([0xea, 0, 0, 0, 0, 0, 0, 9], 40);
  return packet;
}
