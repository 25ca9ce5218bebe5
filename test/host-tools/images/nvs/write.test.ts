/** What goes into a partition comes out of it, and what does not fit is named. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decryptNvs, encryptNvs } from "../../../../host-tools/images/nvs/encryption.ts";
import {
  EntryType,
  type NvsItem,
  type NvsValue,
  numberTypes,
  PageState,
  pageBytes,
} from "../../../../host-tools/images/nvs/format.ts";
import { readNvs } from "../../../../host-tools/images/nvs/read.ts";
import { NvsItemError, writeNvs } from "../../../../host-tools/images/nvs/write.ts";

const blob = (key: string, length: number, seed = 1): NvsItem => ({
  namespace: "n",
  key,
  type: "blob",
  value: Uint8Array.from({ length }, (_, i) => i * seed + (i >> 8)),
});

const text = (key: string, length: number): NvsItem => ({
  namespace: "n",
  key,
  type: "text",
  value: "x".repeat(length),
});

const numberValue = fc.constantFrom(...numberTypes).chain((type): fc.Arbitrary<NvsValue> => {
  const bits = BigInt((EntryType[type] & 0x0f) * 8);
  const [min, max] = type.startsWith("i")
    ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
    : [0n, (1n << bits) - 1n];
  return fc.bigInt({ min, max }).map((value) => ({ type, value }));
});
const value: fc.Arbitrary<NvsValue> = fc.oneof(
  numberValue,
  fc
    .string({ unit: "grapheme", maxLength: 400 })
    .filter((each) => !each.includes("\0") && new TextEncoder().encode(each).length < 4000)
    .map((each): NvsValue => ({ type: "text", value: each })),
  fc.uint8Array({ maxLength: 9000, size: "max" }).map((each): NvsValue => ({ type: "blob", value: each })),
);
const name = fc.string({ minLength: 1, maxLength: 15 }).filter((each) => !each.includes("\0"));
const anyItems = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom("wifi", "covey", "phy"), name, value)
    .map(([namespace, key, each]): NvsItem => ({ namespace, key, ...each })),
  { maxLength: 40, selector: ({ namespace, key }) => `${namespace}/${key}` },
);

/** Items that fit, or nothing. */
function written(items: readonly NvsItem[], sizeBytes: number): Uint8Array | undefined {
  try {
    return writeNvs(items, sizeBytes);
  } catch (error) {
    if (error instanceof NvsItemError) return undefined;
    throw error;
  }
}

test("whatever is written is read, plain and encrypted, in the order of writing", () => {
  let fitted = 0;
  fc.assert(
    fc.property(anyItems, fc.integer({ min: 3, max: 40 }), (items, pages) => {
      const partition = written(items, pages * pageBytes);
      if (partition === undefined) return;
      fitted++;
      expect(readNvs(partition)).toEqual(items);
      const keys = { data: new Uint8Array(32).fill(pages), tweak: new Uint8Array(32).fill(0xa5) };
      const encrypted = encryptNvs(partition, keys);
      expect(readNvs(encrypted, keys)).toEqual(items);
      expect(decryptNvs(encrypted, keys)).toEqual(partition);
    }),
    { numRuns: 150 },
  );
  expect(fitted).toBeGreaterThan(50);
});

describe("pages", () => {
  const states = (partition: Uint8Array) =>
    Array.from({ length: partition.length / pageBytes }, (_, page) =>
      new DataView(partition.buffer).getUint32(page * pageBytes, true),
    );

  test("are full, then one is active, then they are empty", () => {
    const items = Array.from({ length: 200 }, (_, i): NvsItem => {
      return { namespace: "n", key: `k${i}`, type: "u32", value: BigInt(i) };
    });
    const partition = writeNvs(items, 0x5000);
    expect(states(partition)).toEqual([
      PageState.full,
      PageState.active,
      PageState.uninitialized,
      PageState.uninitialized,
      PageState.uninitialized,
    ]);
    expect(readNvs(partition)).toEqual(items);
  });

  test("an item that does not fit behind the others begins the next page", () => {
    const items = [text("a", 2500), text("b", 2500)];
    const partition = writeNvs(items, 0x4000);
    expect(states(partition).slice(0, 2)).toEqual([PageState.full, PageState.active]);
    expect(readNvs(partition)).toEqual(items);
  });

  test("a page may be filled to its last entry", () => {
    // The namespace and an entry that heads the text, then 124 of it.
    const items = [text("a", 124 * 32 - 1)];
    const partition = writeNvs(items, 0x3000);
    expect(states(partition)[0]).toBe(PageState.active);
    expect(readNvs(partition)).toEqual(items);
  });

  test("one always stays empty", () => {
    const full = Array.from({ length: 2 * 126 - 1 }, (_, i): NvsItem => {
      return { namespace: "n", key: `k${i}`, type: "u8", value: 1n };
    });
    expect(readNvs(writeNvs(full, 0x3000))).toEqual(full);
    const more: NvsItem = { namespace: "n", key: "more", type: "u8", value: 1n };
    expect(() => writeNvs([...full, more], 0x3000)).toThrow(
      "The value n/more does not fit: 2 of 3 pages are full, and one must stay empty.",
    );
  });
});

