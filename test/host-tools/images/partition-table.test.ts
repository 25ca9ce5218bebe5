/** Partition tables, as bytes and as text. ESP-IDF, "Partition Tables", and the rules of its gen_esp32part.py. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { boardFiles } from "../../../host-tools/bundler/bundle.ts";
import { ImageError } from "../../../host-tools/images/image-error.ts";
import {
  formatPartitionCsv,
  PartitionCsvError,
  parsePartitionCsv,
} from "../../../host-tools/images/partition-csv.ts";
import {
  checkPartitions,
  defaultApp,
  describeType,
  otaSlots,
  type Partition,
  partitionsMax,
  readPartitionTable,
  writePartitionTable,
} from "../../../host-tools/images/partition-table.ts";
import { mcconfigCsv, slotsCsv } from "./sample-images.ts";

const MiB = 1024 * 1024;
const part = (name: string, more: Partial<Partition> = {}): Partition => ({
  name,
  type: 1,
  subtype: 0x40,
  offsetBytes: 0x9000,
  sizeBytes: 0x1000,
  flags: 0,
  ...more,
});

describe("bytes", () => {
  /** Three rows, and the MD5 that gen_esp32part_tests.py (ESP-IDF) expects of them. */
  const row = (head: string, name: string) =>
    `${head}${Buffer.from(name.padEnd(16, "\0")).toString("hex")}00000000`;
  const idfTable =
    row("aa500000" + "00000100" + "00001000", "factory") +
    row("aa500120" + "00001100" + "00020000", "data") +
    row("aa501000" + "00001500" + "00100000", "second") +
    `ebeb${"ff".repeat(14)}f9bd061b45686f86571a2cd52a1da65b`;
  const idfPartitions = [
    part("factory", { type: 0, subtype: 0, offsetBytes: 0x1_0000, sizeBytes: MiB }),
    part("data", { subtype: 0x20, offsetBytes: 0x11_0000, sizeBytes: 0x200 }),
    part("second", { type: 0x10, subtype: 0, offsetBytes: 0x15_0000, sizeBytes: 0x1000 }),
  ];

  test("are those of ESP-IDF's generator", () => {
    const written = writePartitionTable(idfPartitions);
    expect(Buffer.from(written).toString("hex")).toBe(idfTable.padEnd(0xc00 * 2, "f"));
    expect(readPartitionTable(written)).toEqual(idfPartitions);
  });

  test("of one row, its MD5 as ESP-IDF's test expects it", () => {
    const written = writePartitionTable(parsePartitionCsv("first, 0x30, 0xEE, 0x100400, 0x300000"));
    expect(Buffer.from(written.subarray(48, 64)).toString("hex")).toBe("43033f334087575169839b4061b12726");
  });

  const anyPartition = fc.record({
    name: fc.string({ maxLength: 15 }).filter((each) => !each.includes("\0")),
    type: fc.integer({ min: 0, max: 0xfe }),
    subtype: fc.integer({ min: 0, max: 0xfe }),
    offsetBytes: fc.nat(0xffff_ffff),
    sizeBytes: fc.nat(0xffff_ffff),
    flags: fc.nat(0xffff_ffff),
  });

  test("hold what was written", () => {
    fc.assert(
      fc.property(fc.array(anyPartition, { minLength: 1, maxLength: partitionsMax }), (partitions) => {
        expect(readPartitionTable(writePartitionTable(partitions))).toEqual(partitions);
      }),
    );
  });

  test("with a byte wrong are refused, except where nothing counts", () => {
    const table = writePartitionTable(idfPartitions);
    for (let at = 0; at < 4 * 32; at++) {
      const damaged = table.slice();
      damaged[at]! ^= 0x10;
      // Of the row of the MD5 its two first bytes and its sum count; a damaged beginning makes it a row, which it is not.
      if (at >= 3 * 32 + 2 && at < 3 * 32 + 16) expect(readPartitionTable(damaged)).toEqual(idfPartitions);
      else expect(() => readPartitionTable(damaged)).toThrow(ImageError);
    }
  });

  test("cut short are refused, wherever the cut is", () => {
    const table = writePartitionTable(idfPartitions);
    for (let length = 0; length < 5 * 32; length++) {
      expect(() => readPartitionTable(table.subarray(0, length))).toThrow(ImageError);
    }
    expect(readPartitionTable(table.subarray(0, 5 * 32))).toEqual(idfPartitions);
  });

  test("with a row behind the MD5 are refused", () => {
    const table = writePartitionTable(idfPartitions);
    table.set(table.subarray(0, 32), 4 * 32);
    expect(() => readPartitionTable(table)).toThrow("a row follows the MD5");
  });

  test("without an MD5, as old ones are, are read", () => {
    const table = writePartitionTable(idfPartitions);
    table.fill(0xff, 3 * 32, 4 * 32);
    expect(readPartitionTable(table)).toEqual(idfPartitions);
  });

  test("of an erased sector are refused", () => {
    expect(() => readPartitionTable(new Uint8Array(0xc00).fill(0xff))).toThrow("it is empty");
  });

  test("hold 94 partitions and an end, no more", () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => part(`p${i}`));
    expect(readPartitionTable(writePartitionTable(many(94)))).toHaveLength(94);
    expect(() => writePartitionTable(many(95))).toThrow("95 partitions do not fit one table; it holds 94.");
    expect(() => writePartitionTable([part("sixteen-bytes-ab")])).toThrow(RangeError);
  });
});

