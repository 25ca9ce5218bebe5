/** What ESP-IDF leaves in a partition that was in use: erased values, values replaced, pages being freed, writes that a power cut ended. */
import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../host-tools/images/image-error.ts";
import {
  entryCrc,
  headerCrc,
  type NvsItem,
  PageState,
  pageBytes,
} from "../../../../host-tools/images/nvs/format.ts";
import { readNvs } from "../../../../host-tools/images/nvs/read.ts";
import { writeNvs } from "../../../../host-tools/images/nvs/write.ts";

const u32 = (key: string, value: number): NvsItem => ({
  namespace: "n",
  key,
  type: "u32",
  value: BigInt(value),
});
const text = (key: string, value: string): NvsItem => ({ namespace: "n", key, type: "text", value });
const blob = (key: string, fill: number, length: number): NvsItem => ({
  namespace: "n",
  key,
  type: "blob",
  value: new Uint8Array(length).fill(fill),
});

/** The page that holds these items, which are few. */
function pageOf(...items: NvsItem[]): Uint8Array {
  return writeNvs(items, 0x3000).slice(0, pageBytes);
}

function withHeader(page: Uint8Array, sequence: number, state: number): Uint8Array {
  const copy = page.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(0, state, true);
  view.setUint32(4, sequence, true);
  view.setUint32(28, headerCrc(copy), true);
  return copy;
}

function partitionOf(...pages: Uint8Array[]): Uint8Array {
  const partition = new Uint8Array((pages.length + 1) * pageBytes).fill(0xff);
  for (const [i, page] of pages.entries()) partition.set(page, i * pageBytes);
  return partition;
}

const entryOf = (page: Uint8Array, i: number) => page.subarray(64 + i * 32, 96 + i * 32);

function erase(page: Uint8Array, i: number): void {
  page[32 + (i >> 2)]! &= ~(3 << ((i & 3) * 2));
}

/** Changes an entry as a test needs it, and its CRC with it. */
function edit(page: Uint8Array, i: number, change: (entry: Uint8Array) => void): void {
  const entry = entryOf(page, i);
  change(entry);
  new DataView(entry.buffer, entry.byteOffset).setUint32(4, entryCrc(entry), true);
}

describe("a value", () => {
  test("that was erased is gone", () => {
    const page = pageOf(u32("a", 1), u32("b", 2));
    erase(page, 1);
    expect(readNvs(partitionOf(page))).toEqual([u32("b", 2)]);
  });

  test("that was replaced, and not erased before the power went, is the new one", () => {
    const page = pageOf(u32("a", 1), u32("b", 2));
    edit(page, 2, (entry) => entry.set([0x61], 8));
    expect(readNvs(partitionOf(page))).toEqual([u32("a", 2)]);
  });

  test("that was replaced comes where the new one was written", () => {
    const page = pageOf(u32("a", 1), u32("b", 2), u32("c", 3));
    edit(page, 3, (entry) => entry.set([0x61], 8));
    expect(readNvs(partitionOf(page))).toEqual([u32("b", 2), u32("a", 3)]);
  });

  test("of several entries does not count before the last of them is marked as written", () => {
    const page = pageOf(text("a", "x".repeat(40)));
    expect(readNvs(partitionOf(page))).toHaveLength(1);
    // The namespace, the head, then two of data; the last one's bits are set back.
    page[32]! |= 3 << 6;
    expect(readNvs(partitionOf(page))).toEqual([]);
  });

  test("on two pages is that of the later page, wherever the pages lie", () => {
    const older = withHeader(pageOf(u32("a", 1)), 7, PageState.full);
    const newer = withHeader(pageOf(u32("a", 2)), 8, PageState.active);
    expect(readNvs(partitionOf(older, newer))).toEqual([u32("a", 2)]);
    expect(readNvs(partitionOf(newer, older))).toEqual([u32("a", 2)]);
  });

  test("whose CRC is wrong is passed over, and those behind it are read", () => {
    const page = pageOf(u32("a", 1), text("b", "text"), u32("c", 3));
    entryOf(page, 1)[24]! ^= 1;
    entryOf(page, 3)[0]! ^= 1;
    expect(readNvs(partitionOf(page))).toEqual([u32("c", 3)]);
  });

  test("of a text that is damaged is the one before it", () => {
    const page = pageOf(text("a", "old"), text("b", "new"));
    edit(page, 3, (entry) => entry.set([0x61], 8));
    expect(readNvs(partitionOf(page))).toEqual([text("a", "new")]);
    entryOf(page, 4)[0]! ^= 1;
    expect(readNvs(partitionOf(page))).toEqual([text("a", "old")]);
  });

  test("in a namespace that is not there is passed over", () => {
    const page = pageOf(u32("a", 1));
    erase(page, 0);
    expect(readNvs(partitionOf(page))).toEqual([]);
  });
});

