import { randomBytes } from "node:crypto";
import { constants, deflateSync, type ZlibOptions } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { StreamInflate } from "./stream-inflate.ts";

test("whatever zlib deflates comes out again, in blocks of any size", () => {
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 5000 }))
      .map(([part, times]) => Buffer.concat(Array.from({ length: times }, () => part))),
    fc.integer({ min: 1, max: 150_000 }).map((length) => randomBytes(length)),
  );
  const settings: fc.Arbitrary<ZlibOptions> = fc.record({
    level: fc.integer({ min: 0, max: 9 }),
    strategy: fc.constantFrom(
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_FIXED,
      constants.Z_HUFFMAN_ONLY,
      constants.Z_RLE,
    ),
  });
  fc.assert(
    fc.property(data, settings, fc.integer({ min: 1, max: 20_000 }), (plain, options, blockBytes) => {
      const { out, done } = inflated(deflateSync(plain, options), blockBytes);
      expect(done).toBe(true);
      expect(Buffer.compare(out, plain)).toBe(0);
    }),
    { numRuns: 150 },
  );
});

test("a stream with another sum, a turned bit or no end is told from a sound one", () => {
  const plain = Buffer.from("a swarm of boards ".repeat(200));
  const sound = deflateSync(plain);
  const wrongSum = Buffer.from(sound);
  wrongSum[sound.length - 1]! ^= 1;
  expect(new StreamInflate().push(wrongSum)).toEqual({ error: "adler32" });
  expect(new StreamInflate().push(Buffer.from([0x79, 0x9c, 0]))).toEqual({ error: "deflate" });
  expect(new StreamInflate().push(Buffer.from([0x78, 0x9c, 0x07]))).toEqual({ error: "deflate" });
  expect(inflated(sound.subarray(0, -1), 7).done).toBe(false);
  expect(inflated(Buffer.concat([sound, Buffer.alloc(40, 0xff)]), 16).out.equals(plain)).toBe(true);
});

test("a turned bit is never taken for sound data", () => {
  const plain = Buffer.from(randomBytes(300).toString("hex"));
  const sound = deflateSync(plain);
  fc.assert(
    fc.property(fc.nat(sound.length * 8 - 1), fc.integer({ min: 1, max: 400 }), (bit, blockBytes) => {
      const turned = Buffer.from(sound);
      turned[bit >> 3]! ^= 1 << (bit & 7);
      const { out, done } = inflated(turned, blockBytes);
      // Some bits say nothing: those that fill up the last byte before the sum.
      expect(done && !out.equals(plain)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

function inflated(stream: Uint8Array, blockBytes: number): { out: Buffer; done: boolean } {
  const inflate = new StreamInflate();
  const pieces: Uint8Array[] = [];
  let done = false;
  for (let at = 0; at < stream.length; at += blockBytes) {
    const result = inflate.push(stream.subarray(at, at + blockBytes));
    if ("error" in result) return { out: Buffer.concat(pieces), done: false };
    pieces.push(...result.pieces);
    done = result.done;
  }
  return { out: Buffer.concat(pieces), done };
}