describe("text", () => {
  test("of mcconfig's own table", () => {
    const partitions = parsePartitionCsv(mcconfigCsv);
    expect(partitions.map((each) => `${each.name} ${describeType(each)}`)).toEqual([
      "nvs data/nvs",
      "phy_init data/phy",
      "factory app/factory",
      "xs 0x40/0x1",
      "settings data/phy",
    ]);
    expect(partitions[2]).toMatchObject({ offsetBytes: 0x1_0000, sizeBytes: 0x3b_0000 });
    expect(checkPartitions(partitions, 4 * MiB)).toEqual([]);
    expect(defaultApp(partitions)?.name).toBe("factory");
    expect(parsePartitionCsv(formatPartitionCsv(partitions))).toEqual(partitions);
  });

  test.for([...loadBoards().values()])("of $name is sound, and the same after bytes and text", (board) => {
    const partitions = parsePartitionCsv(boardFiles(board)["partitions.csv"]!);
    expect(partitions.map(({ name, offsetBytes, sizeBytes }) => ({ name, offsetBytes, sizeBytes }))).toEqual(
      board.partitions.map(({ name, offsetBytes, sizeBytes }) => ({ name, offsetBytes, sizeBytes })),
    );
    expect(checkPartitions(partitions, board.flashBytes)).toEqual([]);
    expect(otaSlots(partitions).map(({ name }) => name)).toEqual(["ota_0", "ota_1"]);
    const there = readPartitionTable(writePartitionTable(partitions));
    expect(parsePartitionCsv(formatPartitionCsv(there))).toEqual(partitions);
  });

  test("finds offsets that are left out, each at its type's next multiple (ESP-IDF's partitions_two_ota.csv, and two rows more)", () => {
    const partitions = parsePartitionCsv(`# Name, Type, SubType, Offset, Size, Flags
nvs, data, nvs, , 0x4000,
otadata, data, ota, , 0x2000,
phy_init, data, phy, , 0x1000,
factory, app, factory, , 1M,
settings, data, 0x41, , 6000
more, data, 0x42, , 4K
ota_0, app, ota_0, , 1M,
ota_1, app, ota_1, , 1024K,`);
    expect(partitions.map(({ offsetBytes }) => offsetBytes)).toEqual([
      0x9000, 0xd000, 0xf000, 0x1_0000, 0x11_0000, 0x11_2000, 0x12_0000, 0x22_0000,
    ]);
  });

  test("takes what ESP-IDF takes: Windows lines, a mark of UTF-8, ends instead of sizes, flags, an empty subtype", () => {
    const text =
      "\ufeffnvs,data,nvs,0x9000,12K\r\n\r\n keys , data , nvs_keys ,, 4K , encrypted:readonly\r\nrest,data,,0x10000,-0x20000\r\n";
    expect(parsePartitionCsv(text)).toEqual([
      part("nvs", { subtype: 2, sizeBytes: 0x3000 }),
      part("keys", { subtype: 4, offsetBytes: 0xc000, flags: 3 }),
      part("rest", { subtype: 6, offsetBytes: 0x1_0000, sizeBytes: 0x1_0000 }),
    ]);
  });

  test("has the bootloader and the table as partitions, where a project lists them", () => {
    const partitions = parsePartitionCsv(`bootloader, bootloader, primary, 0x1000, 0x7000
partition_table, partition_table, primary, 0x8000, 0x1000
nvs, data, nvs, , 0x6000`);
    expect(partitions[2]!.offsetBytes).toBe(0x9000);
    expect(checkPartitions(partitions, MiB)).toEqual([]);
  });

  const word = fc.constantFrom("nvs", "log", "ota_0", "x-1", "two words", "é");
  test("is the same after being read", () => {
    const row = fc.record({
      name: word,
      type: fc.constantFrom(0, 1, 2, 3, 0x40, 0xfe),
      subtype: fc.integer({ min: 0, max: 0xfe }),
      offsetBytes: fc.integer({ min: 0x9000, max: 0x7fff_ffff }),
      sizeBytes: fc.nat(0x7fff_ffff),
      flags: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (partitions) => {
        expect(parsePartitionCsv(formatPartitionCsv(partitions))).toEqual(partitions);
      }),
    );
  });

  test("can't hold every name that bytes can", () => {
    for (const name of ["", "a,b", " a", "#a", "a\nb"]) {
      expect(() => formatPartitionCsv([part(name)])).toThrow(RangeError);
    }
  });

  test.for([
    ["nvs, data, nvs, 0x9000, 0x6000\n, data, nvs, , 1K", "Line 2 of the partition table has no name."],
    [
      "sixteen-bytes-ab, data, nvs, , 1K",
      "Line 1 of the partition table has the name sixteen-bytes-ab, which is longer than 15 bytes.",
    ],
    [
      "a, date, nvs, , 1K",
      "Line 1 of the partition table has the type date, which is neither app, data nor 0 to 0xfe.",
    ],
    [
      "a, 0xff, 0, , 1K",
      "Line 1 of the partition table has the type 0xff, which is neither app, data nor 0 to 0xfe.",
    ],
    ["a, app, nvs, , 1K", "Line 1 of the partition table has the subtype nvs, which is not known."],
    ["a, app, , , 1K", "Line 1 of the partition table has the subtype nothing, which is not known."],
    ["a, app, ota_16, , 1K", "Line 1 of the partition table has the subtype ota_16, which is not known."],
    [
      "a, data, nvs, here, 1K",
      "Line 1 of the partition table has the offset here, which is no number of 32 bits.",
    ],
    [
      "a, data, nvs, , ",
      "Line 1 of the partition table has the size nothing, which is no number of 32 bits.",
    ],
    [
      "a, data, nvs, 0x20000, -0x10000",
      "Line 1 of the partition table has the size -0x10000, which is no number of 32 bits.",
    ],
    ["a, data, nvs, , 1K, secret", "Line 1 of the partition table has the flag secret, which is not known."],
    ["# nothing\n", "Line 1 of the partition table and all others hold no partition."],
  ])("%j is refused", ([text, message]) => {
    expect(() => parsePartitionCsv(text!)).toThrow(message);
  });

  test("of any kind is read or refused by line", () => {
    const field = fc.constantFrom(
      "nvs",
      "app",
      "data",
      "ota_3",
      "",
      "0x10000",
      "1M",
      "-4K",
      "#",
      '"',
      "9999999999",
      "é",
    );
    const text = fc.array(
      fc.array(field, { maxLength: 8 }).map((row) => row.join(",")),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          text.map((rows) => rows.join("\n")),
          fc.string(),
        ),
        (each) => {
          try {
            writePartitionTable(parsePartitionCsv(each));
          } catch (error) {
            expect(error).toBeInstanceOf(PartitionCsvError);
          }
        },
      ),
    );
  });
});

