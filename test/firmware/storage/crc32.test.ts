import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "../../../firmware/storage/crc32.ts";

test("the CRC is that of zlib, whole or in parts", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, at) => {
      const split = Math.min(at, bytes.length);
      expect(crc32(bytes, 0, bytes.length)).toBe(zlibCrc32(bytes));
      expect(crc32(bytes, split, bytes.length, crc32(bytes, 0, split))).toBe(zlibCrc32(bytes));
    }),
  );
});
