/** Against what ESP-IDF's own generator makes, byte for byte; idf-vectors.json says how. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  decryptNvs,
  encryptNvs,
  keysPartitionBytes,
  readNvsKeys,
  writeNvsKeys,
} from "../../../../host-tools/images/nvs/encryption.ts";
import type { NvsItem } from "../../../../host-tools/images/nvs/format.ts";
import { readNvs } from "../../../../host-tools/images/nvs/read.ts";
import { writeNvs } from "../../../../host-tools/images/nvs/write.ts";
import vectors from "./idf-vectors.json" with { type: "json" };

const items: NvsItem[] = [
  { namespace: "covey", key: "u8", type: "u8", value: 200n },
  { namespace: "covey", key: "i8", type: "i8", value: -100n },
  { namespace: "covey", key: "u16", type: "u16", value: 60_000n },
  { namespace: "covey", key: "i16", type: "i16", value: -30_000n },
  { namespace: "covey", key: "u32", type: "u32", value: 4_000_000_000n },
  { namespace: "covey", key: "i32", type: "i32", value: -2_000_000_000n },
  { namespace: "covey", key: "u64", type: "u64", value: 18_000_000_000_000_000_000n },
  { namespace: "covey", key: "i64", type: "i64", value: -9_000_000_000_000_000_000n },
  { namespace: "covey", key: "text", type: "text", value: "A board on a wall can always be mended." },
  { namespace: "second", key: "blob", type: "blob", value: Uint8Array.from({ length: 34 }, (_, i) => i) },
];

/** Of a vector, filled with 0xFF. */
function partition(hex: string, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes).fill(0xff);
  bytes.set(Buffer.from(hex, "hex"));
  return bytes;
}

const keys = readNvsKeys(partition(vectors.keys, keysPartitionBytes));

describe("ESP-IDF's generator and this one", () => {
  test("make the same of every type", () => {
    expect(writeNvs(items, 0x3000)).toEqual(partition(vectors.plain, 0x3000));
    expect(readNvs(partition(vectors.plain, 0x3000))).toEqual(items);
  });

  const long: NvsItem[] = [
    { namespace: "long", key: "count", type: "u32", value: 7n },
    {
      namespace: "long",
      key: "blob",
      type: "blob",
      value: Uint8Array.from({ length: 5000 }, (_, i) => i * 7 + (i >> 8)),
    },
    { namespace: "long", key: "after", type: "text", value: "behind the blob" },
  ];
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

  test("make the same of a blob over two pages, plain and encrypted", () => {
    expect(sha256(writeNvs(long, 0x4000))).toBe(vectors.long);
    expect(sha256(encryptNvs(writeNvs(long, 0x5000), keys))).toBe(vectors.longEncrypted);
  });

  test("encrypt the same", () => {
    const encrypted = partition(vectors.encrypted, 0x4000);
    expect(encryptNvs(writeNvs(items, 0x4000), keys)).toEqual(encrypted);
    expect(decryptNvs(encrypted, keys)).toEqual(writeNvs(items, 0x4000));
    expect(readNvs(encrypted, keys)).toEqual(items);
  });

  test("write the same keys partition", () => {
    expect(writeNvsKeys(keys)).toEqual(partition(vectors.keys, keysPartitionBytes));
  });
});

test("version 1 of the format, with a blob of one piece, is read too", () => {
  expect(readNvs(partition(vectors.version1, 0x3000))).toEqual(items);
});

test("reading an encrypted partition does not change it, be it a Buffer or not", () => {
  const bytes = Buffer.from(partition(vectors.encrypted, 0x4000));
  readNvs(bytes, keys);
  expect(readNvs(bytes, keys)).toEqual(items);
});