describe("a check", () => {
  const sound = parsePartitionCsv(slotsCsv);
  const change = (name: string, more: Partial<Partition>) =>
    sound.map((each) => (each.name === name ? { ...each, ...more } : each));

  test("finds nothing in a sound table", () => {
    expect(checkPartitions(sound, 4 * MiB)).toEqual([]);
  });

  test.for<[string, Partition[], string[]]>([
    ["a name twice", change("log", { name: "nvs" }), ["Two partitions are called nvs."]],
    [
      "an app not at 64 KB",
      change("ota_1", { offsetBytes: 0x1f_1000, sizeBytes: 0x1c_f000 }),
      ["ota_1 begins at 0x1f1000, which is no multiple of 0x10000."],
    ],
    [
      "data not at a sector",
      change("log", { offsetBytes: 0x3c_0800, sizeBytes: 0x3_f800 }),
      ["log begins at 0x3c0800, which is no multiple of 0x1000."],
    ],
    ["no bytes", change("phy_init", { sizeBytes: 0 }), ["phy_init has no bytes."]],
    [
      "an app of half a sector",
      change("ota_0", { sizeBytes: 0x1c_f800 }),
      ["ota_0 has 0x1cf800 bytes, which is no multiple of 0x1000."],
    ],
    [
      "a second otadata",
      change("log", { subtype: 0, sizeBytes: 0x2000 }),
      ["log is a second otadata; a table has one."],
    ],
    [
      "a short otadata",
      change("otadata", { sizeBytes: 0x1000 }),
      ["otadata has 0x1000 bytes; otadata has 0x2000."],
    ],
    [
      "a short NVS",
      change("nvs", { sizeBytes: 0x2000 }),
      ["nvs has 0x2000 bytes; an NVS has 0x3000 at least."],
    ],
    [
      "an overlap",
      change("otadata", { offsetBytes: 0xe000 }),
      ["otadata at 0xe000 overlaps nvs, which ends at 0xf000."],
    ],
    [
      "two within one",
      [
        ...change("log", { sizeBytes: 0x2_0000 }),
        part("in", { offsetBytes: 0x3c_1000 }),
        part("in too", { offsetBytes: 0x3c_4000 }),
      ],
      [
        "in at 0x3c1000 overlaps log, which ends at 0x3e0000.",
        "in too at 0x3c4000 overlaps log, which ends at 0x3e0000.",
      ],
    ],
    [
      "a partition over the table",
      change("nvs", { offsetBytes: 0x8000 }),
      ["nvs at 0x8000 overlaps the partition table, which ends at 0x9000."],
    ],
    [
      "a partition over the bootloader",
      change("phy_init", { offsetBytes: 0x2000 }),
      ["phy_init at 0x2000 overlaps the partition table, which ends at 0x9000."],
    ],
    [
      "an end behind the flash's",
      change("log", { sizeBytes: 0x4_1000 }),
      ["log ends at 0x401000, and the flash at 0x400000."],
    ],
  ])("finds %s, and nothing else", ([, partitions, problems]) => {
    expect(checkPartitions(partitions, 4 * MiB)).toEqual(problems);
  });

  test("allows a small NVS that is only read, and data of any size", () => {
    expect(checkPartitions(change("nvs", { sizeBytes: 0x2000, flags: 2 }), 4 * MiB)).toEqual([]);
    expect(checkPartitions(change("log", { sizeBytes: 1001 }), 4 * MiB)).toEqual([]);
  });
});

test("slots are counted as the bootloader counts them: in a row from ota_0", () => {
  const slot = (n: number) => part(`ota_${n}`, { type: 0, subtype: 0x10 + n });
  expect(otaSlots([slot(3), slot(1), slot(0)]).map(({ name }) => name)).toEqual(["ota_0", "ota_1"]);
  expect(otaSlots([slot(1)])).toEqual([]);
});