describe("a blob", () => {
  /** Old and new of one key, as the chip writes them: the new one's chunks from 0x80. */
  function replaced(): Uint8Array {
    const page = pageOf(blob("a", 1, 40), blob("b", 2, 70));
    // Entries: namespace, data of a (3), its index, data of b (4), its index.
    edit(page, 5, (entry) => {
      entry[3] = 0x80;
      entry.set([0x61], 8);
    });
    edit(page, 9, (entry) => {
      entry[29] = 0x80;
      entry.set([0x61], 8);
    });
    return page;
  }

  test("that was replaced is the new one", () => {
    expect(readNvs(partitionOf(replaced()))).toEqual([blob("a", 2, 70)]);
  });

  test("whose index was not written yet is the old one", () => {
    const page = replaced();
    entryOf(page, 9).fill(0xff);
    page[32 + 2]! |= 3 << 2;
    expect(readNvs(partitionOf(page))).toEqual([blob("a", 1, 40)]);
  });

  test("that lacks a chunk is none", () => {
    const page = replaced();
    for (let i = 1; i < 5; i++) erase(page, i);
    for (let i = 5; i < 9; i++) erase(page, i);
    expect(readNvs(partitionOf(page))).toEqual([]);
  });
});

test("a value is the old or the new one, whichever byte the power cut follows", () => {
  const page = pageOf(text("a", "old"), text("b", "n".repeat(90)));
  edit(page, 3, (entry) => entry.set([0x61], 8));
  const before = pageOf(text("a", "old"));
  // As the chip writes: the entry, its two bits, what follows it, their bits.
  const writes: [at: number, byte: number][] = [];
  const copy = (from: number, to: number) => {
    for (let at = from; at < to; at++) writes.push([at, page[at]!]);
  };
  copy(64 + 3 * 32, 64 + 4 * 32);
  writes.push([32, page[32]!]);
  copy(64 + 4 * 32, 64 + 7 * 32);
  writes.push([33, page[33]!]);
  const seen = new Set<unknown>();
  for (let cut = 0; cut <= writes.length; cut++) {
    const torn = before.slice();
    for (const [at, byte] of writes.slice(0, cut)) torn[at] = byte;
    const [item, ...others] = readNvs(partitionOf(torn));
    expect(others).toEqual([]);
    seen.add(item!.value);
  }
  expect([...seen]).toEqual(["old", "n".repeat(90)]);
});

describe("a page", () => {
  test("that is being freed counts, with what is copied of it already, to whichever byte", () => {
    const old = withHeader(pageOf(u32("a", 1), text("b", "behind"), u32("c", 3)), 3, PageState.freeing);
    const whole = withHeader(pageOf(u32("a", 1), text("b", "behind"), u32("c", 3)), 4, PageState.active);
    for (let cut = 0; cut < 64 + 6 * 32; cut++) {
      const copied = new Uint8Array(pageBytes).fill(0xff);
      copied.set(whole.subarray(0, cut));
      const items = readNvs(partitionOf(old, copied)).toSorted((a, b) => (a.key < b.key ? -1 : 1));
      expect(items).toEqual([u32("a", 1), text("b", "behind"), u32("c", 3)]);
    }
  });

  test("with a damaged header is passed over", () => {
    const damaged = withHeader(pageOf(u32("a", 1)), 0, PageState.full);
    damaged[5]! ^= 1;
    expect(readNvs(partitionOf(damaged, withHeader(pageOf(u32("b", 2)), 1, PageState.active)))).toEqual([
      u32("b", 2),
    ]);
  });

  test("of a later format is passed over", () => {
    const later = withHeader(pageOf(u32("a", 1)), 0, PageState.full);
    later[8] = 0xfd;
    new DataView(later.buffer).setUint32(28, headerCrc(later), true);
    expect(readNvs(partitionOf(later, withHeader(pageOf(u32("b", 2)), 1, PageState.active)))).toEqual([
      u32("b", 2),
    ]);
  });

  test("that is corrupt, by its state, is passed over", () => {
    const corrupt = withHeader(pageOf(u32("a", 1)), 0, PageState.corrupt);
    expect(readNvs(partitionOf(corrupt, withHeader(pageOf(u32("b", 2)), 1, PageState.active)))).toEqual([
      u32("b", 2),
    ]);
  });
});

describe("a partition", () => {
  test("that is empty holds nothing", () => {
    expect(readNvs(new Uint8Array(0x6000).fill(0xff))).toEqual([]);
    expect(readNvs(writeNvs([], 0x3000))).toEqual([]);
  });

  test("that is something else is refused", () => {
    expect(() => readNvs(new Uint8Array(0x6000))).toThrow(ImageError);
  });

  test("that needs keys says so", () => {
    const keys = { data: new Uint8Array(32).fill(1), tweak: new Uint8Array(32).fill(2) };
    const partition = writeNvs([u32("a", 1)], 0x3000);
    expect(() => readNvs(partition, keys)).toThrow(
      "none of its 2 entries is sound: the keys are others, or it is damaged",
    );
  });
});
