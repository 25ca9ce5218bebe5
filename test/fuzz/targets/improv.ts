/** Improv: whatever comes over a cable or by radio, at either end. */
import { CommandAssembler, decodeServiceData, withoutSum, withSum } from "../../../protocols/improv/ble.ts";
import { ImprovClient } from "../../../protocols/improv/client.ts";
import {
  encodePiece,
  GiftAssembler,
  giftFromBytes,
  giftLimits,
  giftToBytes,
} from "../../../protocols/improv/gift.ts";
import { encodePacket, PacketReader, PacketType } from "../../../protocols/improv/packets.ts";
import {
  Command,
  decodeCommand,
  decodeResult,
  decodeWifi,
  encodeCommand,
  encodeResult,
  encodeWifi,
} from "../../../protocols/improv/rpc.ts";
import { ImprovService } from "../../../protocols/improv/service.ts";
import { plainBoard } from "../../protocols/improv/two-ends.ts";
import type { Target } from "../target.ts";

const wifi = encodeWifi({ ssid: "MyWirelessAP", password: "mysecurepassword" });
const sendWifi = encodeCommand(Command.sendWifi, wifi);
/** Stands in for SHA-256, or nothing but the seeds would ever be read. */
const weakHash = (bytes: Uint8Array) => new Uint8Array(8).fill(bytes.length & 1);
const gift = giftToBytes(
  {
    root: new Uint8Array(64),
    signed: new Uint8Array(20),
    privateKey: new Uint8Array(32),
    authority: undefined,
    contactKey: new Uint8Array(16),
    contact: { number: 0, wifi: { ssid: "a", password: "" }, hosts: [], timeServer: undefined },
  },
  weakHash,
);
const rpc = "protocols/improv/rpc.ts";
const ble = "protocols/improv/ble.ts";

export const improvTargets: readonly Target[] = [
  {
    name: "Improv packets among a log, and the board's answers",
    covers: ["protocols/improv/packets.ts PacketReader"],
    seeds: [
      encodePacket(PacketType.command, sendWifi),
      encodePacket(PacketType.command, encodeCommand(Command.give, encodePiece(gift, 0))),
      new Uint8Array([
        0x49,
        0x4d,
        ...encodePacket(PacketType.command, encodeCommand(Command.scan, new Uint8Array(0))),
      ]),
    ],
    errors: [],
    decode: (bytes) => {
      const seen: unknown[] = [];
      const service = new ImprovService(
        { ...plainBoard, canScan: true, canTakeGift: true },
        {
          isSerial: true,
          state: (state) => void seen.push(state),
          error: (error) => void seen.push(error),
          result: (result) => void seen.push(result),
        },
        false,
      );
      const reader = new PacketReader({
        onPacket: (type, data) => {
          if (type === PacketType.command) service.take(data, 0);
        },
        onOther: () => {},
      });
      for (let at = 0; at < bytes.length; at += 17) reader.push(bytes.slice(at, at + 17));
      reader.abandon();
      return seen.length;
    },
  },
  {
    name: "Improv answers at a computer",
    covers: [],
    seeds: [
      encodeResult(Command.deviceInfo, ["Covey", "1", "esp32", "north-1"]),
      Uint8Array.of(Command.give, 0),
    ],
    errors: [],
    decode: (bytes) => {
      const outcomes: unknown[] = [];
      for (const request of [
        { kind: "ask", command: Command.deviceInfo },
        { kind: "ask", command: Command.scan },
        { kind: "give", gift },
      ] as const) {
        const client = new ImprovClient(
          { onSend: () => {}, onState: () => {}, onOutcome: (outcome) => void outcomes.push(outcome) },
          true,
        );
        client.start(request, 0);
        client.onState(bytes[0] ?? 0, 1);
        client.onError(bytes[1] ?? 0, 2);
        client.onResult(bytes, 3);
      }
      return outcomes;
    },
  },
  {
    name: "Improv commands and results",
    covers: [...["decodeCommand", "decodeResult", "decodeWifi"].map((name) => `${rpc} ${name}`)],
    seeds: [sendWifi, encodeResult(Command.scan, ["MyWirelessAP", "-60", "YES"]), wifi],
    errors: [],
    decode: (bytes) => [decodeCommand(bytes)?.data.length, decodeResult(bytes), decodeWifi(bytes)],
  },
  {
    name: "Improv over Bluetooth",
    covers: [...["CommandAssembler", "decodeServiceData", "withoutSum"].map((name) => `${ble} ${name}`)],
    seeds: [withSum(sendWifi), Uint8Array.of(2, 7, 0, 0, 0, 0)],
    errors: [],
    decode: (bytes) => {
      const assembler = new CommandAssembler();
      const seen: unknown[] = [decodeServiceData(bytes), withoutSum(bytes)?.length];
      for (let at = 0; at < bytes.length; at += 20) seen.push(assembler.push(bytes.slice(at, at + 20)));
      return seen;
    },
  },
  {
    name: "gift to a board",
    covers: ["protocols/improv/gift.ts GiftAssembler", "protocols/improv/gift.ts giftFromBytes"],
    seeds: [gift],
    errors: [],
    decode: (bytes) => {
      const assembler = new GiftAssembler();
      const wanted: number[] = [];
      for (let at = 0; at < Math.min(bytes.length, giftLimits.bytesMax); at += 50) {
        wanted.push(assembler.push(bytes.slice(at, at + 50)));
      }
      return [wanted, assembler.takeWhole(), giftFromBytes(bytes, weakHash)];
    },
  },
];
