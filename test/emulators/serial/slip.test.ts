import fc from "fast-check";
import { expect, test } from "vitest";
import { SlipReader, slipFrame } from "./slip.ts";

test("packets come out as they went in, however the stream is cut", () => {
  const packet = fc.uint8Array({ minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(fc.array(packet), fc.integer({ min: 1, max: 40 }), (packets, pieceBytes) => {
      const stream = Buffer.concat(packets.map(slipFrame));
      const reader = new SlipReader(60);
      const read: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += pieceBytes)
        read.push(...reader.read(stream.subarray(at, at + pieceBytes)));
      expect(read).toEqual(packets);
    }),
  );
});

test("what is no frame is passed over: text, empty frames, a wrong escape, a packet over the buffer", () => {
  const reader = new SlipReader(4);
  expect(reader.read(Buffer.from("ets Jul 29 2019"))).toEqual([]);
  expect(reader.read(Uint8Array.of(0xc0, 0xc0, 1, 0xc0))).toEqual([Uint8Array.of(1)]);
  expect(reader.read(Uint8Array.of(0xc0, 1, 0xdb, 1, 2, 0xc0, 3, 0xc0))).toEqual([Uint8Array.of(3)]);
  expect(reader.read(Uint8Array.of(0xc0, 1, 2, 3, 4, 5, 0xc0, 6, 0xc0))).toEqual([Uint8Array.of(6)]);
  expect(reader.read(Uint8Array.of(0xc0, 0xdb, 0xdc, 0xdb, 0xdd, 0xc0))).toEqual([Uint8Array.of(0xc0, 0xdb)]);
});

test("the stub's receiver is put out of step by one lost end, and back by one too many", () => {
  const reader = new SlipReader(4, true);
  expect(reader.read(Uint8Array.of(0xc0, 1))).toEqual([]);
  expect(reader.read(Uint8Array.of(0xc0, 2, 0xc0))).toEqual([Uint8Array.of(1)]);
  expect(reader.read(Uint8Array.of(0xc0, 3, 0xc0, 0xc0, 4, 0xc0))).toEqual([]);
  expect(reader.read(Uint8Array.of(0xc0))).toEqual([]);
  expect(reader.read(Uint8Array.of(0xc0, 5, 0xc0))).toEqual([Uint8Array.of(5)]);
});
