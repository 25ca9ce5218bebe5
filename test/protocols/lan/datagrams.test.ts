import { describe, expect, test } from "vitest";
import {
  DatagramKind,
  datagramBytesMax,
  decodeAnnouncement,
  decodeFirst,
  encodeAnnouncement,
  encodeFirst,
  encodeTagged,
  kindOf,
  tagEnd,
  tagOf,
} from "../../../protocols/lan/datagrams.ts";

const announcement = { isAsking: true, swarm: "greenhouse", name: "north-1" };
const first = {
  ...{ tag: 0xfedcba98, swarm: "greenhouse", from: "north-1", to: "south-1" },
  frame: new Uint8Array(40).fill(1),
};

describe("announcements", () => {
  test.each([true, false])("are read as they were written (asking: %s)", (isAsking) => {
    const bytes = encodeAnnouncement({ ...announcement, isAsking });
    expect(decodeAnnouncement(bytes)).toEqual({ ...announcement, isAsking });
    expect(kindOf(bytes)).toBe(isAsking ? DatagramKind.asking : DatagramKind.here);
  });

  test("have these bytes", () => {
    expect(Buffer.from(encodeAnnouncement({ isAsking: false, swarm: "a", name: "b" })).toString("hex")).toBe(
      "1061616162",
    );
  });

  test.each([
    ["cut short", (bytes: Uint8Array) => bytes.slice(0, -1)],
    ["with more behind", (bytes: Uint8Array) => Uint8Array.of(...bytes, 0)],
    ["of another version", (bytes: Uint8Array) => bytes.map((each, i) => (i === 0 ? each + 0x10 : each))],
    ["of another kind", (bytes: Uint8Array) => bytes.map((each, i) => (i === 0 ? 0x12 : each))],
    ["with a number for a name", (bytes: Uint8Array) => Uint8Array.of(...bytes.slice(0, 12), 7)],
    ["without a name", (bytes: Uint8Array) => Uint8Array.of(...bytes.slice(0, 12), 0x60)],
  ])("are garbage %s", (_, change) => {
    expect(decodeAnnouncement(change(encodeAnnouncement(announcement)))).toBeUndefined();
  });
});

describe("first messages", () => {
  test("are read as they were written", () => {
    expect(decodeFirst(encodeFirst(first))).toEqual(first);
  });

  test("are garbage without a frame, and cut short anywhere before it", () => {
    const bytes = encodeFirst(first);
    const frameAt = bytes.length - first.frame.length;
    for (let length = 0; length <= frameAt; length++)
      expect(decodeFirst(bytes.slice(0, length))).toBeUndefined();
  });

  test("are garbage where a name is longer than names are", () => {
    expect(decodeFirst(encodeFirst({ ...first, from: "x".repeat(49) }))).toBeUndefined();
  });
});

test.each([DatagramKind.handshake, DatagramKind.record])(
  "a datagram of kind %i has its tag and its body",
  (kind) => {
    const bytes = encodeTagged(kind, 0x80000001, Uint8Array.of(9));
    expect(kindOf(bytes)).toBe(kind);
    expect(tagOf(bytes)).toBe(0x80000001);
    expect(bytes.subarray(tagEnd)).toEqual(Uint8Array.of(9));
    expect(kindOf(bytes.subarray(0, tagEnd))).toBe(-1);
  },
);

test("what is too long, or empty, or of a kind to come is of no kind", () => {
  expect(kindOf(new Uint8Array(datagramBytesMax + 1).fill(0x14))).toBe(-1);
  expect(kindOf(new Uint8Array(datagramBytesMax).fill(0x14))).toBe(DatagramKind.record);
  expect(kindOf(new Uint8Array(0))).toBe(-1);
  expect(kindOf(new Uint8Array(9).fill(0x15))).toBe(-1);
});
