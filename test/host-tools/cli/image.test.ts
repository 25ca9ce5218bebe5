/** `covey image`, and what docs/images.md shows of it. With COVEY_REWRITE=1 the answers are written into the page; review the difference. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encryptNvs, writeNvsKeys } from "../../../host-tools/images/nvs/encryption.ts";
import type { NvsItem } from "../../../host-tools/images/nvs/format.ts";
import { writeNvs } from "../../../host-tools/images/nvs/write.ts";
import { emptyOtaData, selectSlot } from "../../../host-tools/images/ota-data.ts";
import { parsePartitionCsv } from "../../../host-tools/images/partition-csv.ts";
import { writePartitionTable } from "../../../host-tools/images/partition-table.ts";
import { mcconfigCsv, sampleApp, sampleBootloader, writeOutputFolder } from "../images/sample-images.ts";
import { covey, scratchFolder } from "./covey-process.ts";

const { folder, remove } = scratchFolder();
afterAll(remove);
const at = (name: string) => join(folder, name);
const page = join(import.meta.dirname, "../../../docs/images.md");

const items: NvsItem[] = [
  { namespace: "wifi", key: "ssid", type: "text", value: "greenhouse" },
  { namespace: "wifi", key: "password", type: "text", value: "tomatoes in June" },
  { namespace: "covey", key: "key", type: "blob", value: new Uint8Array(32).fill(0x5e) },
  { namespace: "covey", key: "port", type: "u16", value: 7883n },
  { namespace: "covey", key: "serial", type: "u64", value: 18_446_744_073_709_551_615n },
];
const keys = { data: new Uint8Array(32).fill(1), tweak: new Uint8Array(32).fill(2) };

writeOutputFolder(at("north-1"), "esp32c3");
writeOutputFolder(at("several/a"), "esp32c3");
writeOutputFolder(at("several/b"), "esp32");
writeOutputFolder(at("mixed"), "esp32", { bootloader: sampleBootloader("esp32c3") });
writeFileSync(at("nvs.bin"), writeNvs(items, 0x6000));
writeFileSync(at("encrypted.bin"), encryptNvs(writeNvs(items, 0x6000), keys));
writeFileSync(at("keys.bin"), writeNvsKeys(keys));
writeFileSync(at("otadata.bin"), selectSlot(emptyOtaData(), 1, 2, "valid"));
writeFileSync(at("torn.bin"), sampleApp("esp32").subarray(0, 600));
writeFileSync(at("blank.bin"), new Uint8Array(0x1000).fill(0xff));
writeFileSync(at("mcconfig.csv"), mcconfigCsv);
writeFileSync(at("twice.csv"), "a, data, nvs, , 0x6000\na, data, nvs, , 0x1000\n");
writeFileSync(at("typo.csv"), "nvs, data, nvs, , 0x6000\nota, ap, ota_0, , 1M\n");

const image = async (words: string) => covey(["image", ...words.split(" ")], folder);
const json = async (words: string) => JSON.parse((await image(`${words} --json`)).stdout);

describe("docs/images.md", () => {
  it("shows what the commands show", { timeout: 120_000 }, async () => {
    const text = readFileSync(page, "utf8");
    let commands = 0;
    const pieces = text.split(/(?<=^```console\n)([\s\S]*?)(?=^```$)/m);
    for (let i = 1; i < pieces.length; i += 2) {
      let shown = "";
      for (const command of pieces[i]!.split("\n").filter((line) => line.startsWith("$ "))) {
        const [name, ...words] = command.slice(2).split(" ");
        expect(name).toBe("covey");
        const { exitCode, stdout, stderr } = await covey(words, folder);
        expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: "" });
        shown += `${command}\n${stdout}`;
        commands++;
      }
      pieces[i] = shown;
    }
    expect(commands).toBeGreaterThan(5);
    if (process.env.COVEY_REWRITE === "1") writeFileSync(page, pieces.join(""));
    else expect(pieces.join("")).toBe(text);
  });
});

describe("covey image info", () => {
  it.each([
    [
      "north-1/xs_esp32.bin",
      { kind: "app", chip: "ESP32-C3", app: { project: "xs_esp32", version: "0.1.0" } },
    ],
    ["north-1/bootloader.bin", { kind: "bootloader", app: null }],
    ["north-1/partition-table.bin", { kind: "partition table" }],
    ["otadata.bin", { kind: "otadata", sequence: 2, state: "valid" }],
    ["keys.bin", { kind: "NVS keys" }],
    ["nvs.bin", { kind: "NVS" }],
  ])("tells what %s is", async (file, value) => {
    expect(await json(`info ${file}`)).toMatchObject({ file, ...value });
    expect(await image(`info ${file}`)).toMatchObject({ exitCode: 0, stderr: "" });
  });

  it("tells texts and blobs of an NVS by their length, unless asked", async () => {
    const shown = (await image("info nvs.bin")).stdout;
    expect(shown).toMatch(/^wifi +password +text +16 bytes$/m);
    expect(shown).toMatch(/^covey +port +u16 +7883$/m);
    for (const words of [
      "info nvs.bin",
      "info nvs.bin --json",
      "info encrypted.bin --keys keys.bin --json",
    ]) {
      const { stdout } = await image(words);
      expect(stdout).toContain("password");
      expect(stdout).not.toMatch(/tomatoes|5e5e/);
    }
    const all = await image("info nvs.bin --show-values");
    expect(all.stdout).toMatch(/"tomatoes in June"$/m);
    expect(all.stdout).toContain("5e".repeat(32));
    expect((await json("info nvs.bin --show-values")).values).toContainEqual({
      namespace: "covey",
      key: "serial",
      type: "u64",
      value: "18446744073709551615",
    });
  });

  it("opens an encrypted NVS with its keys, and tells when it has none", async () => {
    expect((await json("info encrypted.bin --keys keys.bin")).values).toHaveLength(5);
    expect(await image("info encrypted.bin")).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        "encrypted.bin: This is no sound NVS partition: none of its 11 entries is sound: it is encrypted, or damaged (at 0x40).\n",
    });
  });

  it("tells of a whole flash what each partition holds, with no secret", async () => {
    await image("merge north-1 --out flash.bin");
    const flash = new Uint8Array(4 * 1024 * 1024).fill(0xff);
    flash.set(readFileSync(at("flash.bin")));
    flash.set(readFileSync(at("nvs.bin")), 0x9000);
    flash.set(selectSlot(emptyOtaData(), 1, 2, "pending-verify"), 0xf000);
    flash.set(sampleApp("esp32c3", 900).subarray(0, 800), 0x1f_0000);
    flash[0x3c_0000] = 1;
    writeFileSync(at("flash.bin"), flash);
    const { exitCode, stdout } = await image("info flash.bin");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^boots +ota_1$/m);
    expect(stdout).toMatch(/^nvs .* 5 values$/m);
    expect(stdout).toMatch(/^otadata .* ota_1 boots \(sequence 2, pending-verify\)$/m);
    expect(stdout).toMatch(/^phy_init .* nothing$/m);
    expect(stdout).toMatch(/^ota_0 .* xs_esp32 0\.1\.0, 1,104 bytes$/m);
    expect(stdout).toMatch(/^ota_1 .* damaged: it ends|^ota_1 .* damaged: its/m);
    expect(stdout).toMatch(/^log .* data$/m);
    expect(JSON.stringify(await json("info flash.bin"))).not.toMatch(/tomatoes|5e5e/);
  });
});

describe("covey image merge", () => {
  it("makes a file that covey image and covey flash take as they take the folder", async () => {
    const value = await json("merge north-1 --out one.bin");
    expect(
      value.pieces.map(({ name, offsetBytes }: { name: string; offsetBytes: number }) => [name, offsetBytes]),
    ).toEqual([
      ["bootloader", 0],
      ["partition table", 0x8000],
      ["otadata", 0xf000],
      ["ota_0", 0x2_0000],
    ]);
    await image("merge one.bin --out two.bin");
    expect(readFileSync(at("two.bin"))).toEqual(readFileSync(at("one.bin")));
  });
});

describe("covey image partition", () => {
  it("goes from a board to text, to bytes, and back", async () => {
    const text = (await image("partition m5stack-core2")).stdout;
    writeFileSync(at("core2.csv"), text);
    expect(await image("partition core2.csv --board m5stack-core2 -o core2.bin")).toMatchObject({
      exitCode: 0,
    });
    expect(new Uint8Array(readFileSync(at("core2.bin")))).toEqual(
      writePartitionTable(parsePartitionCsv(text)),
    );
    expect((await image("partition core2.bin")).stdout).toBe(text);
    expect((await json("partition core2.bin")).partitions[3]).toMatchObject({
      name: "ota_0",
      kind: "app/ota_0",
    });
  });

  it("reads the table of a whole flash, and mcconfig's text", async () => {
    await image("merge north-1 --out whole.bin");
    expect((await image("partition whole.bin")).stdout).toContain("ota_0, app, ota_0, 0x20000, 0x1d0000,\n");
    expect((await image("partition mcconfig.csv")).stdout).toContain("xs, 0x40, 0x1, 0x3d0000, 0x10000,\n");
  });
});

describe("what can't be done is said in a sentence", () => {
  mkdirSync(at("empty"));
  it.each([
    ["show north-1", 2, "There is no action show; use info, merge or partition."],
    ["constructor north-1", 2, "There is no action constructor; use info, merge or partition."],
    ["info nowhere.bin", 2, "There is no nowhere.bin."],
    ["info north-1", 2, "north-1 is a folder; name a file in it."],
    ["info nvs.bin --out x", 2, "covey image info has no use for --out."],
    ["info torn.bin", 1, "torn.bin: This is no sound app image: it ends within a segment (at 0x160)."],
    ["info blank.bin", 1, "blank.bin: This is no sound image: it is empty (at 0x0)."],
    [
      "info mcconfig.csv",
      1,
      "mcconfig.csv: This is no sound image: it begins like nothing that lies in a flash (at 0x0).",
    ],
    [
      "info nvs.bin --keys otadata.bin",
      1,
      "otadata.bin: This is no sound NVS keys partition: the CRC-32 of its keys is wrong (at 0x40).",
    ],
    ["merge north-1", 2, "Say where the image goes: covey image merge FOLDER --out FILE."],
    [
      "merge mixed --out x.bin",
      1,
      "The bootloader in mixed is for an ESP32-C3, and other parts for an ESP32: build it again.",
    ],
    ["merge several --out x.bin", 2, "several holds several images; name one: several/a, several/b."],
    [
      "merge torn.bin --out x.bin",
      1,
      "torn.bin is one app alone: give the folder that it lies in, with bootloader and partition table.",
    ],
    ["merge north-1 --out none/x.bin", 1, "none/x.bin can't be written (ENOENT)."],
    [
      "partition nowhere.csv",
      2,
      "There is no nowhere.csv; nor is there such a kind of board (covey boards).",
    ],
    [
      "partition typo.csv",
      2,
      "typo.csv: Line 2 of the partition table has the type ap, which is neither app, data nor 0 to 0xfe.",
    ],
    [
      "partition twice.csv",
      2,
      "Two partitions are called a.\na has 0x1000 bytes; an NVS has 0x3000 at least.",
    ],
    [
      "partition m5stack-core2 --board esp32-devkit",
      2,
      "ota_0 ends at 0x420000, and the flash at 0x400000.\nota_1 ends at 0x820000, and the flash at 0x400000.\nlog ends at 0x860000, and the flash at 0x400000.\nseries ends at 0xc60000, and the flash at 0x400000.",
    ],
    [
      "partition mcconfig.csv --board esp32-devkid",
      2,
      '"esp32-devkid" is not a kind of board; did you mean "esp32-devkit"?',
    ],
  ] as const)("covey image %s", async (words, exitCode, says) => {
    expect(await image(words)).toEqual({ exitCode, stdout: "", stderr: `${says}\n` });
  });
});
