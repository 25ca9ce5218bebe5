import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readNvs } from "../../../../host-tools/images/nvs/read.ts";
import { writeNvs } from "../../../../host-tools/images/nvs/write.ts";
import { NvsValues } from "../../../../host-tools/simulator/chip/nvs-values.ts";

const sizeBytes = 0x6000;
let folder: string;
let path: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "covey-nvs-"));
  path = join(folder, "nvs");
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const open = () => NvsValues.open(path, sizeBytes).values;

describe("a simulated board's small values", () => {
  it("are none where there is no file, and none is made before there is one", () => {
    expect(open().read("identity")).toBeUndefined();
    open().delete("identity");
    expect(fs.existsSync(path)).toBe(false);
  });

  it("lie in a partition as a chip has it, beside what others keep there", () => {
    const calibration = { namespace: "phy", key: "cal", type: "u32", value: 7n } as const;
    fs.writeFileSync(path, writeNvs([calibration], sizeBytes));
    open().write("key", Uint8Array.of(1, 2));
    open().write("long", new Uint8Array(1024).fill(9));
    expect(fs.statSync(path).size).toBe(sizeBytes);
    expect(readNvs(fs.readFileSync(path))).toMatchObject([
      calibration,
      { namespace: "covey", key: "key", type: "blob", value: Uint8Array.of(1, 2) },
      { namespace: "covey", key: "long" },
    ]);
    expect(open().read("long")).toEqual(new Uint8Array(1024).fill(9));
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  it("are replaced and deleted, and not written when nothing changes", () => {
    const values = open();
    values.write("a", Uint8Array.of(1));
    values.change(
      new Map([
        ["a", Uint8Array.of(2)],
        ["b", Uint8Array.of(3)],
      ]),
    );
    const { ino } = fs.statSync(path);
    values.write("a", Uint8Array.of(2));
    values.delete("c");
    expect(fs.statSync(path).ino).toBe(ino);
    values.delete("a");
    expect(open().read("a")).toBeUndefined();
    expect(open().read("b")).toEqual(Uint8Array.of(3));
  });

  it("refuse what NVS has no room for", () => {
    expect(() => open().read("")).toThrow(RangeError);
    expect(() => open().write("sixteen-letters-", Uint8Array.of(1))).toThrow(RangeError);
    expect(() => open().write("a", new Uint8Array(1025))).toThrow(RangeError);
    const values = open();
    const fill = () => {
      for (let i = 0; i < 30; i++) values.write(`v${i}`, new Uint8Array(1024));
    };
    expect(fill).toThrow(/does not fit/);
    expect(open().read("v3")).toHaveLength(1024);
  });

  it("that are damaged are kept aside, and that is said", () => {
    fs.writeFileSync(path, new Uint8Array(sizeBytes).fill(0x5a));
    const { values, warning } = NvsValues.open(path, sizeBytes, new Date(0));
    expect(warning).toContain(`${path}.damaged-1970`);
    expect(values.read("a")).toBeUndefined();
  });
});