describe("blobs", () => {
  const entryAt = (partition: Uint8Array, page: number, i: number) =>
    partition.subarray(page * pageBytes + 64 + i * 32, page * pageBytes + 96 + i * 32);

  test.for([0, 1, 31, 32, 33, 3967, 3968, 3969, 4000, 4001, 8000, 12_000, 28_000])(
    "of %i bytes",
    (length) => {
      expect(readNvs(writeNvs([blob("b", length)], 0xa000))).toEqual([blob("b", length)]);
    },
  );

  test("of no bytes are a chunk of none and an index", () => {
    const partition = writeNvs([blob("b", 0)], 0x3000);
    expect([...entryAt(partition, 0, 1).subarray(0, 4)]).toEqual([1, EntryType.blobData, 1, 0]);
    expect([...entryAt(partition, 0, 2).subarray(0, 4)]).toEqual([1, EntryType.blobIndex, 1, 0xff]);
    expect([...entryAt(partition, 0, 2).subarray(24)]).toEqual([0, 0, 0, 0, 1, 0, 0xff, 0xff]);
  });

  test("begin on a page of their own where less than 400 bytes are left, as on the chip", () => {
    const partition = writeNvs([text("a", 3600), blob("b", 500)], 0x4000);
    expect([...entryAt(partition, 1, 0).subarray(1, 4)]).toEqual([EntryType.blobData, 17, 0]);
    const early = writeNvs([text("a", 3500), blob("b", 500)], 0x4000);
    expect(entryAt(early, 1, 0)[1]).toBe(EntryType.blobData);
    expect(early[4096 + 64 + 3]).toBe(1);
    expect(readNvs(early)).toEqual([text("a", 3500), blob("b", 500)]);
  });

  test("are at most 508,000 bytes, over 127 pages", () => {
    const longest = blob("b", 508_000 - 64, 3);
    expect(readNvs(writeNvs([longest], 130 * pageBytes))).toEqual([longest]);
    expect(() => writeNvs([blob("b", 508_001)], 200 * pageBytes)).toThrow(
      "The value n/b has 508001 bytes, and a blob may have 508000.",
    );
  });
});

describe("what NVS can't hold is named", () => {
  const u8 = (namespace: string, key: string, value = 1n): NvsItem => ({ namespace, key, type: "u8", value });

  test.for<[string, NvsItem[], string]>([
    ["a long key", [u8("n", "sixteen-bytes-ab")], "has a key that is not 1 to 15 bytes"],
    ["an empty key", [u8("n", "")], "has a key that is not 1 to 15 bytes"],
    ["a long namespace", [u8("ééééééééé", "k")], "has a namespace that is not 1 to 15 bytes"],
    ["a number too large", [u8("n", "k", 256n)], "is 256, and u8 goes from 0 to 255"],
    [
      "a number too small",
      [{ ...u8("n", "k"), type: "i8", value: -129n }],
      "is -129, and i8 goes from -128 to 127",
    ],
    ["a text too long", [text("k", 4000)], "has 4001 bytes, and a text may have 4000"],
    [
      "a text with a 0",
      [{ namespace: "n", key: "k", type: "text", value: "a\0b" }],
      "holds a 0, which ends a text",
    ],
    ["a key twice", [u8("n", "k"), u8("n", "k")], "is given twice"],
    [
      "a namespace too many",
      Array.from({ length: 255 }, (_, i) => u8(`n${i}`, "k")),
      "is in one namespace too many",
    ],
  ])("%s", ([, items, problem]) => {
    expect(() => writeNvs(items, 0x10000)).toThrow(NvsItemError);
    expect(() => writeNvs(items, 0x10000)).toThrow(problem);
  });

  test("a partition too small", () => {
    expect(() => writeNvs([], 0x2000)).toThrow(RangeError);
    expect(() => writeNvs([], 0x3100)).toThrow(RangeError);
  });
});
