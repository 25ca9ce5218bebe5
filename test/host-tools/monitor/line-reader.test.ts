/** Bytes of a serial port as lines, however they come. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineReader, type Piece } from "../../../host-tools/monitor/line-reader.ts";
import { encodePacket } from "../../../protocols/improv/packets.ts";
import { decode } from "./decoded.ts";

describe("lines", () => {
  test.each([
    ["LF", "a\nb\n", ["a", "b"]],
    ["CR LF", "a\r\n\r\nb\r\n", ["a", "", "b"]],
    ["CR CR LF", "a\r\r\nb\r\r\n", ["a", "b"]],
    ["CR alone, as a progress line", "10 %\r20 %\r\n", ["10 %", "20 %"]],
    ["colours", "\x1b[0;32mI (310) wifi: up\x1b[0m\n", ["I (310) wifi: up"]],
    ["a cursor that is moved, a title that is set, a bell", "\x1b[2J\x1b]0;x\x07\n", ["\\x1b]0;x\\x07"]],
    ["UTF-8", "22.5 °C, 水\n", ["22.5 °C, 水"]],
  ])("%s", (_what, said, expected) => {
    expect(lines(Buffer.from(said))).toEqual(expected);
  });

  test("bytes that are no text stand escaped; C1 controls and half a character too", () => {
    expect(lines(Uint8Array.of(0x61, 0x80, 0xc2, 0x9b, 0xe6, 0xb0, 0x0a))).toEqual([
      "a\\x80\\xc2\\x9b\\xe6\\xb0",
    ]);
  });

  test("are the same in whatever pieces they come", () => {
    const bytes = Buffer.from("a\r\nIMPROV 1\r\n\x1b[31m°\x1b[0m\rb\n");
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        expect(lines(bytes, cuts)).toEqual(lines(bytes));
      }),
    );
  });

  test("a line without an end is cut, and what has begun can be had", () => {
    const reader = new LineReader();
    const pieces = reader.read(Buffer.alloc(5000, 0x61));
    expect(pieces.map((piece) => piece.kind === "line" && piece.text.length)).toEqual([2048, 2048]);
    expect(reader.rest()).toMatchObject([{ kind: "line", text: "a".repeat(5000 - 4096) }]);
    expect(reader.rest()).toEqual([]);
  });
});

describe("Improv packets", () => {
  test("are a line of their own, between lines and in the middle of one", () => {
    const { events } = decode(
      Buffer.concat([Buffer.from("info: a\nhal"), improv(1, [2]), Buffer.from("\nf\n")]),
    );
    expect(events).toMatchObject([
      { kind: "line", text: "a" },
      { kind: "line", text: "hal" },
      { kind: "improv", text: "Improv: ready for Wi-Fi credentials" },
      { kind: "line", text: "f" },
    ]);
  });

  test("do not show what they carry", () => {
    const secret = [...Buffer.from("\x03wifi\x08password")];
    const { events } = decode(improv(3, [1, secret.length, ...secret]));
    expect(events).toEqual([{ kind: "improv", text: "Improv: asked to take Wi-Fi credentials" }]);
  });

  test("with a wrong sum are shown as what they are", () => {
    const packet = improv(1, [2]);
    packet[packet.length - 1]! ^= 1;
    const { events } = decode(Buffer.concat([packet, Buffer.from("\n")]));
    expect(events).toMatchObject([
      { kind: "line", text: expect.stringMatching(/^IMPROV\\x01\\x01\\x01\\x02/) },
    ]);
  });
});

describe("noise", () => {
  test("of another rate is told once and then kept quiet, until lines come again", () => {
    const noise = Uint8Array.from({ length: 900 }, (_, i) => (i * 151 + (i >> 3) * 37) & 0xff);
    const { events } = decode(Buffer.concat([noise, Buffer.from("\r\ninfo: here I am again\r\n")]));
    const told = events.filter(({ kind }) => kind === "noise");
    expect(told).toMatchObject([{ text: expect.stringMatching(/noise at 115200 bit\/s.*--baud 460800/) }]);
    expect(events.at(-1)).toMatchObject({ kind: "line", text: "here I am again" });
    expect(events.length).toBeLessThan(30);
  });

  test("is not a line with an odd byte now and then", () => {
    const said = Array.from({ length: 50 }, (_, i) => `info: line ${i} \x00\xff\n`).join("");
    expect(decode(said).events.filter(({ kind }) => kind === "noise")).toEqual([]);
  });
});

function lines(bytes: Uint8Array, cuts: readonly number[] = []): string[] {
  const reader = new LineReader();
  const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  const pieces: Piece[] = at.slice(1).flatMap((end, i) => reader.read(bytes.subarray(at[i], end)));
  return [...pieces, ...reader.rest()].flatMap((piece) => (piece.kind === "line" ? [piece.text] : []));
}

function improv(type: number, data: readonly number[]): Buffer {
  // Without the line feed that our own end adds.
  return Buffer.from(encodePacket(type, Uint8Array.from(data)).slice(0, -1));
}
