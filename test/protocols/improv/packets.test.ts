import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodePacket, PacketReader, PacketType, packetLimits } from "../../../protocols/improv/packets.ts";

interface Seen {
  readonly packets: [number, number[]][];
  readonly other: number[];
}

function read(pieces: readonly Uint8Array[]): Seen {
  const seen: Seen = { packets: [], other: [] };
  const reader = new PacketReader({
    onPacket: (type, data) => seen.packets.push([type, [...data]]),
    onOther: (bytes) => seen.other.push(...bytes),
  });
  for (const piece of pieces) reader.push(piece);
  reader.abandon();
  expect(reader.isHolding).toBe(false);
  return seen;
}

function inPieces(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = lengths.length === 0 ? bytes.length : lengths[i % lengths.length]!;
    pieces.push(bytes.slice(at, at + length));
    at += length;
  }
  return pieces;
}

const packet = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 255 }));
/** As a console writes; a capital I begins many a word of it. */
const log = fc.string({
  unit: fc.constantFrom("I", "M", "P", "R", "O", "V", " ", "\n", "a", "\u0001"),
  maxLength: 40,
});
const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

describe("a packet", () => {
  test("is that of the specification, with a line feed after it", () => {
    // Request current state: command 2, no data; the sum is that of all bytes before it.
    const bytes = encodePacket(PacketType.command, Uint8Array.of(2, 0));
    expect([...bytes]).toEqual([0x49, 0x4d, 0x50, 0x52, 0x4f, 0x56, 1, 3, 2, 2, 0, 0xe5, 10]);
  });

  test("holds 255 bytes at most", () => {
    expect(encodePacket(4, new Uint8Array(255))).toHaveLength(packetLimits.bytesMax);
    expect(() => encodePacket(4, new Uint8Array(256))).toThrow(RangeError);
  });

  test("is read without the line feed too, and a line feed after that is a new packet's affair", () => {
    const bytes = encodePacket(1, Uint8Array.of(2)).slice(0, -1);
    expect(read([bytes, bytes])).toEqual({
      packets: [
        [1, [2]],
        [1, [2]],
      ],
      other: [],
    });
  });
});

describe("the reader", () => {
  test("finds packets among the log and passes the log on untouched, however the bytes come", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(log, packet), { maxLength: 5 }), log, lengths, (parts, end, pieces) => {
        const bytes = Buffer.concat([
          ...parts.flatMap(([text, [type, data]]) => [Buffer.from(text, "latin1"), encodePacket(type, data)]),
          Buffer.from(end, "latin1"),
        ]);
        const expected = {
          packets: parts.map(([, [type, data]]) => [type, [...data]]),
          other: [...Buffer.from(parts.map(([text]) => text).join("") + end, "latin1")],
        };
        expect(read(inPieces(bytes, pieces))).toEqual(expected);
      }),
    );
  });

  test("passes on all that is no packet, whatever it is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), lengths, (bytes, pieces) => {
        const { packets, other } = read(inPieces(bytes, pieces));
        if (packets.length === 0) expect(other).toEqual([...bytes]);
      }),
    );
  });

  test.each(["lost", "doubled", "turned"])("misses no packet after one of which a byte was %s", (kind) => {
    const first = encodePacket(
      3,
      Uint8Array.from({ length: 40 }, (_, i) => i * 5),
    );
    const second = encodePacket(1, Uint8Array.of(4));
    let unnoticed = 0;
    for (let at = 0; at < first.length - 1; at++) {
      const byte = first[at]!;
      const instead = kind === "lost" ? [] : kind === "doubled" ? [byte, byte] : [byte ^ 0x10];
      const bytes = Uint8Array.from([
        ...first.slice(0, at),
        ...instead,
        ...first.slice(at + 1),
        ...second,
        ...second,
      ]);
      const { packets } = read([bytes]);
      if (packets.length === 3) unnoticed++;
      expect(packets.slice(-2)).toEqual([
        [1, [4]],
        [1, [4]],
      ]);
    }
    // A first byte that is doubled does no harm, and a sum of eight bits misses one damage in 256 or so.
    expect(unnoticed).toBeLessThanOrEqual(3);
  });

  test("does not wait for ever for a packet that announces more than comes", () => {
    const torn = encodePacket(3, new Uint8Array(200)).slice(0, 50);
    expect(read([torn]).other).toEqual([...torn]);
  });

  test("bears thousands of headers in a row", () => {
    const header = Uint8Array.of(0x49, 0x4d, 0x50, 0x52, 0x4f, 0x56, 1, 3, 255);
    const bytes = Buffer.concat(Array.from({ length: 5000 }, () => header));
    const startedMs = performance.now();
    const { other } = read(inPieces(bytes, [64]));
    expect(other).toHaveLength(bytes.length);
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });
});
